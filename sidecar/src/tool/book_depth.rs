//! `book_depth`: the levels of one book.

use model::page::{DEPTH_LEVELS, Level};
use model::{Instrument, Integrity, Px};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Tool, within};
use crate::decimal;
use crate::fault::Fault;
use crate::reply::Reply;
use crate::server::Sidecar;

pub struct BookDepth;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    symbol: String,
    /// Levels a side, 1 to 64, default 5.
    levels: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
pub struct Body {
    symbol: String,
    trading_state: &'static str,
    bids: Vec<Row>,
    asks: Vec<Row>,
    /// In the whole book.
    bid_levels: u32,
    /// In the whole book.
    ask_levels: u32,
    spread: Option<String>,
    spread_bps: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Row {
    px: String,
    qty: String,
    orders: u32,
}

impl Tool for BookDepth {
    const NAME: &'static str = "book_depth";
    const TITLE: &'static str = "Order book depth";
    const DESCRIPTION: &'static str = "\
        The order book of one instrument: price, total quantity and number of orders of the \
        levels of each side, best first. For the top of several books use market_snapshot; for the cost of a \
        given order use order_check.";
    const EFFECT: Effect = Effect::Looks;
    type Args = Args;
    type Body = Body;

    async fn call(sidecar: &Sidecar, args: Args) -> Result<Reply<Body>, Fault> {
        let mut session = sidecar.attached()?;
        let board = session.board_of(&args.symbol)?;
        let depth = session.depth(board.instrument.id)?;
        // A depth is written later than its board: what the board no longer says of itself, its depth must not say.
        let (integrity, cause) = match board.integrity {
            Integrity::Live => (depth.integrity, depth.cause),
            _ => (board.integrity, board.cause),
        };
        let mut stamp = session.moment()?.stamp_of(&depth.as_of, integrity, cause);
        let levels = within("levels", args.levels.unwrap_or(5), DEPTH_LEVELS)?;
        let rows = |side: &[Level]| {
            side.iter().take(levels).map(|level| Row::new(level, &board.instrument)).collect()
        };
        let [bid_levels, ask_levels] = depth.total;
        let (bid, ask) = (depth.bids().first(), depth.asks().first());
        let touch = bid.zip(ask).map(|(bid, ask)| (bid.px.0, ask.px.0));
        let touch = stamp.or_why(touch, "spread", "a side of the book is empty");
        let body = Body {
            symbol: board.instrument.symbol.to_string(),
            trading_state: board.state.name(),
            bids: rows(depth.bids()),
            asks: rows(depth.asks()),
            bid_levels,
            ask_levels,
            spread: touch.map(|(bid, ask)| decimal::px(Px(ask - bid), &board.instrument)),
            spread_bps: touch.and_then(|(bid, ask)| decimal::bps(ask - bid, bid, ask)),
        };
        Ok(Reply::new(stamp, body))
    }
}

impl Row {
    fn new(level: &Level, of: &Instrument) -> Row {
        Row {
            px: decimal::px(level.px, of),
            qty: decimal::qty(level.qty, of),
            orders: level.orders,
        }
    }
}
