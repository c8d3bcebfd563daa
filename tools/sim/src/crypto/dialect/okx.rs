//! OKX v5.

use serde_json::Value;

use super::{Dialect, Effect, Ids, Print, Told, Topic, field, list, ms, pairs};
use crate::crypto::checksum::crc32;
use crate::crypto::text::short;
use crate::crypto::truth::Levels;
use crate::crypto::venue::Listing;
use crate::rng::Rng;

/// Levels a side of a book.
const DEPTH: usize = 400;
/// Levels a side that the checksum is about.
const TOP: usize = 25;

pub struct Okx {
    /// Whether the checksum says anything; else it is 0.
    pub checksums: bool,
}

fn px(listing: &Listing, px: u64) -> String {
    short(px, listing.px_decimals)
}

fn qty(listing: &Listing, qty: u64) -> String {
    short(qty, listing.qty_decimals)
}

/// The checksum of a book: a bid, an ask, a bid …, of each price and size, and colons between all.
pub fn checksum(listing: &Listing, view: &Levels) -> i32 {
    let best = view.all();
    let mut parts = Vec::new();
    for place in 0..TOP {
        for side in [&best.bids, &best.asks] {
            if let Some((p, q)) = side.get(place) {
                parts.extend([px(listing, *p), qty(listing, *q)]);
            }
        }
    }
    crc32(parts.join(":").as_bytes()) as i32
}

impl Okx {
    fn granted(&self, request: &Value, listings: &[Listing]) -> Option<Vec<Effect>> {
        let op = field(request, "op");
        let make = match op {
            "subscribe" => Effect::Subscribe,
            "unsubscribe" => Effect::Unsubscribe,
            _ => return None,
        };
        let mut effects = Vec::new();
        for arg in list(request, "args") {
            let (channel, name) = (field(arg, "channel"), field(arg, "instId"));
            let topic = match channel {
                "books" => Topic::Book(DEPTH),
                "trades" => Topic::Trades,
                _ => return None,
            };
            match listings.iter().position(|listing| listing.name == name) {
                Some(symbol) => {
                    effects.push(Effect::Say(format!(
                        "{{\"event\":\"{op}\",\"arg\":{{\"channel\":\"{channel}\",\"instId\":\"{name}\"}},\
                         \"connId\":\"a4d3ae55\"}}"
                    )));
                    effects.push(make(topic, symbol));
                }
                None => effects.push(Effect::Say(error("60018", &format!(
                    "Wrong URL or channel:{channel},instId:{name} doesn't exist. Please use the correct URL"
                )))),
            }
        }
        Some(effects)
    }
}

fn error(code: &str, msg: &str) -> String {
    format!("{{\"event\":\"error\",\"code\":\"{code}\",\"msg\":\"{msg}\",\"connId\":\"a4d3ae55\"}}")
}

impl Dialect for Okx {
    fn request(&self, text: &str, listings: &[Listing], _: u64) -> Vec<Effect> {
        if text == "ping" {
            return vec![Effect::Say("pong".to_owned())];
        }
        let request: Value = serde_json::from_str(text).unwrap_or_default();
        self.granted(&request, listings)
            .unwrap_or_else(|| vec![Effect::Say(error("60012", "Invalid request"))])
    }

    fn refusal(&self, _: &str) -> Option<String> {
        Some(error("60014", "Requests too frequent"))
    }

    fn number(&self, last: u64, rng: &mut Rng) -> (Ids, bool) {
        // Maintenance: the numbers begin anew below, and the message still names the one before.
        let next = match rng.per_mille(4) {
            true => 1 + rng.below(last / 2 + 1),
            false => last + 1 + rng.below(30),
        };
        (Ids { first: next, last: next, prev: last }, false)
    }

    fn book(&self, told: &Told<'_>) -> String {
        let Told { listing, ids, view, whole, now, .. } = *told;
        let side = |levels: &[(u64, u64)]| {
            pairs(levels, |p| px(listing, p), |q| qty(listing, q), ",\"0\",\"1\"")
        };
        let (bids, asks) = (side(&told.levels.bids), side(&told.levels.asks));
        let (action, prev) =
            if whole { ("snapshot", "-1".to_owned()) } else { ("update", ids.prev.to_string()) };
        let checksum = if self.checksums { checksum(listing, view) } else { 0 };
        format!(
            "{{\"arg\":{{\"channel\":\"books\",\"instId\":\"{}\"}},\"action\":\"{action}\",\"data\":[{{\"asks\":[{asks}],\
             \"bids\":[{bids}],\"ts\":\"{}\",\"checksum\":{checksum},\"seqId\":{},\"prevSeqId\":{prev}}}]}}",
            listing.name,
            ms(now),
            ids.last
        )
    }

    fn keep_alive(&self, told: &Told<'_>) -> Option<String> {
        Some(self.book(told))
    }

    fn trade(&self, listing: &Listing, print: &Print, now: u64) -> String {
        let (name, side) = (&listing.name, if print.buyer_rests { "sell" } else { "buy" });
        format!(
            "{{\"arg\":{{\"channel\":\"trades\",\"instId\":\"{name}\"}},\"data\":[{{\"instId\":\"{name}\",\
             \"tradeId\":\"{}\",\"px\":\"{}\",\"sz\":\"{}\",\"side\":\"{side}\",\"ts\":\"{}\",\"count\":\"1\"}}]}}",
            print.id,
            px(listing, print.px),
            qty(listing, print.qty),
            ms(now)
        )
    }

    fn farewell(&self) -> Option<String> {
        let text = "{\"event\":\"notice\",\"code\":\"64008\",\"msg\":\"The connection will soon be closed for a service \
                    upgrade. Please reconnect.\",\"connId\":\"a4d3ae55\"}";
        Some(text.to_owned())
    }
}
