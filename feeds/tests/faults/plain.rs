//! The shortest venue whose snapshots are asked for: Binance's texts and rules of sequence, read the slow way. It tries
//! the machine alone, apart from any reader of ours.

use feeds::json::{JsonCause, JsonError, Levels};
use feeds::stream::{
    BookHead, BookKind, Judgement, Message, ParseError, Parsed, Position, Rules, SnapshotBy,
    StreamSymbol, Symbols, Venue,
};
use model::{Px, Qty, Ts};
use serde_json::Value;

use super::truth::{PX_DECIMALS, QTY_DECIMALS};

pub struct Plain {
    pub futures: bool,
}

fn bad() -> ParseError {
    JsonError::whole(JsonCause::Shape).into()
}

fn levels(list: &Value, to: &mut Levels) {
    for level in list.as_array().unwrap() {
        let number = |place: usize, decimals: u8| {
            model::parse_decimal(level[place].as_str().unwrap(), decimals.into()).unwrap()
        };
        to.push(Px(number(0, PX_DECIMALS)), Qty(number(1, QTY_DECIMALS))).unwrap();
    }
}

impl Venue for Plain {
    const NAME: &'static str = "plain";

    fn rules(&self) -> Rules {
        Rules { snapshot: SnapshotBy::Rest { per_minute: 60 }, ..Rules::DEFAULT }
    }

    fn ws_url(&self, _: Option<&str>, _: &Symbols) -> String {
        String::new()
    }

    fn subscribe(&mut self, _: &Symbols, _: &[u16], _: u16, _: &mut Vec<String>) {}

    fn snapshot_url(&self, _: Option<&str>, symbol: &StreamSymbol, _: u16) -> String {
        symbol.venue_symbol.clone()
    }

    fn parse(
        &mut self,
        text: &[u8],
        symbols: &Symbols,
        parsed: &mut Parsed,
    ) -> Result<Message, ParseError> {
        let value: Value = serde_json::from_slice(text).map_err(|_| bad())?;
        let data = &value["data"];
        let name = data["s"].as_str().ok_or_else(bad)?;
        levels(&data["b"], &mut parsed.bids);
        levels(&data["a"], &mut parsed.asks);
        Ok(Message::Book(BookHead {
            symbol: symbols.index(name.as_bytes()).unwrap(),
            kind: BookKind::Delta,
            first: data["U"].as_u64().unwrap(),
            last: data["u"].as_u64().unwrap(),
            prev: data["pu"].as_u64(),
            checksum: None,
            ts_venue: Ts(0),
        }))
    }

    fn parse_snapshot(
        &mut self,
        symbol: u16,
        body: &[u8],
        _: &Symbols,
        parsed: &mut Parsed,
    ) -> Result<BookHead, ParseError> {
        let value: Value = serde_json::from_slice(body).map_err(|_| bad())?;
        levels(&value["bids"], &mut parsed.bids);
        levels(&value["asks"], &mut parsed.asks);
        let last = value["lastUpdateId"].as_u64().unwrap();
        let kind = BookKind::Snapshot;
        let (prev, checksum, ts_venue) = (None, None, Ts(0));
        Ok(BookHead { symbol, kind, first: last, last, prev, checksum, ts_venue })
    }

    fn judge(&self, head: &BookHead, position: Position) -> Judgement {
        let last = position.last;
        let (is_old, is_next) = match (self.futures, position.bridged) {
            (false, _) => (head.last <= last, head.first <= last + 1),
            (true, false) => (head.last < last, head.first <= last),
            (true, true) => (head.last <= last, head.prev == Some(last)),
        };
        match (is_old, is_next) {
            (true, _) => Judgement::Old,
            (false, true) => Judgement::Next,
            (false, false) => Judgement::Gap,
        }
    }
}
