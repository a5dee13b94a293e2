//! What packets mean to a session's sockets, and the three phases of a socket.

use bytes::Bytes;

use super::*;
use crate::socketio::{OutOfOrder, Parsed, Step};

fn session(number: u32) -> SessionId {
    SessionId::from_parts(number, 0)
}

/// Two namespaces, `/` and `/chat`, and one session.
fn sockets() -> Sockets {
    sockets_with(|_| {})
}

fn sockets_with(change: impl FnOnce(&mut config::SocketIo)) -> Sockets {
    let mut config = config::SocketIo::default();
    change(&mut config);
    let mut sockets = Sockets::new(config, [5; 32]);
    sockets.namespaces_mut().describe("/");
    sockets.namespaces_mut().describe("chat");
    sockets.opened(session(1));
    sockets
}

fn step<'a>(sockets: &mut Sockets, text: &'a str) -> Result<Step<'a>, OutOfOrder> {
    let packet = sockets.text(session(1), text).expect("a packet");
    let Parsed::Bare(packet) = packet else {
        panic!("a packet without attachments");
    };
    sockets.step(session(1), &packet)
}

fn join(sockets: &mut Sockets, text: &str) -> SocketKey {
    match step(sockets, text) {
        Ok(Step::Join(key, _)) => key,
        other => panic!("{text} is {other:?}"),
    }
}

fn joined(sockets: &mut Sockets, text: &str) -> SocketKey {
    let key = join(sockets, text);
    sockets.let_in(key);
    key
}

#[test]
fn each_packet_of_a_socket_is_a_step() {
    let mut sockets = sockets();
    let root = joined(&mut sockets, "0");
    let chat = joined(&mut sockets, "0/chat,{\"a\":1}");
    let event = |step| match step {
        Ok(Step::Event(key, event, id)) => (key, event.name.as_str().to_owned(), event.args, id),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        event(step(&mut sockets, "2[\"x\",1,2]")),
        (root, "x".into(), "1,2", None)
    );
    assert_eq!(
        event(step(&mut sockets, "2/chat,7[\"y\"]")),
        (chat, "y".into(), "", Some(7))
    );
    assert_eq!(
        step(&mut sockets, "3/chat,8[1]"),
        Ok(Step::Answer(chat, 8, "1"))
    );
    assert_eq!(step(&mut sockets, "2"), Ok(Step::Nothing));
    assert_eq!(step(&mut sockets, "3"), Ok(Step::Nothing));
    assert_eq!(step(&mut sockets, "1"), Ok(Step::Leave(root)));
    assert_eq!(step(&mut sockets, "1/chat,"), Ok(Step::Leave(chat)));
}

#[test]
fn what_a_client_brings_is_shown_as_it_came_and_an_empty_object_if_it_brings_nothing() {
    let mut sockets = sockets();
    assert!(matches!(step(&mut sockets, "0"), Ok(Step::Join(_, "{}"))));
    let auth = step(&mut sockets, "0/chat,{ \"a\" : 1.0 }");
    assert!(matches!(auth, Ok(Step::Join(_, "{ \"a\" : 1.0 }"))));
}

#[test]
fn a_packet_before_its_connect_is_out_of_order() {
    for text in ["2[\"x\"]", "30[1]", "1", "1/chat,", "2/nowhere,[\"x\"]"] {
        assert_eq!(step(&mut sockets(), text), Err(OutOfOrder), "{text}");
    }
}

#[test]
fn a_second_connect_and_an_event_while_being_judged_are_out_of_order() {
    let mut sockets = sockets();
    let key = join(&mut sockets, "0");
    assert_eq!(step(&mut sockets, "0"), Err(OutOfOrder));
    assert_eq!(step(&mut sockets, "2[\"x\"]"), Err(OutOfOrder));
    assert_eq!(step(&mut sockets, "30[]"), Err(OutOfOrder));
    sockets.let_in(key);
    assert_eq!(step(&mut sockets, "0"), Err(OutOfOrder));
    assert_eq!(step(&mut sockets, "4{\"message\":\"x\"}"), Err(OutOfOrder));
}

#[test]
fn a_client_may_take_its_connect_back_while_it_is_judged() {
    let mut sockets = sockets();
    let key = join(&mut sockets, "0");
    assert_eq!(step(&mut sockets, "1"), Ok(Step::Leave(key)));
}

#[test]
fn who_is_on_its_way_out_makes_room_for_a_new_connect() {
    let mut sockets = sockets();
    let old = joined(&mut sockets, "0");
    assert!(sockets.leaving(old));
    assert!(!sockets.leaving(old), "it leaves once");
    assert_eq!(step(&mut sockets, "2[\"x\"]"), Err(OutOfOrder));
    let new = joined(&mut sockets, "0");
    assert_ne!(sockets.id(old), sockets.id(new));
    sockets.removed(old);
    assert_eq!(sockets.of_session(session(1)), [new]);
}

#[test]
fn who_is_judged_may_be_in_rooms_and_leaves_no_trace_when_refused() {
    let mut sockets = sockets();
    let root = sockets.namespaces_mut().describe("/");
    let key = join(&mut sockets, "0");
    assert!(sockets.adapter(root).is_empty());
    sockets.join_room(key, "r");
    assert!(sockets.adapter(root).is_in(key, "r"));
    assert_eq!(sockets.connected_session(key), None, "it is sent nothing");
    sockets.removed(key);
    assert!(sockets.adapter(root).is_empty());
    assert!(sockets.is_empty());
}

