//! Kraken v2.

use serde_json::Value;

use super::{Dialect, Effect, Print, Told, Topic, field, list};
use crate::crypto::checksum::crc32;
use crate::crypto::text::{fixed, rfc3339};
use crate::crypto::truth::Levels;
use crate::crypto::venue::Listing;

/// Levels a side that the checksum is about.
const TOP: usize = 10;

pub struct Kraken;

fn px(listing: &Listing, px: u64) -> String {
    fixed(px, listing.px_decimals, 0)
}

fn qty(listing: &Listing, qty: u64) -> String {
    fixed(qty, listing.qty_decimals, 0)
}

fn levels(listing: &Listing, levels: &[(u64, u64)]) -> String {
    let level = |(p, q): &(u64, u64)| {
        format!("{{\"price\":{},\"qty\":{}}}", px(listing, *p), qty(listing, *q))
    };
    levels.iter().map(level).collect::<Vec<_>>().join(",")
}

/// The checksum of a book: asks from low to high, then bids from high to low, of each the digits alone.
pub fn checksum(listing: &Listing, view: &Levels) -> u32 {
    let mut digits = String::new();
    let best = view.top(TOP).all();
    for (p, q) in best.asks.iter().chain(&best.bids) {
        for text in [px(listing, *p), qty(listing, *q)] {
            digits.push_str(text.replace('.', "").trim_start_matches('0'));
        }
    }
    crc32(digits.as_bytes())
}

impl Kraken {
    fn granted(&self, request: &Value, listings: &[Listing], now: u64) -> Option<Vec<Effect>> {
        let (method, params) = (field(request, "method"), &request["params"]);
        let make = match method {
            "subscribe" => Effect::Subscribe,
            "unsubscribe" => Effect::Unsubscribe,
            _ => return None,
        };
        let channel = field(params, "channel");
        let time = rfc3339(now);
        let ack = |more: &str| {
            Effect::Say(format!(
                "{{\"method\":\"{method}\",\"result\":{{\"channel\":\"{channel}\"{more}}},\"success\":true,\
                 \"time_in\":\"{time}\",\"time_out\":\"{time}\"}}"
            ))
        };
        let depth = params["depth"].as_u64().unwrap_or(TOP as u64) as usize;
        let topic = match channel {
            "book" if [10, 25, 100, 500, 1_000].contains(&depth) => Topic::Book(depth),
            "trade" => Topic::Trades,
            "instrument" => {
                return Some(vec![ack(",\"snapshot\":true"), Effect::Say(instruments(listings))]);
            }
            _ => return None,
        };
        let mut effects = Vec::new();
        for symbol in list(params, "symbol") {
            let name = symbol.as_str()?;
            match listings.iter().position(|listing| listing.name == name) {
                Some(symbol) => {
                    let depth = if channel == "book" { format!(",\"depth\":{depth}") } else { String::new() };
                    effects.push(ack(&format!("{depth},\"symbol\":\"{name}\"")));
                    effects.push(make(topic, symbol));
                }
                None => effects.push(Effect::Say(format!(
                    "{{\"error\":\"Currency pair not supported {name}\",\"method\":\"{method}\",\
                     \"success\":false,\"symbol\":\"{name}\",\"time_in\":\"{time}\",\"time_out\":\"{time}\"}}"
                ))),
            }
        }
        Some(effects)
    }
}

fn instruments(listings: &[Listing]) -> String {
    let pair = |listing: &Listing| {
        let (p, q) = (listing.px_decimals, listing.qty_decimals);
        format!(
            "{{\"symbol\":\"{}\",\"status\":\"online\",\"price_precision\":{p},\"qty_precision\":{q},\
             \"price_increment\":{},\"qty_increment\":{}}}",
            listing.name,
            px(listing, 1),
            qty(listing, 1)
        )
    };
    let pairs: Vec<String> = listings.iter().map(pair).collect();
    format!(
        "{{\"channel\":\"instrument\",\"type\":\"snapshot\",\"data\":{{\"assets\":[],\"pairs\":[{}]}}}}",
        pairs.join(",")
    )
}

impl Dialect for Kraken {
    fn greeting(&self, _: u64) -> Option<String> {
        let text = "{\"channel\":\"status\",\"type\":\"update\",\"data\":[{\"version\":\"2.0.9\",\"system\":\"online\",\
                    \"api_version\":\"v2\",\"connection_id\":12345678901234567890}]}";
        Some(text.to_owned())
    }

    fn request(&self, text: &str, listings: &[Listing], now: u64) -> Vec<Effect> {
        let request: Value = serde_json::from_str(text).unwrap_or_default();
        let (method, time) = (field(&request, "method"), rfc3339(now));
        if method == "ping" {
            return vec![Effect::Say(format!(
                "{{\"method\":\"pong\",\"time_in\":\"{time}\",\"time_out\":\"{time}\"}}"
            ))];
        }
        self.granted(&request, listings, now).unwrap_or_else(|| {
            vec![Effect::Say(format!(
                "{{\"error\":\"Malformed request\",\"method\":\"{method}\",\"success\":false,\
                 \"time_in\":\"{time}\",\"time_out\":\"{time}\"}}"
            ))]
        })
    }

    fn refusal(&self, text: &str) -> Option<String> {
        let request: Value = serde_json::from_str(text).ok()?;
        let symbol = list(&request["params"], "symbol").first()?.as_str()?;
        let method = field(&request, "method");
        Some(format!(
            "{{\"error\":\"Exceeded msg rate\",\"method\":\"{method}\",\"success\":false,\"symbol\":\"{symbol}\"}}"
        ))
    }

    fn tells_fallen(&self) -> bool {
        false
    }

    fn book(&self, told: &Told<'_>) -> String {
        let Told { listing, view, whole, now, .. } = *told;
        let (bids, asks) = (levels(listing, &told.levels.bids), levels(listing, &told.levels.asks));
        let kind = if whole { "snapshot" } else { "update" };
        format!(
            "{{\"channel\":\"book\",\"type\":\"{kind}\",\"data\":[{{\"symbol\":\"{}\",\"bids\":[{bids}],\
             \"asks\":[{asks}],\"checksum\":{},\"timestamp\":\"{}\"}}]}}",
            listing.name,
            checksum(listing, view),
            rfc3339(now)
        )
    }

    fn trade(&self, listing: &Listing, print: &Print, now: u64) -> String {
        let side = if print.buyer_rests { "sell" } else { "buy" };
        format!(
            "{{\"channel\":\"trade\",\"type\":\"update\",\"data\":[{{\"symbol\":\"{}\",\"side\":\"{side}\",\
             \"price\":{},\"qty\":{},\"ord_type\":\"market\",\"trade_id\":{},\"timestamp\":\"{}\"}}]}}",
            listing.name,
            px(listing, print.px),
            qty(listing, print.qty),
            print.id,
            rfc3339(now)
        )
    }

    fn heartbeat(&self, symbol: Option<(&Listing, u64)>, _: u64) -> Option<String> {
        symbol.is_none().then(|| "{\"channel\":\"heartbeat\"}".to_owned())
    }
}
