//! Events between servers: from a handler here to the handlers of the other nodes, and their answers.
//!
//! Names and values go in; how they get there is [`super::nodes`]' to say.
//! Knows no clients.

use std::time::Duration;

use serde::Serialize;

use super::App;
use super::cluster::{Reply, Request, Values, Wish};
use super::handlers::Namespace;
use super::nodes::encoded;
use super::outgoing::Flags;
use super::views::{Context, EmitError, Io};
use crate::socketio::args::{Args, FromArgs};
use crate::socketio::packet::is_reserved;

pub(super) type OnServerSide<A> = Box<dyn Fn(&mut Context<'_, A>, Args<'_>, NodeAck)>;

/// Answers an event of another node, at most once, now or later.
#[derive(Debug)]
#[must_use = "a node may wait for this; say `_ack` if it does not"]
pub struct NodeAck {
    request: Option<Request>,
}

impl NodeAck {
    pub(super) const fn new(request: Option<Request>) -> Self {
        Self { request }
    }

    /// Whether the node asked for an answer.
    #[must_use]
    pub const fn is_wanted(&self) -> bool {
        self.request.is_some()
    }

    /// Answers. A tuple is a list of values, anything else one value.
    pub fn send<A: App, T: Serialize + ?Sized>(self, io: &mut Io<'_, A>, values: &T) {
        let Some(request) = self.request else {
            return;
        };
        match encoded(values) {
            Ok(values) => io.core.reply(request, Reply::Values(values)),
            Err(error) => log::error!("{error}"),
        }
    }
}

/// What other nodes answered to an event between servers.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct NodeAnswers {
    /// In the order they came.
    pub answers: Vec<Values>,
    /// Nodes that did not answer in time.
    pub nodes_missing: usize,
}

impl<A: App> Io<'_, A> {
    /// Sends an event to the handlers of the other nodes ([`super::Namespace::on_server_side`]), not to any client and not
    /// to this node (`serverSideEmit`). Without other nodes it goes nowhere.
    ///
    /// # Errors
    /// If the name is reserved or the arguments are no JSON.
    pub fn server_side_emit<T: Serialize + ?Sized>(
        &mut self,
        namespace: &str,
        event: &str,
        values: &T,
    ) -> Result<(), EmitError> {
        let wish = server_side(namespace, event, values)?;
        self.core.utter(wish(None));
        Ok(())
    }

    /// Sends an event to the other nodes and calls `then` with their answers, after the handler that runs now and after
    /// `within` at the latest. Without other nodes that is at once, and there are none.
    ///
    /// # Errors
    /// If the name is reserved or the arguments are no JSON; `then` is not called.
    pub fn server_side_emit_with_acks<T: Serialize + ?Sized>(
        &mut self,
        namespace: &str,
        event: &str,
        values: &T,
        within: Duration,
        then: impl FnOnce(&mut Context<'_, A>, NodeAnswers) + 'static,
    ) -> Result<(), EmitError> {
        let wish = server_side(namespace, event, values)?;
        let then = move |context: &mut Context<'_, A>, replies: Vec<Reply>, nodes_missing| {
            let values = |reply| match reply {
                Reply::Values(values) => Some(values),
                Reply::Asked(_)
                | Reply::Answer(_)
                | Reply::Gone(_)
                | Reply::Sockets(_)
                | Reply::Rooms(_) => None,
            };
            let answers = replies.into_iter().filter_map(values).collect();
            then(
                context,
                NodeAnswers {
                    answers,
                    nodes_missing,
                },
            );
        };
        let awaited = self.core.awaited_nodes(Flags::default());
        let asked = self.core.ask_nodes(awaited, within, Box::new(then));
        if let Some(request) = asked {
            self.core.utter(wish(Some(request)));
        }
        Ok(())
    }
}

fn server_side<T: Serialize + ?Sized>(
    namespace: &str,
    event: &str,
    values: &T,
) -> Result<impl FnOnce(Option<Request>) -> Wish, EmitError> {
    if is_reserved(event) {
        return Err(EmitError::Reserved(event.into()));
    }
    let values = encoded(values)?;
    let (namespace, event) = (namespace.into(), event.into());
    Ok(move |request| Wish::ServerSide {
        namespace,
        event,
        values,
        request,
    })
}

impl<A: App> Namespace<'_, A> {
    /// Called for each event of that name that another node sends to servers ([`Io::server_side_emit`]). One whose
    /// arguments do not fit leaves a line in the log.
    ///
    /// # Panics
    /// If the name is reserved, or has a handler already.
    pub fn on_server_side<T>(
        self,
        event: &str,
        handler: impl Fn(&mut Context<'_, A>, T, NodeAck) + 'static,
    ) -> Self
    where
        T: for<'x> FromArgs<'x>,
    {
        assert!(!is_reserved(event), "\"{event}\" is a reserved event name");
        let handler: OnServerSide<A> =
            Box::new(move |context, args, ack| match T::from_args(args) {
                Ok(values) => handler(context, values, ack),
                Err(error) => log::warn!("another node's event does not fit: {error}"),
            });
        let before = self.table.server_side.insert(event.into(), handler);
        assert!(before.is_none(), "\"{event}\" has a handler already");
        self
    }
}
