use super::*;

fn read(text: &str) -> Result<Request, serde_json::Error> {
    serde_json::from_str(text)
}

/// Goal: what the tool writes the engine reads. Method: one request of each kind, each kind of scope.
#[test]
fn requests_read_back() {
    let scopes = [
        Scope::All,
        Scope::Account("a".into()),
        Scope::Symbol("S".into()),
        Scope::Strategy(255),
        Scope::Client(0),
    ];
    for scope in scopes {
        let (level, operator, reason) = (HaltLevel::CancelOnly, "ann".into(), "r".into());
        let halt = Request::Halt { scope: scope.clone(), level, operator, reason };
        let text = serde_json::to_string(&halt).unwrap();
        let Request::Halt { scope: read, level: HaltLevel::CancelOnly, .. } = read(&text).unwrap()
        else {
            panic!("{text}")
        };
        assert_eq!(read, scope);
    }
    assert!(matches!(read(r#"{"op":"status"}"#), Ok(Request::Status {})));
    let approval = Approval {
        number: 7,
        account: "a".into(),
        symbol: "S".into(),
        side: "buy".into(),
        order_type: "limit".into(),
        tif: "day".into(),
        conditions: vec!["display=10".into(), "reduce_only".into()],
        qty: "60".into(),
        px: "9.5".into(),
        replaces: Some(3),
        beyond: vec!["soft_clip_max".into()],
        since_ns: 1,
        until_ns: None,
    };
    let said = "7: a buy 60 S at 9.5 (limit, day, display=10, reduce_only) in place of order 3, beyond soft_clip_max";
    assert_eq!(approval.to_string(), said);
    let passphrase = Passphrase::new("p".into());
    let (operator, reason) = ("ann".into(), "r".into());
    let asks = Approve { approval: approval.clone(), seconds: 9, operator, reason, passphrase };
    let text = serde_json::to_string(&Request::Approve(Box::new(asks))).unwrap();
    assert!(matches!(read(&text), Ok(Request::Approve(asks)) if asks.approval == approval));
    assert!(matches!(read(r#"{"op":"approvals"}"#), Ok(Request::Approvals {})));
    let text = serde_json::to_string(&Answer::Approvals { list: vec![approval] }).unwrap();
    assert!(serde_json::from_str::<Answer>(&text).is_ok(), "{text}");
    let Ok(Request::Reload(reload)) = read(r#"{"op":"reload","text":"a\nb","base":7}"#) else {
        panic!()
    };
    assert_eq!((reload.text.as_str(), reload.base, reload.dry_run), ("a\nb", Some(7), false));
    assert!(reload.passphrase.is_none());
}

/// Goal: what is not exactly a request is none. Method: unknown words, fields, numbers, and things left out.
#[test]
fn other_texts_are_refused() {
    for text in [
        "",
        "null",
        "[]",
        r#"{"op":"stop"}"#,
        r#"{"op":"status","more":1}"#,
        r#"{"op":"halt","scope":{"kind":"all"},"level":"off","reason":""}"#,
        r#"{"op":"halt","scope":{"kind":"planet","name":"x"},"level":"halted","reason":""}"#,
        r#"{"op":"halt","scope":{"kind":"strategy","name":256},"level":"halted","reason":""}"#,
        r#"{"op":"halt","scope":{"kind":"account"},"level":"halted","reason":""}"#,
        r#"{"op":"halt","scope":{"kind":"all"},"level":"halted"}"#,
        r#"{"op":"resume","scope":{"kind":"all"},"level":"active","operator":"a","reason":""}"#,
        r#"{"op":"reload"}"#,
        r#"{"op":"reload","text":"","force":true}"#,
        r#"{"op":"reload","text":"","base":-1}"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

/// Goal: no reason breaks a line of the log or fills it. Method: control characters, length.
#[test]
fn reasons_are_one_line() {
    assert_eq!(clean_reason(" a\nb\u{1b}[2J "), "a?b?[2J");
    assert_eq!(clean_reason(&"ä".repeat(999)).chars().count(), REASON_MAX);
}
