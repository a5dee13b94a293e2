//! Which requests are let in, what the others are told, and the handshake.

use super::*;

#[test]
fn the_handshake_names_the_session_and_its_terms() {
    for (transport, before, upgrades) in [
        (TransportName::Polling, "answer 1: 0", "[\"websocket\"]"),
        (TransportName::WebSocket, "frame 1: 0", "[]"),
    ] {
        let mut bench = Bench::new();
        let id = bench
            .engine
            .opened(bench.now, conn(1), transport, Revision::V4);
        let sid = bench.engine.session(id).unwrap().sid();
        let terms = "\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000";
        assert_eq!(
            bench.said(),
            [format!(
                "{before}{{\"sid\":\"{sid}\",\"upgrades\":{upgrades},{terms}}}"
            )]
        );
    }
}

#[test]
fn no_upgrade_is_offered_where_none_is_possible() {
    let changes: [fn(&mut config::Engine); 2] = [|c| c.upgrades = false, |c| c.websocket = false];
    for change in changes {
        let mut bench = Bench::with(change);
        bench
            .engine
            .opened(bench.now, conn(1), TransportName::Polling, Revision::V4);
        assert!(bench.said()[0].contains("\"upgrades\":[],"));
    }
}

/// What is asked, in words: method, transport, sid, revision and perhaps `upgrade`; `-` for what is missing.
fn admit(engine: &Engine, asked: &str) -> Result<Admission, Refusal> {
    let words: Vec<_> = asked.split(' ').collect();
    let value = |index: usize| Some(words[index].as_bytes()).filter(|word| *word != b"-");
    engine.admit(Asked {
        method: match words[0] {
            "GET" => Method::Get,
            "POST" => Method::Post,
            _ => Method::Other,
        },
        transport: value(1),
        sid: value(2),
        revision: value(3),
        base64: words.contains(&"b64"),
        upgrade: words.get(4) == Some(&"upgrade"),
    })
}

#[test]
fn each_refusal_is_given_in_the_official_order() {
    let mut bench = Bench::new();
    let id = bench.polling();
    let sid = bench.engine.session(id).unwrap().sid();
    let rows = [
        ("GET - - 4", Refusal::TransportUnknown),
        ("GET tobi - 4", Refusal::TransportUnknown),
        ("GET __proto__ SID 4 upgrade", Refusal::TransportUnknown),
        // The transport is looked at first, then the session, then the rest.
        ("POST x nobody -", Refusal::TransportUnknown),
        (
            "POST polling AAAAAAAAAAAAAAAAAAAA -",
            Refusal::SessionUnknown,
        ),
        ("GET polling __proto__ 4", Refusal::SessionUnknown),
        ("GET websocket x 4 upgrade", Refusal::SessionUnknown),
        ("GET polling SID 3", Refusal::BadRequest),
        ("GET polling SID -", Refusal::BadRequest),
        ("GET websocket SID 4", Refusal::BadRequest),
        ("GET polling SID 4 upgrade", Refusal::BadRequest),
        // Without a session the method comes before the revision.
        ("POST polling - 3", Refusal::BadHandshakeMethod),
        ("PUT polling - 4", Refusal::BadHandshakeMethod),
        ("GET websocket - 3", Refusal::BadRequest),
        ("GET polling - 4 upgrade", Refusal::BadRequest),
        ("GET polling - -", Refusal::UnsupportedProtocol),
        ("GET websocket - 5 upgrade", Refusal::UnsupportedProtocol),
    ];
    for (asked, refusal) in rows {
        let asked = asked.replace("SID", sid.as_str());
        assert_eq!(admit(&bench.engine, &asked), Err(refusal), "{asked}");
    }
    let rows = [
        (
            "GET polling - 4",
            Admission::Open(TransportName::Polling, Revision::V4),
        ),
        (
            "GET websocket - 4 upgrade",
            Admission::Open(TransportName::WebSocket, Revision::V4),
        ),
        ("GET polling SID 4", Admission::Poll(id)),
        ("POST polling SID 4", Admission::Post(id)),
        ("GET websocket SID 4 upgrade", Admission::Upgrade(id)),
        ("PUT polling SID 4", Admission::Unsupported),
    ];
    for (asked, admission) in rows {
        let asked = asked.replace("SID", sid.as_str());
        assert_eq!(admit(&bench.engine, &asked), Ok(admission), "{asked}");
    }
}

#[test]
fn a_transport_that_is_switched_off_is_unknown() {
    let unknown = Err(Refusal::TransportUnknown);
    let bench = Bench::with(|config| config.polling = false);
    assert_eq!(admit(&bench.engine, "GET polling - 4"), unknown);
    let bench = Bench::with(|config| config.websocket = false);
    assert_eq!(admit(&bench.engine, "GET websocket - 4 upgrade"), unknown);
}

#[test]
fn refusals_have_the_official_numbers_and_only_forbidden_is_a_403() {
    let all = [
        Refusal::TransportUnknown,
        Refusal::SessionUnknown,
        Refusal::BadHandshakeMethod,
        Refusal::BadRequest,
        Refusal::Forbidden,
        Refusal::UnsupportedProtocol,
    ];
    assert_eq!(all.map(Refusal::code), [0, 1, 2, 3, 4, 5]);
    assert_eq!(all.map(Refusal::status), [400, 400, 400, 400, 403, 400]);
}
