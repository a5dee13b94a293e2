//! Both directions of each kind, and one row for each refusal.

use super::Kind::*;
use super::*;

fn read(text: &str) -> Result<Packet<'_>, Violation> {
    decode(text, &config::SocketIo::default())
}

#[test]
fn packets_are_read_and_written_the_same() {
    let rows: &[(&str, Packet<'_>)] = &[
        ("0", Packet::new(Connect, 0, "/", None, None)),
        ("0{}", Packet::new(Connect, 0, "/", None, Some("{}"))),
        (
            "0/woot,{\"token\":\"123\"}",
            Packet::new(Connect, 0, "/woot", None, Some("{\"token\":\"123\"}")),
        ),
        (
            "0/custom?a=b,",
            Packet::new(Connect, 0, "/custom?a=b", None, None),
        ),
        ("1", Packet::new(Disconnect, 0, "/", None, None)),
        ("1/woot,", Packet::new(Disconnect, 0, "/woot", None, None)),
        ("2", Packet::new(Event, 0, "/", None, None)),
        (
            "2[\"a\",1,{}]",
            Packet::new(Event, 0, "/", None, Some("[\"a\",1,{}]")),
        ),
        (
            "2[1,\"a\",{}]",
            Packet::new(Event, 0, "/", None, Some("[1,\"a\",{}]")),
        ),
        (
            "2/test,1[\"a\",1,{}]",
            Packet::new(Event, 0, "/test", Some(1), Some("[\"a\",1,{}]")),
        ),
        (
            "29007199254740991[\"a\"]",
            Packet::new(Event, 0, "/", Some(ID_MAX), Some("[\"a\"]")),
        ),
        (
            "2[\"\\ud800\",1e999]",
            Packet::new(Event, 0, "/", None, Some("[\"\\ud800\",1e999]")),
        ),
        (
            "2[\"__proto__\"]",
            Packet::new(Event, 0, "/", None, Some("[\"__proto__\"]")),
        ),
        (
            "2[\"error\"]",
            Packet::new(Event, 0, "/", None, Some("[\"error\"]")),
        ),
        (
            "3123[\"a\",1,{}]",
            Packet::new(Ack, 0, "/", Some(123), Some("[\"a\",1,{}]")),
        ),
        ("3[]", Packet::new(Ack, 0, "/", None, Some("[]"))),
        (
            "4\"Unauthorized\"",
            Packet::new(ConnectError, 0, "/", None, Some("\"Unauthorized\"")),
        ),
        (
            "4{\"message\":\"No\"}",
            Packet::new(ConnectError, 0, "/", None, Some("{\"message\":\"No\"}")),
        ),
        ("51-", Packet::new(BinaryEvent, 1, "/", None, None)),
        (
            "510-/cool,23[\"a\"]",
            Packet::new(BinaryEvent, 10, "/cool", Some(23), Some("[\"a\"]")),
        ),
        (
            "61-/back,127[{}]",
            Packet::new(BinaryAck, 1, "/back", Some(127), Some("[{}]")),
        ),
    ];
    for &(text, packet) in rows {
        assert_eq!(read(text), Ok(packet), "{text}");
        let mut out = Vec::new();
        packet.write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
}

#[test]
fn spellings_of_the_same_packet_read_the_same() {
    let rows = [
        ("0/custom", "0/custom,"),
        ("1/", "1"),
        ("2007[\"a\"]", "27[\"a\"]"),
        ("501-[\"a\"]", "51-[\"a\"]"),
    ];
    for (odd, usual) in rows {
        assert_eq!(read(odd), read(usual), "{odd}");
    }
}

#[test]
fn every_broken_rule_is_refused_in_the_official_words() {
    let deep = format!("2[\"a\",{}{}]", "[".repeat(128), "]".repeat(128));
    let id_of_400_digits = format!("2{}[\"a\"]", "9".repeat(400));
    let count_of_1000_digits = format!("5{}-[\"a\"]", "1".repeat(1000));
    let namespace = format!("2/{},[\"a\"]", "n".repeat(256));
    let rows: &[(&str, &str)] = &[
        ("999", "unknown packet type 9"),
        ("7", "unknown packet type 7"),
        ("", "unknown packet type NaN"),
        ("x", "unknown packet type NaN"),
        ("\u{e4}", "unknown packet type NaN"),
        ("5", "Illegal attachments"),
        ("51", "Illegal attachments"),
        ("5-[\"a\"]", "Illegal attachments"),
        ("5a-", "Illegal attachments"),
        ("51.23-", "Illegal attachments"),
        ("5-1-", "Illegal attachments"),
        ("51e0-", "Illegal attachments"),
        ("50x1-", "Illegal attachments"),
        ("5 1-", "Illegal attachments"),
        ("50-[\"a\"]", "Illegal attachments"),
        ("600-[]", "Illegal attachments"),
        ("5woooot", "Illegal attachments"),
        ("511-[\"a\"]", "too many attachments"),
        (&count_of_1000_digits, "too many attachments"),
        (&namespace, "namespace too long"),
        ("29007199254740992[\"a\"]", "illegal ack id"),
        (&id_of_400_digits, "illegal ack id"),
        ("442[\"some\",\"data\"", "invalid payload"),
        ("44[\"handle me please\"]", "invalid payload"),
        ("0/admin,\"invalid\"", "invalid payload"),
        ("0[]", "invalid payload"),
        ("0null", "invalid payload"),
        ("1/admin,{}", "invalid payload"),
        ("1null", "invalid payload"),
        ("2/admin,\"invalid", "invalid payload"),
        ("2/admin,{}", "invalid payload"),
        ("2[]", "invalid payload"),
        ("2[{\"toString\":\"foo\"}]", "invalid payload"),
        ("2[true,\"foo\"]", "invalid payload"),
        ("2[null,\"bar\"]", "invalid payload"),
        ("2[[\"a\"]]", "invalid payload"),
        ("2[\"connect\"]", "invalid payload"),
        ("2[\"connect_error\"]", "invalid payload"),
        ("2[\"disconnect\",\"123\"]", "invalid payload"),
        ("2[\"disconnecting\"]", "invalid payload"),
        ("2[\"newListener\"]", "invalid payload"),
        ("51-[\"removeListener\"]", "invalid payload"),
        ("2[\"\\u0063onnect\"]", "invalid payload"),
        ("2[\"a\"] x", "invalid payload"),
        ("2-1[\"a\"]", "invalid payload"),
        ("21.5[\"a\"]", "invalid payload"),
        ("2[\"a\",]", "invalid payload"),
        ("2[\"a\n\"]", "invalid payload"),
        (&deep, "invalid payload"),
        ("31{}", "invalid payload"),
        ("61-{}", "invalid payload"),
    ];
    for (text, words) in rows {
        assert_eq!(
            read(text).map_err(|broken| broken.to_string()),
            Err((*words).to_owned()),
            "{text}"
        );
    }
}

#[test]
fn the_limits_are_reached_exactly() {
    let limits = config::SocketIo::default();
    let namespace = format!("0/{},", "n".repeat(limits.namespace_bytes_max - 1));
    assert!(read(&namespace).is_ok());
    let longer = "n".repeat(limits.namespace_bytes_max);
    assert!(
        read(&format!("0/{longer},")).is_ok(),
        "to be refused by name"
    );
    assert_eq!(
        read(&format!("2/{longer},[\"a\"]")),
        Err(Violation::NamespaceTooLong)
    );
    let levels = limits.json_depth_max - 1;
    let deep = format!("2[\"a\",{}{}]", "[".repeat(levels), "]".repeat(levels));
    assert!(read(&deep).is_ok());
    assert!(read(&format!("5{}-[\"a\"]", limits.attachments_max)).is_ok());
}

#[test]
fn an_event_is_parted_into_name_and_arguments() {
    let rows = [
        ("2[\"a\"]", "a", ""),
        ("2 [ \"a b\" , 1 , {} ] ", "a b", "1 , {}"),
        ("2[\"\\u00e4\\n\",\"]\"]", "\u{e4}\n", "\"]\""),
        (
            "51-[-1.5e3,{\"_placeholder\":true,\"num\":0}]",
            "-1.5e3",
            "{\"_placeholder\":true,\"num\":0}",
        ),
    ];
    for (text, name, args) in rows {
        let event = read(text).unwrap().event().unwrap();
        assert_eq!((event.name.as_str(), event.args), (name, args), "{text}");
    }
    assert_eq!(read("2").unwrap().event(), None);
    assert_eq!(read("31[1]").unwrap().event(), None);
    assert_eq!(read("31[ 1,2 ]").unwrap().answers(), Some("1,2"));
    assert_eq!(read("31").unwrap().answers(), Some(""));
    assert_eq!(read("2[\"a\",1]").unwrap().answers(), None);
}

#[test]
fn a_number_and_its_digits_are_different_names() {
    let name = |text: &'static str| read(text).unwrap().event().unwrap().name;
    assert_eq!(name("2[1]"), EventName::Number("1"));
    assert_eq!(name("2[\"1\"]"), EventName::from("1"));
}

#[test]
fn each_kind_is_written_as_the_official_encoder_does() {
    let written = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = b"4".to_vec();
        write(&mut out);
        String::from_utf8(out).unwrap()
    };
    let one = EventName::Number("1");
    let a = EventName::from("a\"");
    let rows = [
        (
            written(&|out| write_event(out, "/", None, 0, &one, b"")),
            "42[1]",
        ),
        (
            written(&|out| write_event(out, "/n", Some(7), 0, &a, b"1,2")),
            "42/n,7[\"a\\\"\",1,2]",
        ),
        (
            written(&|out| write_event(out, "/n", None, 2, &one, b"3")),
            "452-/n,[1,3]",
        ),
        (written(&|out| write_ack(out, "/", 0, 0, b"")), "430[]"),
        (
            written(&|out| write_ack(out, "/back", 127, 1, b"{}")),
            "461-/back,127[{}]",
        ),
        (
            written(&|out| write_connect(out, "/", "{\"sid\":1}")),
            "40{\"sid\":1}",
        ),
        (
            written(&|out| write_connect_error(out, "/x", "No\n", None)),
            "44/x,{\"message\":\"No\\n\"}",
        ),
        (
            written(&|out| write_connect_error(out, "/", "No", Some("[1]"))),
            "44{\"message\":\"No\",\"data\":[1]}",
        ),
        (written(&|out| write_disconnect(out, "/x")), "41/x,"),
        (written(&|out| write_disconnect(out, "/")), "41"),
    ];
    for (text, expected) in rows {
        assert_eq!(text, expected);
    }
}
