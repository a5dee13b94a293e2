//! Packets that come in parts: a text, then its attachments.
//!
//! Messages of one client come in, text and binary in the order they were sent; whole packets go out.
//! Knows no time: whoever keeps an assembler that [`Assembler::is_waiting`] arms `attachments_within` for it.
//! Left out: attachments of two packets at once, which the protocol has no way to tell apart.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::json;
use super::packet::{Kind, Packet, Violation, decode};
use crate::config;

/// Holds at most one packet until its attachments have come; while it holds none, it is one empty pointer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Assembler {
    waiting: Option<Box<Waiting>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    due: usize,
    held_bytes: usize,
    complete: Complete,
}

/// A packet with all of its attachments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complete {
    kind: Kind,
    namespace: Box<str>,
    id: Option<u64>,
    data: Option<Box<str>>,
    attachments: Vec<Bytes>,
}

impl Complete {
    /// A packet that came whole, with every placeholder in `data` naming one of `attachments`.
    pub(super) const fn new(
        kind: Kind,
        namespace: Box<str>,
        id: Option<u64>,
        data: Option<Box<str>>,
        attachments: Vec<Bytes>,
    ) -> Self {
        Self {
            kind,
            namespace,
            id,
            data,
            attachments,
        }
    }

    /// The packet, now of the kind [`Kind::Event`] or [`Kind::Ack`]: nothing is due any more.
    #[must_use]
    pub fn packet(&self) -> Packet<'_> {
        Packet::new(
            self.kind,
            self.attachments.len(),
            &self.namespace,
            self.id,
            self.data.as_deref(),
        )
    }

    /// The attachments in the order they came; every placeholder in the packet names one of them.
    #[must_use]
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }
}

