//! Binance spot, USD-M and COIN-M.

use serde_json::Value;

use super::{Asked, Dialect, Effect, Ids, Print, Protocol, Told, Topic, field, list, ms, pairs};
use crate::crypto::text::fixed;
use crate::crypto::venue::Listing;
use crate::rng::Rng;

pub struct Binance(pub Protocol);

impl Binance {
    const fn is_spot(&self) -> bool {
        matches!(self.0, Protocol::BinanceSpot)
    }

    /// Spot pads every number to eight places.
    const fn places(&self) -> u8 {
        if self.is_spot() { 8 } else { 0 }
    }

    fn px(&self, listing: &Listing, px: u64) -> String {
        fixed(px, listing.px_decimals, self.places())
    }

    fn qty(&self, listing: &Listing, qty: u64) -> String {
        fixed(qty, listing.qty_decimals, self.places())
    }

    fn sides(&self, told: &Told<'_>) -> [String; 2] {
        let listing = told.listing;
        [&told.levels.bids, &told.levels.asks].map(|levels| {
            pairs(levels, |px| self.px(listing, px), |qty| self.qty(listing, qty), "")
        })
    }

    fn effects(&self, request: &Value, listings: &[Listing]) -> Option<Vec<Effect>> {
        let make = match field(request, "method") {
            "SUBSCRIBE" => Effect::Subscribe,
            "UNSUBSCRIBE" => Effect::Unsubscribe,
            _ => return None,
        };
        let mut effects = Vec::new();
        for stream in list(request, "params") {
            let (name, topic) = stream.as_str()?.split_once('@')?;
            let topic = match topic.split('@').next()? {
                "depth" => Topic::Book(usize::MAX),
                "trade" => Topic::Trades,
                "bookTicker" => Topic::Ticker,
                _ => return None,
            };
            // A stream that does not exist is granted, and silent.
            let known = listings.iter().position(|l| l.name.to_lowercase() == name);
            effects.extend(known.map(|symbol| make(topic, symbol)));
        }
        Some(effects)
    }
}

fn wrapped(listing: &Listing, stream: &str, text: &str) -> String {
    format!("{{\"stream\":\"{}@{stream}\",\"data\":{text}}}", listing.name.to_lowercase())
}

/// The pair that a contract margined in coins is on, as a field.
fn pair(protocol: Protocol, listing: &Listing) -> String {
    match (protocol, listing.name.split_once('_')) {
        (Protocol::BinanceCoinm, Some((pair, _))) => format!("\"ps\":\"{pair}\","),
        _ => String::new(),
    }
}

impl Dialect for Binance {
    fn request(&self, text: &str, listings: &[Listing], _: u64) -> Vec<Effect> {
        let request: Value = serde_json::from_str(text).unwrap_or_default();
        let id = &request["id"];
        match self.effects(&request, listings) {
            Some(mut effects) => {
                effects.insert(0, Effect::Say(format!("{{\"result\":null,\"id\":{id}}}")));
                effects
            }
            None => vec![Effect::Say(
                "{\"error\":{\"code\":2,\"msg\":\"Invalid request: unknown variant\"}}".to_owned(),
            )],
        }
    }

    fn subscriptions(
        &self,
        text: &str,
        topics: &[(Topic, usize)],
        listings: &[Listing],
    ) -> Option<String> {
        let request: Value = serde_json::from_str(text).ok()?;
        let stream = |(topic, symbol): &(Topic, usize)| {
            let stream = match topic {
                Topic::Book(_) => "depth@100ms",
                Topic::Trades => "trade",
                Topic::Ticker => "bookTicker",
                Topic::Heartbeat => return None,
            };
            Some(format!("\"{}@{stream}\"", listings[*symbol].name.to_lowercase()))
        };
        let streams: Vec<String> = topics.iter().filter_map(stream).collect();
        let (streams, id) = (streams.join(","), &request["id"]);
        let is_asked = field(&request, "method") == "LIST_SUBSCRIPTIONS";
        is_asked.then(|| format!("{{\"result\":[{streams}],\"id\":{id}}}"))
    }

    fn refusal(&self, text: &str) -> Option<String> {
        let request: Value = serde_json::from_str(text).ok()?;
        let id = &request["id"];
        Some(format!("{{\"error\":{{\"code\":3,\"msg\":\"Too many requests\"}},\"id\":{id}}}"))
    }

    fn begins_whole(&self) -> bool {
        false
    }

    fn number(&self, last: u64, rng: &mut Rng) -> (Ids, bool) {
        // Futures share their numbers with other streams: there are holes between messages.
        let first = last + 1 + if self.is_spot() { 0 } else { rng.below(40) };
        (Ids { first, last: first + rng.below(12), prev: last }, false)
    }

