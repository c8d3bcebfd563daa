//! `market_snapshot`: several instruments at a glance.

use std::collections::BTreeMap;

use model::Px;
use model::page::{Board, IndicatorSlot, Quote};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Tool};
use crate::decimal;
use crate::fault::Fault;
use crate::reply::{AsOf, Moment, Reply, Stamp, cause_name};
use crate::server::Sidecar;

/// Symbols of one call.
const SYMBOLS_MAX: usize = 50;

pub struct MarketSnapshot;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// 1 to 50 symbols.
    symbols: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Body {
    quotes: Vec<Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<Failed>,
}

#[derive(Serialize, JsonSchema)]
struct Failed {
    symbol: String,
    /// Why.
    error: Fault,
}

#[derive(Serialize, JsonSchema)]
struct Row {
    symbol: String,
    /// Of this instrument.
    as_of: AsOf,
    trading_state: &'static str,
    integrity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    integrity_cause: Option<&'static str>,
    bid: Option<Touch>,
    ask: Option<Touch>,
    spread_bps: Option<String>,
    last: Option<Last>,
    day: Option<Day>,
    /// Value by name.
    indicators: BTreeMap<String, Option<String>>,
}

#[derive(Serialize, JsonSchema)]
struct Touch {
    px: String,
    qty: String,
    orders: u32,
}

#[derive(Serialize, JsonSchema)]
struct Last {
    px: String,
    qty: String,
    ts_venue_ns: String,
}

#[derive(Serialize, JsonSchema)]
struct Day {
    open: String,
    high: String,
    low: String,
    volume: String,
    trades: u64,
}

impl Tool for MarketSnapshot {
    const NAME: &'static str = "market_snapshot";
    const TITLE: &'static str = "Market snapshot";
    const DESCRIPTION: &'static str = "\
        Best bid and ask, last trade, day statistics and indicators of up to 50 instruments, each \
        with its own moment and integrity. Indicators in units of price are prices; rsi is 0 to \
        100, imbalance -1 to 1.";
    const EFFECT: Effect = Effect::Looks;
    type Args = Args;
    type Body = Body;

    async fn call(sidecar: &Sidecar, args: Args) -> Result<Reply<Body>, Fault> {
        if !(1..=SYMBOLS_MAX).contains(&args.symbols.len()) {
            let message = format!("symbols holds {} entries", args.symbols.len());
            return Err(Fault::argument(message, format!("send 1 to {SYMBOLS_MAX} symbols")));
        }
        let mut session = sidecar.attached()?;
        let moment = session.moment()?;
        let mut stamp = moment.stamp();
        let mut body = Body { quotes: Vec::new(), failed: Vec::new() };
        for symbol in args.symbols {
            match session.board_of(&symbol) {
                Ok(board) => body.quotes.push(Row::new(&board, &moment, &mut stamp)),
                Err(error) => body.failed.push(Failed { symbol, error }),
            }
        }
        let refused = body.quotes.is_empty();
        Ok(Reply { stamp, body, refused })
    }
}

impl Row {
    fn new(board: &Board, moment: &Moment, stamp: &mut Stamp) -> Row {
        let of = &board.instrument;
        let px = |px: Px| decimal::px(px, of);
        let touch = |quote: Quote| Touch {
            px: px(quote.px),
            qty: decimal::qty(quote.qty, of),
            orders: quote.orders,
        };
        let [open, high, low] = board.open_high_low;
        let day = Day {
            open: px(open),
            high: px(high),
            low: px(low),
            volume: decimal::qty(board.volume, of),
            trades: board.trades,
        };
        let last = board.last.map(|last| Last {
            px: px(last.px),
            qty: decimal::qty(last.qty, of),
            ts_venue_ns: last.ts.0.to_string(),
        });
        let (bid, ask) = (board.bid, board.ask);
        let sides = bid.zip(ask).map(|(bid, ask)| (bid.px.0, ask.px.0));
        let spread_bps = sides.and_then(|(bid, ask)| decimal::bps(ask - bid, bid, ask));
        let empty = "no orders on that side of the book";
        Row {
            symbol: of.symbol.to_string(),
            as_of: moment.as_of(&board.as_of),
            trading_state: board.state.name(),
            integrity: board.integrity.name(),
            integrity_cause: cause_name(board.cause),
            bid: stamp.or_why(bid.map(touch), "bid", empty),
            ask: stamp.or_why(ask.map(touch), "ask", empty),
            spread_bps: stamp.or_why(spread_bps, "spread_bps", "needs both sides"),
            day: board.last.map(|_| day),
            last: stamp.or_why(last, "last, day", "no printable trade today"),
            indicators: indicators(board, &moment.control.indicators, stamp),
        }
    }
}

fn indicators(
    board: &Board,
    slots: &[IndicatorSlot],
    stamp: &mut Stamp,
) -> BTreeMap<String, Option<String>> {
    let named =
        slots.iter().zip(board.indicators).filter(|(slot, _)| !slot.name.as_str().is_empty());
    named
        .map(|(slot, value)| {
            let price = if slot.is_price { board.instrument.px_decimals } else { 0 };
            let decimals = u32::from(slot.decimals) + u32::from(price);
            let value =
                stamp.or_why(value, "indicators.*", "warming up: too few trades or quotes so far");
            (slot.name.to_string(), value.map(|value| decimal::text(value.into(), decimals)))
        })
        .collect()
}