impl Assembler {
    /// Waits for nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { waiting: None }
    }

    /// Whether attachments are due.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Bytes held for the packet that waits.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.waiting
            .as_ref()
            .map_or(0, |waiting| waiting.held_bytes)
    }

    /// A text message came: the packet it is, or `None` if its attachments are still due.
    ///
    /// # Errors
    /// What [`decode`] refuses, and text while attachments are due. What was held is gone then.
    pub fn text<'a>(
        &mut self,
        text: &'a str,
        limits: &config::SocketIo,
    ) -> Result<Option<Packet<'a>>, Violation> {
        if self.waiting.take().is_some() {
            return Err(Violation::TextWhileAssembling);
        }
        let packet = decode(text, limits)?;
        let kind = match packet.kind {
            Kind::BinaryEvent => Kind::Event,
            Kind::BinaryAck => Kind::Ack,
            Kind::Connect | Kind::Disconnect | Kind::Event | Kind::Ack | Kind::ConnectError => {
                return Ok(Some(packet));
            }
        };
        if text.len() > limits.packet_bytes_max {
            return Err(Violation::PacketTooLarge);
        }
        // Checked before anything is kept: how many there will be is known already.
        if !packet
            .data
            .is_none_or(|data| json::placeholders_fit(data, packet.attachments))
        {
            return Err(Violation::IllegalPlaceholder);
        }
        self.waiting = Some(Box::new(Waiting {
            due: packet.attachments,
            held_bytes: text.len(),
            complete: Complete {
                kind,
                namespace: packet.namespace.into(),
                id: packet.id,
                data: packet.data.map(Into::into),
                attachments: Vec::new(),
            },
        }));
        Ok(None)
    }

    /// A binary message came: the packet it completes, or `None` if more are due.
    ///
    /// # Errors
    /// If nobody waits for it, or there is too much of it. What was held is gone then.
    pub fn binary(
        &mut self,
        bytes: &[u8],
        limits: &config::SocketIo,
    ) -> Result<Option<Complete>, Violation> {
        let Some(mut waiting) = self.waiting.take() else {
            return Err(Violation::AttachmentUnasked);
        };
        waiting.held_bytes = waiting.held_bytes.saturating_add(bytes.len());
        if waiting.held_bytes > limits.packet_bytes_max {
            return Err(Violation::PacketTooLarge);
        }
        waiting
            .complete
            .attachments
            .push(Bytes::copy_from_slice(bytes));
        if waiting.complete.attachments.len() == waiting.due {
            return Ok(Some(waiting.complete));
        }
        self.waiting = Some(waiting);
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "51-/cool,23[\"a\",{\"_placeholder\":true,\"num\":0}]";

    fn limits() -> config::SocketIo {
        config::SocketIo::default()
    }

    #[test]
    fn a_text_without_attachments_passes_through() {
        let mut assembler = Assembler::new();
        let packet = assembler.text("2[\"a\"]", &limits()).unwrap().unwrap();
        assert_eq!((packet.kind, packet.data), (Kind::Event, Some("[\"a\"]")));
        assert!(!assembler.is_waiting());
    }

    #[test]
    fn a_packet_is_whole_with_its_last_attachment() {
        let mut assembler = Assembler::new();
        let text = "62-7[{\"_placeholder\":true,\"num\":1},{\"_placeholder\":true,\"num\":0}]";
        assert_eq!(assembler.text(text, &limits()), Ok(None));
        assert_eq!(assembler.binary(b"one", &limits()), Ok(None));
        assert_eq!(
            (assembler.is_waiting(), assembler.held_bytes()),
            (true, text.len() + 3)
        );
        let complete = assembler.binary(b"", &limits()).unwrap().unwrap();
        let packet = complete.packet();
        assert_eq!(
            (packet.kind, packet.attachments, packet.id),
            (Kind::Ack, 2, Some(7))
        );
        assert_eq!(complete.attachments(), [&b"one"[..], b""]);
        assert_eq!((assembler.is_waiting(), assembler.held_bytes()), (false, 0));
        assert_eq!(assembler.text(ONE, &limits()), Ok(None));
        let complete = assembler.binary(b"x", &limits()).unwrap().unwrap();
        assert_eq!(
            (complete.packet().namespace, complete.packet().kind),
            ("/cool", Kind::Event)
        );
    }

    #[test]
    fn the_same_attachment_may_be_named_twice_and_another_not_at_all() {
        let text = "52-[\"a\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":0}]";
        assert_eq!(Assembler::new().text(text, &limits()), Ok(None));
        assert_eq!(Assembler::new().text("51-", &limits()), Ok(None));
    }

    #[test]
    fn what_comes_out_of_turn_is_refused_and_what_was_held_is_gone() {
        let mut assembler = Assembler::new();
        let broken = assembler.binary(b"x", &limits()).unwrap_err();
        assert_eq!(
            broken.to_string(),
            "got binary data when not reconstructing a packet"
        );
        assembler.text(ONE, &limits()).unwrap();
        let broken = assembler.text("2[\"a\"]", &limits()).unwrap_err();
        assert_eq!(
            broken.to_string(),
            "got plaintext data when reconstructing a packet"
        );
        assert!(!assembler.is_waiting());
    }

    #[test]
    fn a_placeholder_without_an_attachment_is_refused_before_any_has_come() {
        for num in ["1", "-1", "1e9", "0.5", "\"0\"", "null", "[]"] {
            let text = format!("51-[\"a\",{{\"_placeholder\":true,\"num\":{num}}}]");
            let broken = Assembler::new().text(&text, &limits()).unwrap_err();
            assert_eq!(broken.to_string(), "illegal attachments", "{text}");
        }
    }

    #[test]
    fn text_and_attachments_share_one_limit() {
        let limits = config::SocketIo {
            packet_bytes_max: ONE.len() + 4,
            ..limits()
        };
        let mut assembler = Assembler::new();
        assembler.text(ONE, &limits).unwrap();
        assert!(assembler.binary(b"four", &limits).unwrap().is_some());
        assembler.text(ONE, &limits).unwrap();
        assert_eq!(
            assembler.binary(b"fives", &limits),
            Err(Violation::PacketTooLarge)
        );
        assert!(!assembler.is_waiting());
        let limits = config::SocketIo {
            packet_bytes_max: ONE.len() - 1,
            ..limits
        };
        assert_eq!(assembler.text(ONE, &limits), Err(Violation::PacketTooLarge));
    }
}
