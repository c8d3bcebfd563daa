use proptest::prelude::*;

use super::*;

/// Goal: decimal text is exact or refused. Method: one of each shape.
#[test]
fn decimals() {
    for (text, decimals, value) in [
        ("0", 8, Some(0)),
        ("0.00000000", 2, Some(0)),
        ("61234.50000000", 2, Some(6_123_450)),
        ("61234.50100000", 2, None),
        ("00.5", 1, Some(5)),
        ("9223372036854775807", 0, Some(i64::MAX)),
        ("9223372036854775808", 0, None),
        ("92233720368547758.07", 2, Some(i64::MAX)),
        ("0.000000000000000001", 18, Some(1)),
        ("1", 19, None),
        ("0", 19, Some(0)),
    ] {
        assert_eq!(decimal(text.as_bytes(), decimals), value, "{text} at {decimals}");
    }
    for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1 ", " 1", "1.2.3", "0x1", "NaN", "1,0"] {
        assert_eq!(decimal(text.as_bytes(), 2), None, "{text:?}");
    }
}

/// Goal: the scanner stops where the text is not what it must be, and says where. Method: one of each step.
#[test]
fn scanner_says_where() {
    let mut cursor = Cursor::new(br#"{"a":12,"b":"x","c":1.50}"#);
    cursor.expect(br#"{"a":"#).unwrap();
    assert_eq!(cursor.uint(), Ok(12));
    assert!(cursor.take(br#","b":"#) && !cursor.take(b"y"));
    assert_eq!(cursor.string(), Ok(&b"x"[..]));
    cursor.expect(br#","c":"#).unwrap();
    assert_eq!(cursor.decimal(3), Ok(1_500));
    assert_eq!(cursor.end(), Err(JsonError { at: 24, cause: JsonCause::Shape }));
    cursor.expect(b"}").unwrap();
    assert_eq!(cursor.end(), Ok(()));
    for (text, at) in [("\"a", 1), ("\"a\\n\"", 1), ("\"a\u{1}\"", 1), ("a\"", 0)] {
        let error = Cursor::new(text.as_bytes()).string();
        assert_eq!(error, Err(JsonError { at, cause: JsonCause::Shape }), "{text:?}");
    }
    for text in ["01", "1.5", "18446744073709551616"] {
        let error = Cursor::new(text.as_bytes()).uint();
        assert_eq!(error, Err(JsonError { at: 0, cause: JsonCause::Number }), "{text}");
    }
    for text in ["-1", "1e5", "1-"] {
        assert!(Cursor::new(text.as_bytes()).decimal(2).is_err(), "{text}");
    }
}

proptest! {
    /// Goal: decimal text is read as the vocabulary reads it. Method: any text of digits and points.
    #[test]
    fn decimals_agree(text in "[0-9]{0,12}\\.?[0-9]{0,12}", decimals in 0_u8..12) {
        let model = model::parse_decimal(&text, decimals.into()).ok();
        prop_assert_eq!(decimal(text.as_bytes(), decimals), model);
    }

    /// Goal: scanner and tree read the same levels, or both refuse. Method: levels as venues write them, and spoilt ones.
    #[test]
    fn levels_agree(
        levels in prop::collection::vec(("[0-9]{1,6}(\\.[0-9]{1,8})?", "[0-9]{1,6}(\\.[0-9]{1,8})?"), 0..20),
        spoil in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let list: Vec<_> = levels.iter().map(|(px, qty)| format!("[\"{px}\",\"{qty}\"]")).collect();
        let mut text = format!("{{\"b\":[{}]}}", list.join(",")).into_bytes();
        if let Some((place, byte)) = spoil {
            let at = place.index(text.len());
            text[at] = byte;
        }
        let mut scanned = Levels::new();
        let mut cursor = Cursor::new(&text);
        let scan = cursor
            .expect(b"{\"b\":")
            .and_then(|()| cursor.levels([8, 8], &mut scanned))
            .and_then(|()| cursor.expect(b"}"))
            .and_then(|()| cursor.end());
        let mut read = Levels::new();
        let mut scratch = Scratch::default();
        let tree = scratch.read(&text).and_then(|v| tree::levels(&v, "b", [8, 8], &mut read));
        if scan.is_ok() {
            prop_assert_eq!(tree, Ok(()), "{}", String::from_utf8_lossy(&text));
            prop_assert_eq!(scanned, read);
        } else if spoil.is_none() {
            prop_assert!(tree.is_err());
        }
    }
}

/// Goal: nesting without end is refused, and costs no stack. Method: brackets by the million, closed and not.
#[test]
fn deep_nesting() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [2_000, 1_000_000] {
            let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let mut scratch = Scratch::default();
            assert!(scratch.read(text.as_bytes()).is_err());
            let mut scratch = Scratch::default();
            assert!(scratch.read(open.repeat(depth).as_bytes()).is_err());
        }
    }
}

/// Goal: a long text does not take memory many times its length. Method: one byte over the bound.
#[test]
fn long_trees() {
    let mut text = vec![b' '; tree::TREE_MAX];
    text[0] = b'1';
    assert!(Scratch::default().read(&text).is_ok());
    text.push(b' ');
    let error = Scratch::default().read(&text).unwrap_err();
    assert_eq!(error, JsonError::whole(JsonCause::TooLong));
}