    fn book(&self, told: &Told<'_>) -> String {
        let Told { listing, ids: Ids { first, last, prev }, now, .. } = *told;
        let [bids, asks] = self.sides(told);
        let (name, sent) = (&listing.name, ms(now));
        let (made, pu) = match self.is_spot() {
            true => (String::new(), String::new()),
            false => (format!("\"T\":{},", sent - 1), format!("\"pu\":{prev},")),
        };
        let ps = pair(self.0, listing);
        let text = format!(
            "{{\"e\":\"depthUpdate\",\"E\":{sent},{made}\"s\":\"{name}\",{ps}\"U\":{first},\"u\":{last},{pu}\
             \"b\":[{bids}],\"a\":[{asks}]}}"
        );
        wrapped(listing, "depth@100ms", &text)
    }

    fn trade(&self, listing: &Listing, print: &Print, now: u64) -> String {
        let (name, sent, id) = (&listing.name, ms(now), print.id);
        let (px, qty) = (self.px(listing, print.px), self.qty(listing, print.qty));
        let rests = print.buyer_rests;
        let text = if self.is_spot() {
            format!(
                "{{\"e\":\"trade\",\"E\":{sent},\"s\":\"{name}\",\"t\":{id},\"p\":\"{px}\",\"q\":\"{qty}\",\
                 \"T\":{sent},\"m\":{rests},\"M\":true}}"
            )
        } else {
            format!(
                "{{\"e\":\"trade\",\"E\":{sent},\"T\":{sent},\"s\":\"{name}\",\"t\":{id},\"p\":\"{px}\",\
                 \"q\":\"{qty}\",\"X\":\"MARKET\",\"m\":{rests}}}"
            )
        };
        wrapped(listing, "trade", &text)
    }

    fn ticker(&self, told: &Told<'_>) -> Option<String> {
        let Told { listing, ids, now, view, .. } = *told;
        let (bid, ask) = (view.bids.last_key_value()?, view.asks.first_key_value()?);
        let best = |(px, qty): (&u64, &u64)| [self.px(listing, *px), self.qty(listing, *qty)];
        let ([bid, bid_qty], [ask, ask_qty]) = (best(bid), best(ask));
        let (kind, times) = match self.is_spot() {
            true => ("", String::new()),
            false => ("\"e\":\"bookTicker\",", format!(",\"T\":{0},\"E\":{0}", ms(now))),
        };
        let ps = pair(self.0, listing);
        let text = format!(
            "{{{kind}\"u\":{},\"s\":\"{}\",{ps}\"b\":\"{bid}\",\"B\":\"{bid_qty}\",\"a\":\"{ask}\",\
             \"A\":\"{ask_qty}\"{times}}}",
            ids.last, listing.name
        );
        Some(wrapped(listing, "bookTicker", &text))
    }

    fn farewell(&self) -> Option<String> {
        self.is_spot()
            .then(|| "{\"event\":{\"e\":\"serverShutdown\",\"E\":1770123456789}}".to_owned())
    }

    fn asked(&self, path: &str, listings: &[Listing]) -> Option<Asked> {
        let (path, query) = path.split_once('?')?;
        let (expected, most) = match self.0 {
            Protocol::BinanceUsdm => ("/fapi/v1/depth", 1_000),
            Protocol::BinanceCoinm => ("/dapi/v1/depth", 1_000),
            _ => ("/api/v3/depth", 5_000),
        };
        let value = |name: &str| {
            query.split('&').filter_map(|part| part.split_once('=')).find(|(key, _)| *key == name)
        };
        let symbol =
            listings.iter().position(|listing| Some(("symbol", &*listing.name)) == value("symbol"));
        let depth: usize = value("limit").map_or(Ok(100), |(_, limit)| limit.parse()).ok()?;
        (path == expected && (1..=most).contains(&depth))
            .then_some(Asked { symbol: symbol?, depth })
    }

    fn body(&self, told: &Told<'_>) -> String {
        let [bids, asks] = self.sides(told);
        let (last, sent) = (told.ids.last, ms(told.now));
        let listing = told.listing;
        let times = match self.0 {
            Protocol::BinanceSpot => String::new(),
            _ => {
                let of = pair(self.0, listing).replace("\"ps\"", "\"pair\"");
                let symbol = if of.is_empty() {
                    of
                } else {
                    format!("\"symbol\":\"{}\",{of}", listing.name)
                };
                format!("{symbol}\"E\":{sent},\"T\":{},", sent - 1)
            }
        };
        format!("{{\"lastUpdateId\":{last},{times}\"bids\":[{bids}],\"asks\":[{asks}]}}")
    }
}
