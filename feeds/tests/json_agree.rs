//! Three readers of the same texts: the scanner, the general parser behind it, and serde_json.

mod agree;

use feeds::stream::Parsed;
use proptest::prelude::*;

/// A number as venues write them, and as they had better not.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "(0|[1-9][0-9]{0,6})\\.[0-9]{0,5}0{1,3}",
        1 => "[0-9]{1,9}\\.[0-9]{1,9}",
        1 => "[0-9]{1,20}",
        1 => "-?[0-9]{0,3}\\.?[0-9]{0,3}(e-?[0-9])?",
    ]
}

fn levels() -> impl Strategy<Value = String> {
    let level = (number(), number(), any::<bool>()).prop_map(|(px, qty, more)| {
        format!("[\"{px}\",\"{qty}\"{}]", if more { ",\"0\",4" } else { "" })
    });
    prop::collection::vec(level, 0..6).prop_map(|levels| format!("[{}]", levels.join(",")))
}

fn text() -> impl Strategy<Value = String> {
    let symbol = prop_oneof![8 => Just("BTCUSDT"), 2 => Just("ETHUSDT"), 1 => Just("XRPUSDT")];
    let ids = (0_u64..1 << 40, 0_u64..99, prop::option::of(0_u64..1 << 40));
    let times = prop_oneof![1_723_161_255_208_u64..1_800_000_000_000, any::<u64>()];
    (0..5, symbol, ids, times, [number(), number()], [levels(), levels()], any::<[bool; 2]>())
        .prop_map(|(kind, s, (first, more, pu), ms, [px, qty], [b, a], [flag, wrapped])| {
            let last = first + more;
            let made = if flag { format!("\"T\":{ms},") } else { String::new() };
            let pu = pu.map_or(String::new(), |pu| format!("\"pu\":{pu},"));
            let data = match kind {
                0 | 1 => format!(
                    r#"{{"e":"depthUpdate","E":{ms},{made}"s":"{s}","U":{first},"u":{last},{pu}"b":{b},"a":{a}}}"#
                ),
                2 => format!(
                    r#"{{"e":"trade","E":{ms},{made}"s":"{s}","t":{first},"p":"{px}","q":"{qty}","X":"MARKET","m":{flag}}}"#
                ),
                3 => format!(
                    r#"{{"e":"aggTrade","E":{ms},"s":"{s}","a":{first},"p":"{px}","q":"{qty}","f":1,"l":2,"T":{ms},"m":{flag}}}"#
                ),
                _ => format!(
                    r#"{{"u":{last},"s":"{s}","b":"{px}","B":"{qty}","a":"{px}","A":"{qty}"}}"#
                ),
            };
            if wrapped { format!(r#"{{"stream":"btcusdt@x","data":{data}}}"#) } else { data }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Goal: all three read the same integers, or all refuse. Method: texts of every kind with good and bad numbers.
    #[test]
    fn whole_texts(text in text()) {
        agree::check(text.as_bytes(), &agree::symbols(), &mut Parsed::default());
    }

    /// Goal: the same of texts that are not what they were. Method: bytes changed, left out, doubled and put in, cuts.
    #[test]
    fn spoilt_texts(
        text in text(),
        spoils in prop::collection::vec((0..5, any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut text = text.into_bytes();
        for (how, place, byte) in spoils {
            if text.is_empty() {
                break;
            }
            let at = place.index(text.len());
            match how {
                0 => text[at] = byte,
                1 => drop(text.remove(at)),
                2 => text.insert(at, text[at]),
                3 => text.insert(at, b" \"\\{}[]:,.0123456789eE+-tfn"[usize::from(byte) % 26]),
                _ => text.truncate(at),
            }
        }
        agree::check(&text, &agree::symbols(), &mut Parsed::default());
    }
}

/// Goal: the scanner does read what venues send; else the tests above would compare a parser with itself. Method: one text of
/// each kind.
#[test]
fn usual_texts_are_scanned() {
    let levels = r#""b":[["61737.63000000","0.00000000"]],"a":[["6.1","2"]]"#;
    let diff = r#""e":"depthUpdate","E":1723161256299"#;
    let trade = r#""E":1723161255343,"s":"BTCUSDT""#;
    let size = r#""p":"61837.63000000","q":"0.02000000""#;
    for text in [
        format!(
            r#"{{"stream":"btcusdt@depth","data":{{{diff},"s":"BTCUSDT","U":1,"u":2,{levels}}}}}"#
        ),
        format!(r#"{{{diff},"T":1723161256298,"s":"BTCUSDT","U":6,"u":7,"pu":5,{levels}}}"#),
        format!(r#"{{"e":"trade",{trade},"t":37,{size},"T":1723161255342,"m":true,"M":true}}"#),
        format!(r#"{{"e":"aggTrade",{trade},"a":9,{size},"f":1,"l":2,"T":17231,"m":true}}"#),
        r#"{"e":"bookTicker","u":5,"s":"BTCUSDT","b":"1.2","B":"2","a":"1.3","A":"2","T":1,"E":2}"#
            .to_owned(),
    ] {
        let (said, scanned) =
            agree::ours(text.as_bytes(), &agree::symbols(), &mut Parsed::default());
        assert!(scanned && matches!(said, Ok(Some(_))), "{text}");
        agree::check(text.as_bytes(), &agree::symbols(), &mut Parsed::default());
    }
}
