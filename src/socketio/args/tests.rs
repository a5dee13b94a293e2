//! Both ways, against `serde_json` where that has an opinion.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Unit,
    Newtype(u8),
    Tuple(u8, Binary),
    Struct { a: String, b: Option<bool> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Tagged {
    Text { body: String },
    Count(Counted),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Counted {
    #[serde(default)]
    count: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pair(u8, f64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Name(String);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Nothing;

fn bytes(bytes: &'static [u8]) -> Binary {
    Binary(Bytes::from_static(bytes))
}

fn written<T: Serialize>(args: &T) -> (String, Vec<Bytes>) {
    let encoded = encode(args).unwrap();
    (
        String::from_utf8(encoded.list).unwrap(),
        encoded.attachments,
    )
}

fn parsed<'a, T: FromArgs<'a>>(list: &'a str) -> T {
    Args::new(list, &[]).parse().unwrap()
}

/// One value is written as `serde_json` writes it, and read back as itself.
fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
    let (list, attachments) = written(&(&value,));
    assert_eq!(list, serde_json::to_string(&value).unwrap());
    assert!(attachments.is_empty());
    assert_eq!(parsed::<(T,)>(&list), (value,), "{list}");
}

#[test]
fn whatever_is_plain_is_written_and_read_as_serde_json_does() {
    same(true);
    same(u8::MAX);
    same(i64::MIN);
    same(u64::MAX);
    same(i128::MIN);
    same(u128::MAX);
    same(1.5_f32);
    same(-0.1_f64);
    same(1e300_f64);
    same('\u{1f600}');
    same("a \"quoted\" \\ \u{1}\n\u{2028}".to_owned());
    same(Some(1));
    same(None::<u8>);
    same(());
    same(Nothing);
    same(Name("n".to_owned()));
    same(Pair(1, 2.5));
    same((1, "two".to_owned(), [3, 4]));
    same(vec![vec![1], vec![], vec![2, 3]]);
    same(Vec::<u8>::new());
    same(HashMap::from([("k\"".to_owned(), 1)]));
    same(BTreeMap::from([(1, 'a'), (-2, 'b')]));
    same(BTreeMap::from([(true, 'a')]));
    same(BTreeMap::from([('c', ())]));
    same(BTreeMap::from([(Some(1), 2)]));
    same(Shape::Unit);
    same(Shape::Newtype(7));
    same(Shape::Struct {
        a: "x".to_owned(),
        b: None,
    });
    same(Tagged::Text {
        body: "hi".to_owned(),
    });
    same(Tagged::Count(Counted { count: -1 }));
    same(json!({"a": [1, 2.5, null, {"b": "c"}], "": [], "{}": {}}));
}

#[test]
fn a_tuple_is_the_list_of_arguments_and_anything_else_is_one() {
    let rows = [
        (written(&()), ""),
        (written(&((),)), "null"),
        (written(&(1, "a")), "1,\"a\""),
        (written(&&(1,)), "1"),
        (written(&[1, 2]), "1,2"),
        (written(&"a"), "\"a\""),
        (written(&vec![1, 2]), "[1,2]"),
        (written(&Some((1, 2))), "[1,2]"),
        (written(&None::<u8>), "null"),
        (written(&((1, 2),)), "[1,2]"),
        (written(&Pair(1, 2.0)), "[1,2.0]"),
        (written(&Counted { count: 1 }), "{\"count\":1}"),
        (written(&Nothing), "null"),
        (written(&f64::NAN), "null"),
    ];
    for ((list, _), expected) in rows {
        assert_eq!(list, expected);
    }
}

#[test]
fn bytes_at_any_depth_become_attachments_in_order_of_appearance() {
    let nested = BTreeMap::from([
        ("a", vec![Some(bytes(b"1")), None]),
        ("b", vec![Some(bytes(b"2"))]),
    ]);
    let (list, attachments) = written(&(bytes(b"0"), nested, Shape::Tuple(3, bytes(b"3"))));
    let expected = concat!(
        r#"{"_placeholder":true,"num":0},"#,
        r#"{"a":[{"_placeholder":true,"num":1},null],"b":[{"_placeholder":true,"num":2}]},"#,
        r#"{"Tuple":[3,{"_placeholder":true,"num":3}]}"#,
    );
    assert_eq!(list, expected);
    assert_eq!(attachments, [&b"0"[..], b"1", b"2", b"3"]);
    type Nested = BTreeMap<String, Vec<Option<Binary>>>;
    let (first, nested, last): (Binary, Nested, Shape) =
        Args::new(&list, &attachments).parse().unwrap();
    assert_eq!((first, last), (bytes(b"0"), Shape::Tuple(3, bytes(b"3"))));
    assert_eq!(nested["a"], [Some(bytes(b"1")), None]);
}

#[test]
fn placeholders_are_read_however_they_are_spelled() {
    let attachments = [Bytes::from_static(b"x"), Bytes::from_static(b"y")];
    let list =
        r#" { "num" : 1.0 , "_placeholder" : true } ,{"_placeh\u006flder":true,"z":[{}],"num":0}"#;
    let (y, x): (Binary, Binary) = Args::new(list, &attachments).parse().unwrap();
    assert_eq!((x, y), (bytes(b"x"), bytes(b"y")));
    let (borrowed,): (&[u8],) = Args::new(list, &attachments).parse().unwrap();
    assert_eq!(borrowed, b"y");
    let (as_map, _): (Value, Value) = Args::new(list, &attachments).parse().unwrap();
    assert_eq!(as_map, json!({"_placeholder": true, "num": 1.0}));
    for list in [
        r#"{"_placeholder":true,"num":2}"#,
        "{}",
        "\"x\"",
        "null",
        "[1]",
        "1",
    ] {
        assert!(
            Args::new(list, &attachments).parse::<(Binary,)>().is_err(),
            "{list}"
        );
    }
}

#[test]
fn arguments_nobody_looks_at_pass_through_untouched() {
    let attachments = [Bytes::from_static(b"x"), Bytes::from_static(b"y")];
    let list = r#""\ud800", 1e999,{"_placeholder":true,"num":0} , {"num":1,"_placeholder":true}"#;
    let args = Args::new(list, &attachments);
    assert_eq!(written(&args), (list.to_owned(), attachments.to_vec()));
    assert_eq!(
        (args.len(), args.iter().nth(1), args.is_empty()),
        (4, Some("1e999"), false)
    );
    assert_eq!(Args::default().len(), 0);
    assert!(args.parse::<Args<'_>>().is_ok_and(|same| same == args));
    let (raw, rest): (&RawValue, Box<RawValue>) = args.parse().unwrap();
    assert_eq!((raw.get(), rest.get()), ("\"\\ud800\"", "1e999"));
    assert_eq!(written(&(raw, vec![&rest])).0, "\"\\ud800\",[1e999]");
    assert_eq!(written(&raw).0, raw.get());
}

#[test]
fn raw_arguments_inside_others_are_an_error_and_leave_nothing_behind() {
    let mut encoded = encode(&(bytes(b"old"),)).unwrap();
    let broken = encode_into(&(bytes(b"x"), Args::new("1", &[])), &mut encoded);
    assert!(
        broken
            .unwrap_err()
            .to_string()
            .contains("must be the whole")
    );
    assert_eq!(encoded, Encoded::default());
    assert!(encode(&(HashMap::from([(vec![1], 1)]),)).is_err());
    assert!(encode(&(BTreeMap::from([(bytes(b"k"), 1)]),)).is_err());
}

#[test]
fn missing_and_surplus_arguments_are_taken_as_javascript_callers_expect() {
    assert_eq!(parsed::<(u8, Option<u8>, Option<u8>)>("1"), (1, None, None));
    assert_eq!(parsed::<(Option<u8>, u8)>(" null , 2 "), (None, 2));
    assert_eq!(parsed::<(u8,)>("1,\"more\",[{}]"), (1,));
    parsed::<()>("1");
    parsed::<()>("");
    assert_eq!(
        parsed::<(u8, u8, u8, u8, u8, u8, u8, u8)>("1,2,3,4,5,6,7,8"),
        (1, 2, 3, 4, 5, 6, 7, 8)
    );
    let broken = Args::new("1", &[]).parse::<(u8, String)>().unwrap_err();
    assert_eq!(broken.to_string(), "argument 1 is missing");
    let broken = Args::new("1,2", &[]).parse::<(u8, String)>().unwrap_err();
    assert!(
        broken
            .to_string()
            .starts_with("argument 1 does not fit: invalid type"),
        "{broken}"
    );
}

#[test]
fn what_does_not_fit_is_an_error() {
    fn unfit<'a, T: Deserialize<'a>>(list: &'a str) {
        let outcome = Args::new(list, &[]).parse::<(T,)>();
        assert!(matches!(outcome, Err(ArgsError::Unfit(0, _))), "{list}");
    }
    unfit::<u8>("256");
    unfit::<u8>("\"1\"");
    unfit::<u8>("1.5");
    unfit::<bool>("1");
    unfit::<f64>("1e999");
    unfit::<String>("null");
    unfit::<&str>("\"\\n\"");
    unfit::<(u8, u8)>("[1]");
    unfit::<(u8, u8)>("[1,2,3]");
    unfit::<Vec<u8>>("{}");
    unfit::<Counted>("[[1]]");
    unfit::<HashMap<u8, u8>>("{\"a\":1}");
    unfit::<Shape>("\"Newtype\"");
    unfit::<Shape>("{\"Nowhere\":1}");
    unfit::<Shape>("{}");
    unfit::<Shape>("{\"Newtype\":1,\"Unit\":null}");
    unfit::<Shape>("1");
    unfit::<Tagged>("{\"kind\":\"other\"}");
}

#[test]
fn half_a_surrogate_pair_is_read_as_a_replacement_character() {
    let (text, borrowed): (String, Cow<'_, str>) = parsed("\"a\\ud83d\",\"\\ud83d\\ude00\"");
    assert_eq!((text.as_str(), &*borrowed), ("a\u{fffd}", "\u{1f600}"));
    assert_eq!(parsed::<(&str,)>("\"plain\""), ("plain",));
    assert_eq!(
        parsed::<(HashMap<String, u8>,)>("{\"\\ud83d\":1}").0["\u{fffd}"],
        1
    );
}

#[test]
fn unknown_fields_are_stepped_over_whatever_they_hold() {
    let list = r#"{"x":{"count":[1,"]}"]},"y":"\"","count":5,"z":1e999},7"#;
    assert_eq!(parsed::<(Counted, u8)>(list), (Counted { count: 5 }, 7));
    assert_eq!(parsed::<(Counted,)>("{ }"), (Counted { count: 0 },));
}

#[test]
fn a_tree_deeper_than_the_stack_can_bear_is_refused() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(Args::new(&nested(128), &[]).parse::<(Value,)>().is_ok());
    assert!(Args::new(&nested(129), &[]).parse::<(Value,)>().is_err());
    assert!(
        Args::new(&nested(100_000), &[])
            .parse::<(Value,)>()
            .is_err()
    );
}

#[test]
fn unsound_text_neither_hangs_nor_panics() {
    for list in [
        "{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "[", "[1", "[,", ",", "]", "\"", "{1:2}", "\u{e4}",
    ] {
        let args = Args::new(list, &[]);
        let _ = args.parse::<(Value, Value)>();
        let _ = args.parse::<(Binary,)>();
        let _ = args.parse::<(Shape,)>();
        let _ = args.parse::<(HashMap<u8, u8>,)>();
        let _ = args.len();
    }
}

#[test]
fn arguments_are_passed_on_from_any_of_them() {
    let attachments = [Bytes::from_static(b"0"), Bytes::from_static(b"1")];
    let list = r#"1 , "a,b" ,{"_placeholder":true,"num":1}"#;
    let args = Args::new(list, &attachments);
    assert_eq!(args.skip(0).raw(), list);
    assert_eq!(args.skip(1).parse::<(String,)>().unwrap().0, "a,b");
    let (binary,) = args.skip(2).parse::<(Binary,)>().unwrap();
    assert_eq!(binary.0, "1");
    assert_eq!(encode(&args.skip(2)).unwrap().attachments, ["1"]);
    assert!(args.skip(3).is_empty() && args.skip(9).is_empty());
}

#[test]
fn passed_on_attachments_stand_in_the_order_of_their_placeholders() {
    let place = |index| format!(r#"{{"_placeholder":true,"num":{index}}}"#);
    let attachments = [Bytes::from_static(b"0"), Bytes::from_static(b"1")];
    let rows = [
        (vec![0, 1], vec![0, 1]),
        (vec![1, 0], vec![1, 0]),
        (vec![1], vec![1]),
        (vec![0, 0, 1], vec![0, 0, 1]),
        (vec![], vec![]),
    ];
    for (named, sent) in rows {
        let list = |indices: &[usize]| {
            indices
                .iter()
                .map(|&index| place(index))
                .collect::<Vec<_>>()
                .join(",")
        };
        let text = list(&named);
        let encoded = encode(&Args::new(&text, &attachments)).unwrap();
        let in_order: Vec<_> = (0..sent.len()).collect();
        assert_eq!(encoded.list, list(&in_order).as_bytes(), "{named:?}");
        let expected: Vec<_> = sent
            .iter()
            .map(|&index: &usize| attachments[index].clone())
            .collect();
        assert_eq!(encoded.attachments, expected, "{named:?}");
    }
}