#[test]
fn who_is_let_in_is_in_its_own_room_and_in_those_it_joined_before() {
    let mut sockets = sockets();
    let root = sockets.namespaces_mut().describe("/");
    let key = join(&mut sockets, "0");
    sockets.join_room(key, "r");
    sockets.let_in(key);
    let id = sockets.id(key).unwrap();
    let mut rooms: Vec<_> = sockets.adapter(root).rooms(key).collect();
    rooms.sort_unstable();
    let mut expected = [id.as_str(), "r"];
    expected.sort_unstable();
    assert_eq!(rooms, expected);
    assert_eq!(sockets.connected_session(key), Some(session(1)));
    assert_eq!(sockets.find(id), Some(key));
}

#[test]
fn rooms_stay_readable_until_they_are_left() {
    let mut sockets = sockets();
    let root = sockets.namespaces_mut().describe("/");
    let key = joined(&mut sockets, "0");
    sockets.join_room(key, "r");
    sockets.leaving(key);
    assert_eq!(sockets.adapter(root).rooms(key).count(), 2);
    assert_eq!(sockets.connected_session(key), None);
    sockets.leave_rooms(key);
    assert_eq!(sockets.adapter(root).rooms(key).count(), 0);
    assert_eq!(sockets.phase(key), Some(Phase::Leaving));
    let id = sockets.id(key).unwrap();
    sockets.removed(key);
    assert_eq!((sockets.phase(key), sockets.find(id)), (None, None));
}

#[test]
fn a_namespace_that_is_not_there_is_asked_for_by_its_name() {
    let mut sockets = sockets();
    for (text, name) in [
        ("0/nowhere,", "/nowhere"),
        ("0/chat?a=b,", "/chat?a=b"),
        ("0/Chat", "/Chat"),
    ] {
        assert_eq!(
            step(&mut sockets, text),
            Ok(Step::NoNamespace(name, "{}")),
            "{text}"
        );
    }
    assert!(sockets.is_empty());
}

#[test]
fn a_namespace_is_found_by_any_spelling_of_its_name() {
    let mut sockets = sockets();
    let chat = sockets.namespaces_mut().describe("/chat");
    assert_eq!(sockets.namespaces_mut().describe("chat"), chat);
    assert_eq!(sockets.namespaces().find("chat"), Some(chat));
    assert_eq!(
        sockets.namespaces_mut().describe(""),
        sockets.namespaces_mut().describe("/")
    );
    assert_eq!(sockets.name(chat), "/chat");
    assert_eq!(sockets.namespaces().find("/nowhere"), None);
}

#[test]
fn a_connection_is_in_as_many_namespaces_as_it_may_and_no_more() {
    let mut sockets = sockets_with(|config| config.namespaces_max = 1);
    let root = joined(&mut sockets, "0");
    let refused = Ok(Step::Refused("/chat", Refusal::TooManyNamespaces));
    assert_eq!(step(&mut sockets, "0/chat,"), refused);
    sockets.leaving(root);
    sockets.removed(root);
    joined(&mut sockets, "0/chat,");
}

#[test]
fn a_namespace_with_a_longer_name_than_allowed_is_none() {
    let mut sockets = sockets_with(|config| config.namespace_bytes_max = 5);
    sockets.namespaces_mut().describe("/longer");
    joined(&mut sockets, "0/chat,");
    let refused = Ok(Step::Refused("/longer", Refusal::InvalidNamespace));
    assert_eq!(step(&mut sockets, "0/longer,"), refused);
}

#[test]
fn sockets_of_a_session_that_was_never_opened_are_not_made() {
    let mut sockets = sockets();
    let packet = sockets.text(session(2), "0");
    assert_eq!(packet, Ok(Parsed::Nothing));
    assert!(!sockets.is_assembling(session(2)));
}

#[test]
fn an_event_with_attachments_comes_with_the_last_of_them() {
    let mut sockets = sockets();
    let key = joined(&mut sockets, "0");
    let text = "51-[\"x\",{\"_placeholder\":true,\"num\":0}]";
    assert_eq!(sockets.text(session(1), text), Ok(Parsed::Nothing));
    assert!(sockets.is_assembling(session(1)));
    let Ok(Parsed::Complete(complete)) = sockets.binary(session(1), b"bytes") else {
        panic!("a packet");
    };
    assert_eq!(complete.attachments(), [Bytes::from_static(b"bytes")]);
    let packet = complete.packet();
    let step = sockets.step(session(1), &packet);
    assert!(matches!(step, Ok(Step::Event(of, _, None)) if of == key));
    assert!(!sockets.is_assembling(session(1)));
}

#[test]
fn acknowledgements_are_counted_by_namespace() {
    let mut sockets = sockets();
    let (root, chat) = (
        sockets.namespaces_mut().describe("/"),
        sockets.namespaces_mut().describe("/chat"),
    );
    assert_eq!([sockets.next_ack(root), sockets.next_ack(root)], [0, 1]);
    assert_eq!(sockets.next_ack(chat), 0);
}
