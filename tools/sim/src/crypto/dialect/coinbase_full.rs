//! The channel `full` of Coinbase Exchange: what happens to each order.

use super::coinbase::{px, qty};
use super::{Order, OrderSaid};
use crate::crypto::text::rfc3339;
use crate::crypto::venue::Listing;

/// The venue's name of an order: its number, spread over the digits so that no two names are the same.
fn uuid(number: u64) -> String {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let (a, b, c) = (mixed >> 32, mixed >> 16 & 0xFFFF, mixed & 0xFFF);
    format!("{a:08x}-{b:04x}-4{c:03x}-8000-{number:012x}")
}

const fn side(buys: bool) -> &'static str {
    if buys { "buy" } else { "sell" }
}

/// What happens to an order.
pub fn order(listing: &Listing, sequence: u64, said: &OrderSaid, now: u64) -> String {
    let px = |value: u64| px(listing, value);
    let qty = |value: u64| qty(listing, value);
    let of = |order: &Order| {
        format!("\"order_id\":\"{}\",\"side\":\"{}\"", uuid(order.number), side(order.buys))
    };
    let (kind, what) = match said {
        OrderSaid::Received { order, rests: true } => (
            "received",
            format!(
                "{},\"order_type\":\"limit\",\"size\":\"{}\",\"price\":\"{}\",\"client_oid\":\"\"",
                of(order),
                qty(order.qty),
                px(order.px)
            ),
        ),
        OrderSaid::Received { order, rests: false } => (
            "received",
            format!("{},\"order_type\":\"market\",\"size\":\"{}\"", of(order), qty(order.qty)),
        ),
        OrderSaid::Open(order) => (
            "open",
            format!(
                "{},\"price\":\"{}\",\"remaining_size\":\"{}\"",
                of(order),
                px(order.px),
                qty(order.qty)
            ),
        ),
        OrderSaid::Match { maker, taker, print } => (
            "match",
            format!(
                "\"trade_id\":{},\"maker_order_id\":\"{}\",\"taker_order_id\":\"{}\",\"side\":\"{}\",\"size\":\"{}\",\
                 \"price\":\"{}\"",
                print.id,
                uuid(maker.number),
                uuid(*taker),
                side(maker.buys),
                qty(print.qty),
                px(print.px)
            ),
        ),
        OrderSaid::Change { order, old } if order.px != old.px => (
            "change",
            format!(
                "{},\"reason\":\"modify_order\",\"old_price\":\"{}\",\"new_price\":\"{}\",\"old_size\":\"{}\",\
                 \"new_size\":\"{}\"",
                of(order),
                px(old.px),
                px(order.px),
                qty(old.qty),
                qty(order.qty)
            ),
        ),
        OrderSaid::Change { order, old } => (
            "change",
            format!(
                "{},\"reason\":\"STP\",\"price\":\"{}\",\"old_size\":\"{}\",\"new_size\":\"{}\"",
                of(order),
                px(order.px),
                qty(old.qty),
                qty(order.qty)
            ),
        ),
        OrderSaid::Done { order, filled } => (
            "done",
            format!(
                "{},\"reason\":\"{}\",\"price\":\"{}\",\"remaining_size\":\"{}\"",
                of(order),
                if *filled { "filled" } else { "canceled" },
                px(order.px),
                qty(order.qty)
            ),
        ),
    };
    let (name, time) = (&listing.name, rfc3339(now));
    format!(
        "{{\"type\":\"{kind}\",{what},\"product_id\":\"{name}\",\"sequence\":{sequence},\"time\":\"{time}\"}}"
    )
}

/// A whole book of orders, oldest first.
pub fn body(listing: &Listing, sequence: u64, orders: &[Order], now: u64) -> String {
    let side = |buys: bool| {
        let mut orders: Vec<&Order> = orders.iter().filter(|order| order.buys == buys).collect();
        orders.sort_by_key(|order| if buys { u64::MAX - order.px } else { order.px });
        let entry = |order: &&Order| {
            let (px, qty) = (px(listing, order.px), qty(listing, order.qty));
            format!("[\"{px}\",\"{qty}\",\"{}\"]", uuid(order.number))
        };
        orders.iter().map(entry).collect::<Vec<_>>().join(",")
    };
    format!(
        "{{\"bids\":[{}],\"asks\":[{}],\"sequence\":{sequence},\"auction_mode\":false,\"auction\":null,\"time\":\"{}\"}}",
        side(true),
        side(false),
        rfc3339(now)
    )
}
