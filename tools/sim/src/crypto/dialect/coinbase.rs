//! Coinbase Exchange.

use serde_json::Value;

use super::{
    Asked, Dialect, Effect, Order, OrderSaid, Print, Told, Topic, coinbase_full, field, list, pairs,
};
use crate::crypto::text::{fixed, rfc3339};
use crate::crypto::venue::Listing;

/// Places of every size.
const PLACES: u8 = 8;

pub struct Coinbase {
    /// Whether it tells every order.
    pub full: bool,
}

pub(super) fn px(listing: &Listing, px: u64) -> String {
    fixed(px, listing.px_decimals, 0)
}

pub(super) fn qty(listing: &Listing, qty: u64) -> String {
    fixed(qty, listing.qty_decimals, PLACES)
}

fn error(reason: &str) -> String {
    format!("{{\"type\":\"error\",\"message\":\"Failed to subscribe\",\"reason\":\"{reason}\"}}")
}

impl Coinbase {
    fn effects(&self, request: &Value, listings: &[Listing]) -> Result<Vec<Effect>, String> {
        let make = match field(request, "type") {
            "subscribe" => Effect::Subscribe,
            "unsubscribe" => Effect::Unsubscribe,
            kind => return Err(format!("{kind} is not a type of message")),
        };
        let mut effects = Vec::new();
        let mut channels = Vec::new();
        for channel in list(request, "channels") {
            let name = channel.as_str().unwrap_or_else(|| field(channel, "name"));
            let topic = match name {
                "full" if self.full => Topic::Book(usize::MAX),
                "level2" | "level2_batch" if !self.full => Topic::Book(usize::MAX),
                "matches" => Topic::Trades,
                "heartbeat" => Topic::Heartbeat,
                _ => return Err(format!("{name} is not a valid channel")),
            };
            let own = list(channel, "product_ids");
            let products = if own.is_empty() { list(request, "product_ids") } else { own };
            for product in products {
                let product = product.as_str().unwrap_or("");
                let symbol = listings.iter().position(|listing| listing.name == product);
                let symbol = symbol.ok_or_else(|| format!("{product} is not a valid product"))?;
                effects.push(make(topic, symbol));
            }
            let products = Value::from(products);
            channels.push(format!("{{\"name\":\"{name}\",\"product_ids\":{products}}}"));
        }
        let text = format!("{{\"type\":\"subscriptions\",\"channels\":[{}]}}", channels.join(","));
        effects.insert(0, Effect::Say(text));
        Ok(effects)
    }
}

impl Dialect for Coinbase {
    fn request(&self, text: &str, listings: &[Listing], _: u64) -> Vec<Effect> {
        let request: Value = serde_json::from_str(text).unwrap_or_default();
        self.effects(&request, listings).unwrap_or_else(|reason| vec![Effect::Say(error(&reason))])
    }

    fn refusal(&self, _: &str) -> Option<String> {
        Some(error("Rate limit exceeded"))
    }

    fn begins_whole(&self) -> bool {
        !self.full
    }

    fn asked(&self, path: &str, listings: &[Listing]) -> Option<Asked> {
        let product = path.strip_prefix("/products/")?.strip_suffix("/book?level=3")?;
        let symbol = listings.iter().position(|listing| listing.name == product)?;
        self.full.then_some(Asked { symbol, depth: usize::MAX })
    }

    fn order(&self, listing: &Listing, sequence: u64, said: &OrderSaid, now: u64) -> String {
        coinbase_full::order(listing, sequence, said, now)
    }

    fn order_body(&self, listing: &Listing, sequence: u64, orders: &[Order], now: u64) -> String {
        coinbase_full::body(listing, sequence, orders, now)
    }

    fn beat(&self, listing: &Listing, trade: u64, sequence: u64, now: u64) -> Option<String> {
        let sequence = if self.full { sequence } else { now / 1_000 };
        Some(beat(listing, trade, sequence, now))
    }

    fn book(&self, told: &Told<'_>) -> String {
        let Told { listing, now, .. } = *told;
        let (name, time) = (&listing.name, rfc3339(now));
        let side =
            |levels: &[(u64, u64)]| pairs(levels, |p| px(listing, p), |q| qty(listing, q), "");
        if told.whole {
            let (bids, asks) = (side(&told.levels.bids), side(&told.levels.asks));
            return format!(
                "{{\"type\":\"snapshot\",\"product_id\":\"{name}\",\"asks\":[{asks}],\"bids\":[{bids}],\"time\":\"{time}\"}}"
            );
        }
        let changes = |side: &str, levels: &[(u64, u64)]| -> Vec<String> {
            let change = |(p, q): &(u64, u64)| {
                format!("[\"{side}\",\"{}\",\"{}\"]", px(listing, *p), qty(listing, *q))
            };
            levels.iter().map(change).collect()
        };
        let mut all = changes("buy", &told.levels.bids);
        all.extend(changes("sell", &told.levels.asks));
        format!(
            "{{\"type\":\"l2update\",\"product_id\":\"{name}\",\"changes\":[{}],\"time\":\"{time}\"}}",
            all.join(",")
        )
    }

    fn trade(&self, listing: &Listing, print: &Print, now: u64) -> String {
        // The side of the order that rested.
        let side = if print.buyer_rests { "buy" } else { "sell" };
        traded("match", listing, (print.id, side), (print.px, print.qty), now)
    }

    fn last_trade(&self, listing: &Listing, id: u64, now: u64) -> Option<String> {
        Some(traded("last_match", listing, (id, "buy"), (1, 1), now))
    }
}

fn beat(listing: &Listing, trade: u64, sequence: u64, now: u64) -> String {
    let (name, time) = (&listing.name, rfc3339(now));
    format!(
        "{{\"type\":\"heartbeat\",\"last_trade_id\":{trade},\"product_id\":\"{name}\",\"sequence\":{sequence},\
         \"time\":\"{time}\"}}"
    )
}

fn traded(
    kind: &str,
    listing: &Listing,
    (id, side): (u64, &str),
    (p, q): (u64, u64),
    now: u64,
) -> String {
    format!(
        "{{\"type\":\"{kind}\",\"trade_id\":{id},\"maker_order_id\":\"ac928c66-ca53-498f-9c13-a110027a60e8\",\
         \"taker_order_id\":\"132fb6ae-456b-4654-b4e0-d681ac05cea1\",\"side\":\"{side}\",\"size\":\"{}\",\
         \"price\":\"{}\",\"product_id\":\"{}\",\"sequence\":{},\"time\":\"{}\"}}",
        qty(listing, q),
        px(listing, p),
        listing.name,
        now / 1_000,
        rfc3339(now)
    )
}
