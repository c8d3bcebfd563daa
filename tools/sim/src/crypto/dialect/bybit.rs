//! Bybit v5.

use serde_json::Value;

use super::{Dialect, Effect, Ids, Print, Told, Topic, field, list, ms, pairs};
use crate::crypto::text::fixed;
use crate::crypto::venue::Listing;
use crate::rng::Rng;

/// Depths on offer; depth 1, which sends whole books alone, is not.
const DEPTHS: [usize; 3] = [50, 200, 1_000];

pub struct Bybit;

fn px(listing: &Listing, px: u64) -> String {
    fixed(px, listing.px_decimals, 0)
}

/// A level that is gone is written `0`.
fn qty(listing: &Listing, qty: u64) -> String {
    if qty == 0 { "0".to_owned() } else { fixed(qty, listing.qty_decimals, 0) }
}

fn answer(success: bool, message: &str, op: &str) -> String {
    format!(
        "{{\"success\":{success},\"ret_msg\":\"{message}\",\"conn_id\":\"2324d924-aa4d-45b0-a858-7b8be29ab52b\",\
         \"req_id\":\"\",\"op\":\"{op}\"}}"
    )
}

impl Bybit {
    /// All or nothing: one topic that does not exist refuses the request.
    fn effects(&self, request: &Value, listings: &[Listing]) -> Result<Vec<Effect>, String> {
        let make = match field(request, "op") {
            "subscribe" => Effect::Subscribe,
            "unsubscribe" => Effect::Unsubscribe,
            _ => return Err("unknown operation".to_owned()),
        };
        let mut effects = Vec::new();
        for topic in list(request, "args") {
            let topic = topic.as_str().unwrap_or("");
            let unknown = || format!("error:handler not found,topic:{topic}");
            let parts: Vec<&str> = topic.split('.').collect();
            let (what, name) = match parts[..] {
                ["orderbook", depth, name] => {
                    let depth = depth.parse().ok().filter(|depth| DEPTHS.contains(depth));
                    let depth = depth.ok_or_else(unknown)?;
                    (Topic::Book(depth), name)
                }
                ["publicTrade", name] => (Topic::Trades, name),
                _ => return Err(unknown()),
            };
            let symbol = listings.iter().position(|listing| listing.name == name);
            effects.push(make(what, symbol.ok_or_else(unknown)?));
        }
        Ok(effects)
    }
}

impl Dialect for Bybit {
    fn request(&self, text: &str, listings: &[Listing], _: u64) -> Vec<Effect> {
        let request: Value = serde_json::from_str(text).unwrap_or_default();
        let op = field(&request, "op");
        if op == "ping" {
            return vec![Effect::Say(answer(true, "pong", "ping"))];
        }
        match self.effects(&request, listings) {
            Ok(mut effects) => {
                effects.insert(0, Effect::Say(answer(true, "", op)));
                effects
            }
            Err(message) => vec![Effect::Say(answer(false, &message, op))],
        }
    }

    fn refusal(&self, text: &str) -> Option<String> {
        let request: Value = serde_json::from_str(text).ok()?;
        Some(answer(false, "too many requests", field(&request, "op")))
    }

    fn number(&self, last: u64, rng: &mut Rng) -> (Ids, bool) {
        // The service restarts: the whole book, numbered 1. Not soon again, or the numbers would say nothing.
        let restarts = last > 50 && rng.per_mille(6);
        let next = if restarts { 1 } else { last + 1 };
        (Ids { first: next, last: next, prev: last }, restarts)
    }

    fn book(&self, told: &Told<'_>) -> String {
        let Told { listing, depth, ids, now, whole, .. } = *told;
        let side =
            |levels: &[(u64, u64)]| pairs(levels, |p| px(listing, p), |q| qty(listing, q), "");
        let (bids, asks) = (side(&told.levels.bids), side(&told.levels.asks));
        // After a restart the whole book comes under either name.
        let kind = if whole && !(ids.last == 1 && ids.prev.is_multiple_of(2)) {
            "snapshot"
        } else {
            "delta"
        };
        let (name, u, sent) = (&listing.name, ids.last, ms(now));
        format!(
            "{{\"topic\":\"orderbook.{depth}.{name}\",\"type\":\"{kind}\",\"ts\":{sent},\"data\":{{\"s\":\"{name}\",\
             \"b\":[{bids}],\"a\":[{asks}],\"u\":{u},\"seq\":{}}},\"cts\":{}}}",
            now / 1_000,
            sent - 2
        )
    }

    fn trade(&self, listing: &Listing, print: &Print, now: u64) -> String {
        let (name, sent, id) = (&listing.name, ms(now), print.id);
        let side = if print.buyer_rests { "Sell" } else { "Buy" };
        let (px, qty) = (px(listing, print.px), qty(listing, print.qty));
        format!(
            "{{\"topic\":\"publicTrade.{name}\",\"type\":\"snapshot\",\"ts\":{sent},\"data\":[{{\"T\":{sent},\
             \"s\":\"{name}\",\"S\":\"{side}\",\"v\":\"{qty}\",\"p\":\"{px}\",\"L\":\"PlusTick\",\
             \"i\":\"20f43950-d8dd-5b31-9112-{id:012x}\",\"BT\":false,\"seq\":{sent}}}]}}"
        )
    }
}
