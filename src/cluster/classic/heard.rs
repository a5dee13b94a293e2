//! What comes from other nodes in the classic protocol: payloads in, wishes and answers out.
//!
//! What is this node's own is passed over, and so is a reply to a question that it has not put.
//! Knows no channel's name; which kind of thing comes by it is said by its role.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::message::{self, Ignored, Message, Name, Opts, Packet, Told, names, quoted};
use super::super::questions::Foreign;
use super::super::wire::{Came, Out};
use super::{
    ACK, ALL_ROOMS, BROADCAST, CLIENT_COUNT, Classic, DISCONNECT, FETCH, JOIN, LEAVE, SERVER_SIDE,
    SOCKETS,
};
use crate::server::cluster::{Reply, Request, Whom, Wish};
use crate::server::{GatheredAnswer, Here};
use crate::time::Now;

impl Classic {
    pub(super) fn heard_broadcast(
        &self,
        came: &Came<'_>,
        out: &mut Vec<Out>,
    ) -> Result<(), Ignored> {
        let message = Message::packed(came.payload, &self.limits)?;
        let (uid, packet, opts): (Name, Packet<'_>, Opts) = message.parse()?;
        if uid.0 == self.uid || packet.nsp.as_deref().unwrap_or("/") != came.namespace {
            return Ok(());
        }
        out.push(Out::Hear(packet.wish(
            &message,
            came.namespace,
            &opts,
            None,
        )?));
        Ok(())
    }

    pub(super) fn heard_request(
        &mut self,
        now: Now,
        came: &Came<'_>,
        here: &dyn Here,
        out: &mut Vec<Out>,
    ) -> Result<(), Ignored> {
        let message = Message::either(came.payload, &self.limits)?;
        let request: Asked<'_> = message.parse()?;
        let is_own = request.uid.as_ref().is_some_and(|uid| uid.0 == self.uid);
        if is_own {
            return Ok(());
        }
        if let Some(sid) = &request.sid {
            return self.heard_of_one(came, sid, &request, here, out);
        }
        let wish = self.wished(now, came, &message, &request)?;
        out.extend(wish.map(Out::Hear));
        Ok(())
    }

    /// What a request of another node wishes, if it wishes anything.
    fn wished(
        &mut self,
        now: Now,
        came: &Came<'_>,
        message: &Message<'_>,
        request: &Asked<'_>,
    ) -> Result<Option<Wish>, Ignored> {
        let opts = request.opts.as_ref();
        let to = || Ok(opts.ok_or(Ignored)?.whom(came.namespace));
        let rooms = || names(request.rooms.as_deref().unwrap_or_default());
        Ok(Some(match request.kind {
            JOIN => Wish::Join {
                to: to()?,
                rooms: rooms(),
            },
            LEAVE => {
                let (to, rooms) = (to()?, rooms());
                if rooms.is_empty() && !request.roomcast_all {
                    return Ok(None);
                }
                Wish::Leave { to, rooms }
            }
            DISCONNECT => Wish::Disconnect {
                to: to()?,
                closes: request.close.unwrap_or(false),
            },
            FETCH => Wish::Fetch {
                to: to()?,
                request: self.asked(now, came, request)?,
            },
            SOCKETS => Wish::Fetch {
                to: Whom {
                    namespace: came.namespace.into(),
                    rooms: rooms(),
                    except: Vec::new(),
                },
                request: self.asked(now, came, request)?,
            },
            ALL_ROOMS => Wish::Rooms {
                namespace: came.namespace.into(),
                request: self.asked(now, came, request)?,
            },
            SERVER_SIDE => {
                let (event, values) = message.event(request.data.ok_or(Ignored)?)?;
                let is_asked = request.request_id.is_some();
                Wish::ServerSide {
                    namespace: came.namespace.into(),
                    event,
                    values,
                    request: if is_asked {
                        Some(self.asked(now, came, request)?)
                    } else {
                        None
                    },
                }
            }
            BROADCAST => {
                let opts = opts.ok_or(Ignored)?;
                let timeout = opts.flags.unwrap_or_default().timeout;
                let within = self.questions.patience(timeout);
                let asked = (self.asked(now, came, request)?, within);
                let packet = request.packet.as_ref().ok_or(Ignored)?;
                packet.wish(message, came.namespace, opts, Some(asked))?
            }
            _ => return Err(Ignored),
        }))
    }

    /// What older nodes ask of one socket: whoever has it says that it is done.
    fn heard_of_one(
        &self,
        came: &Came<'_>,
        sid: &Name,
        request: &Asked<'_>,
        here: &dyn Here,
        out: &mut Vec<Out>,
    ) -> Result<(), Ignored> {
        if !here.has_room(came.namespace, &sid.0) {
            return Ok(());
        }
        let to = Whom {
            namespace: came.namespace.into(),
            rooms: vec![sid.0.clone()],
            except: Vec::new(),
        };
        let room = || Ok(vec![request.room.as_ref().ok_or(Ignored)?.0.clone()]);
        let wish = match request.kind {
            JOIN => Wish::Join { to, rooms: room()? },
            LEAVE => Wish::Leave { to, rooms: room()? },
            DISCONNECT => Wish::Disconnect {
                to,
                closes: request.close.unwrap_or(false),
            },
            _ => return Err(Ignored),
        };
        out.push(Out::Hear(wish));
        if let Some(name) = &request.request_id {
            let text = format!("{{\"requestId\":{}}}", quoted(&name.0));
            let foreign = request.foreign(came.namespace);
            out.push(Out::Publish(self.response(&foreign, text)));
        }
        Ok(())
    }

    fn asked(
        &mut self,
        now: Now,
        came: &Came<'_>,
        request: &Asked<'_>,
    ) -> Result<Request, Ignored> {
        if request.request_id.is_none() {
            return Err(Ignored);
        }
        let foreign = request.foreign(came.namespace);
        self.questions.begin(now.mono, foreign).ok_or(Ignored)
    }

    pub(super) fn heard_response(
        &mut self,
        came: &Came<'_>,
        out: &mut Vec<Out>,
    ) -> Result<(), Ignored> {
        let message = Message::either(came.payload, &self.limits)?;
        let told: Response<'_> = message.parse()?;
        let name = told.request_id.as_ref().ok_or(Ignored)?;
        let Some(request) = self.questions.ours(&name.0) else {
            return Ok(()); // a question of somebody else's
        };
        let one = |value: Option<&RawValue>| message.values(value.map_or("", RawValue::get));
        let reply = match told.kind {
            Some(CLIENT_COUNT) => Reply::Asked(told.client_count.ok_or(Ignored)?),
            Some(ACK) => Reply::Answer(GatheredAnswer::new(None, one(told.packet))),
            Some(SERVER_SIDE) => Reply::Values(one(told.data)),
            _ => {
                let sockets = told.sockets.as_deref().ok_or(Ignored)?;
                Reply::Sockets(message::sockets(&message, came.namespace, sockets))
            }
        };
        self.replies += 1;
        out.push(Out::Hear(Wish::Reply {
            request,
            from: self.replies,
            reply,
        }));
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked<'a> {
    #[serde(rename = "type")]
    kind: u64,
    uid: Option<Name>,
    request_id: Option<Name>,
    opts: Option<Opts>,
    rooms: Option<Vec<Name>>,
    #[serde(borrow)]
    packet: Option<Packet<'a>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    close: Option<bool>,
    sid: Option<Name>,
    room: Option<Name>,
    #[serde(default)]
    roomcast_all: bool,
}

impl Asked<'_> {
    fn foreign(&self, namespace: &str) -> Foreign {
        let text = |name: &Option<Name>| {
            name.as_ref()
                .map_or_else(Box::default, |name| name.0.clone())
        };
        Foreign {
            namespace: namespace.into(),
            name: text(&self.request_id),
            asker: text(&self.uid),
            kind: self.kind,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    #[serde(rename = "type")]
    kind: Option<u64>,
    request_id: Option<Name>,
    client_count: Option<usize>,
    #[serde(borrow)]
    packet: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    sockets: Option<Vec<Told<'a>>>,
}
