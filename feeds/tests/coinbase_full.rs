//! Coinbase's orders: three readers of the same texts (the scanner, the general parser behind it, and serde_json), and a book
//! played through the vectors of the message tables.

mod agree;

use agree::coinbase_full::Readers;
use proptest::prelude::*;

/// A number as the venue writes them, and as it had better not.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "(0|[1-9][0-9]{0,6})\\.[0-9]{0,2}0{1,6}".prop_map(|number| format!("\"{number}\"")),
        1 => "\"[0-9]{1,9}\\.[0-9]{1,9}\"",
        1 => "[0-9]{1,20}",
        1 => "\"-?[0-9]{0,3}\\.?[0-9]{0,3}(e-?[0-9])?\"",
        1 => Just("null".to_owned()),
    ]
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-fA-F]{12}",
        1 => "[0-9a-g-]{35,37}",
    ]
}

/// A message with its keys in any order, some of them missing.
fn text() -> impl Strategy<Value = String> {
    let kind = prop_oneof![
        2 => Just("received"), 3 => Just("open"), 3 => Just("match"), 3 => Just("change"),
        3 => Just("done"), 1 => Just("heartbeat"), 1 => Just("activate"),
    ];
    let product = prop_oneof![8 => Just("BTC-USD"), 2 => Just("ETH-EUR"), 1 => Just("X-Y")];
    let side = prop_oneof![5 => Just("\"buy\""), 5 => Just("\"sell\""), 1 => Just("\"up\""), 1 => Just("null")];
    let sequence = prop_oneof![(1_u64..1 << 40).prop_map(|n| n.to_string()), number()];
    let time = prop_oneof![
        9 => Just("\"2014-11-07T08:19:27.028459Z\""), 1 => Just("\"2014-11-07\""), 1 => Just("7")
    ];
    let numbers = [number(), number(), number(), number(), number()];
    (
        kind,
        product,
        side,
        sequence,
        time,
        [id(), id()],
        numbers,
        0_u64..99,
        any::<u64>(),
        any::<u32>(),
    )
        .prop_map(
            |(
                kind,
                product,
                side,
                sequence,
                time,
                [order, maker],
                numbers,
                trade,
                shuffle,
                missing,
            )| {
                let [price, size, remaining, new_price, new_size] = numbers;
                let mut members = vec![
                    format!("\"type\":\"{kind}\""),
                    format!("\"product_id\":\"{product}\""),
                    format!("\"sequence\":{sequence}"),
                    format!("\"time\":{time}"),
                    format!("\"side\":{side}"),
                    format!("\"order_id\":\"{order}\""),
                    format!("\"maker_order_id\":\"{maker}\""),
                    format!("\"trade_id\":{trade}"),
                    format!("\"price\":{price}"),
                    format!("\"size\":{size}"),
                    format!("\"remaining_size\":{remaining}"),
                    format!("\"new_price\":{new_price}"),
                    format!("\"new_size\":{new_size}"),
                    "\"reason\":\"STP\"".to_owned(),
                ];
                if missing % 4 == 0 {
                    members.remove((missing / 4) as usize % members.len());
                }
                if missing % 3 == 0 {
                    members.retain(|member| !member.starts_with("\"new_price"));
                }
                let mut bits = shuffle;
                for at in (1..members.len()).rev() {
                    members.swap(at, (bits % (at as u64 + 1)) as usize);
                    bits /= 14;
                }
                format!("{{{}}}", members.join(","))
            },
        )
}

fn body() -> impl Strategy<Value = String> {
    let side = || {
        let order =
            (number(), number(), id()).prop_map(|(px, qty, id)| format!("[{px},{qty},\"{id}\"]"));
        prop::collection::vec(order, 0..4).prop_map(|orders| format!("[{}]", orders.join(",")))
    };
    (side(), side(), any::<u64>(), any::<[bool; 3]>()).prop_map(|(bids, asks, n, flags)| {
        let [swapped, timed, odd] = flags;
        let (first, second) = if swapped { ("asks", "bids") } else { ("bids", "asks") };
        let time = if timed { ",\"time\":\"2014-11-07T08:19:27.028459Z\"" } else { "" };
        let auction = if odd { "{\"open_price\":\"1\"}" } else { "null" };
        let more = format!("\"sequence\":{n},\"auction\":{auction}{time}");
        format!("{{\"{first}\":{bids},\"{second}\":{asks},{more}}}")
    })
}

/// The same text with some bytes changed, left out, doubled and put in, and cut.
fn spoilt(text: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    let spoils = prop::collection::vec((0..5, any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (text, spoils).prop_map(|(text, spoils)| {
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
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    /// Goal: all three readers read the same of every text, or all refuse it. Method: texts of every kind, whole and spoilt.
    #[test]
    fn texts(text in spoilt(text())) {
        Readers::default().check(&text);
    }

    /// Goal: the same of whole books. Method: the same.
    #[test]
    fn bodies(body in spoilt(body())) {
        Readers::default().check_body(&body);
    }
}

const ONE: &str = "d50ec984-77a8-460a-b958-66f114b0de9b";
const TWO: &str = "ac928c66-ca53-498f-9c13-a110027a60e8";

/// Goal: the scanner does read what the venue sends; else the tests above would compare a parser with itself. Method: one text of
/// each kind, as the message tables have them.
#[test]
fn usual_texts_are_scanned() {
    let common =
        "\"product_id\":\"BTC-USD\",\"sequence\":50,\"time\":\"2014-11-07T08:19:27.028459Z\"";
    let order = format!("\"order_id\":\"{ONE}\",\"side\":\"sell\"");
    let parties = format!("\"maker_order_id\":\"{ONE}\",\"taker_order_id\":\"{TWO}\"");
    let limit = format!("\"order_type\":\"limit\",\"client_oid\":\"{TWO}\"");
    for rest in [
        format!("\"type\":\"received\",{order},\"size\":\"1.34\",\"price\":\"502.1\",{limit}"),
        format!("\"type\":\"received\",{order},\"funds\":\"3000.2\",\"order_type\":\"market\""),
        format!("{order},\"price\":\"200.2\",\"remaining_size\":\"1.00\",\"type\":\"open\""),
        format!("\"type\":\"done\",{order},\"reason\":\"filled\",\"remaining_size\":\"0\""),
        format!(
            "\"type\":\"match\",\"trade_id\":10,{parties},\"size\":\"5.23512\",\
             \"price\":\"400.23\",\"side\":\"sell\""
        ),
        format!(
            "\"type\":\"change\",\"reason\":\"STP\",{order},\"old_size\":\"12.2\",\
             \"new_size\":\"5.2\",\"price\":\"400.23\""
        ),
        format!(
            "\"type\":\"change\",\"reason\":\"modify_order\",{order},\"old_size\":\"12.2\",\
             \"new_size\":\"5.2\",\"old_price\":\"400\",\"new_price\":\"401.5\""
        ),
    ] {
        let text = format!("{{{rest},{common}}}");
        let mut readers = Readers::default();
        let (said, scanned) = readers.ours(text.as_bytes());
        assert!(scanned && matches!(said, Ok(Some(_))), "{text} {said:?}");
        readers.check(text.as_bytes());
    }
}
