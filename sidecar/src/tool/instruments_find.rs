//! `instruments_find`: from a few letters to symbols that can be asked for.

use std::cmp::Reverse;

use model::HaltCause;
use model::page::Board;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Tool, within};
use crate::decimal;
use crate::fault::Fault;
use crate::reply::Reply;
use crate::server::Sidecar;

/// Instruments of one call.
const LIMIT_MAX: usize = 100;

pub struct InstrumentsFind;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Part of a symbol, any case; without it the most traded instruments of the day.
    query: Option<String>,
    /// 1 to 100, default 10.
    limit: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
pub struct Body {
    instruments: Vec<Row>,
    /// How many match, listed or not.
    matches: usize,
}

#[derive(Serialize, JsonSchema)]
struct Row {
    symbol: String,
    /// Prices must be multiples of it.
    px_step: Option<String>,
    /// Quantities must be multiples of it.
    lot: Option<String>,
    currency: Option<String>,
    /// Orders need "trading".
    trading_state: &'static str,
    /// Orders need "live".
    integrity: &'static str,
    /// Orders need "active" (engine, account: risk_status).
    halt: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    halt_cause: Option<&'static str>,
    trades_today: u64,
}

impl Tool for InstrumentsFind {
    const NAME: &'static str = "instruments_find";
    const TITLE: &'static str = "Find instruments";
    const DESCRIPTION: &'static str = "\
        Finds instruments by part of their symbol, best match first, with price step, lot, currency \
        and whether they can be traded now. Use it before any tool that needs a symbol you are not \
        sure of.";
    const EFFECT: Effect = Effect::Looks;
    type Args = Args;
    type Body = Body;

    async fn call(sidecar: &Sidecar, args: Args) -> Result<Reply<Body>, Fault> {
        let limit = within("limit", args.limit.unwrap_or(10), LIMIT_MAX)?;
        let session = sidecar.attached()?;
        let query = args.query.unwrap_or_default().trim().to_ascii_uppercase();
        let mut found: Vec<(Rank, Board)> = session
            .boards()?
            .into_iter()
            .filter_map(|board| rank(board.instrument.symbol.as_str(), &query).map(|r| (r, board)))
            .collect();
        found.sort_by_key(|(rank, board)| (*rank, Reverse(board.trades), board.instrument.symbol));
        let matches = found.len();
        found.truncate(limit);
        let mut stamp = session.moment()?.stamp();
        if found.iter().any(|(_, board)| !board.instrument.is_configured()) {
            stamp.why(
                "px_step, lot, currency",
                "the operator has not configured the instrument: orders are refused",
            );
        }
        let instruments = found.iter().map(|(_, board)| Row::new(board)).collect();
        Ok(Reply::new(stamp, Body { instruments, matches }))
    }
}

impl Row {
    fn new(board: &Board) -> Row {
        let instrument = &board.instrument;
        let configured = instrument.is_configured();
        Row {
            symbol: instrument.symbol.to_string(),
            px_step: configured.then(|| decimal::px(instrument.px_step, instrument)),
            lot: configured.then(|| decimal::qty(instrument.lot, instrument)),
            currency: decimal::currency(instrument.currency),
            trading_state: board.state.name(),
            integrity: board.integrity.name(),
            halt: board.halt.name(),
            halt_cause: board.halt_cause.map(HaltCause::name),
            trades_today: board.trades,
        }
    }
}

/// How well a symbol fits, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Equal,
    Begins,
    Contains,
}

fn rank(symbol: &str, query: &str) -> Option<Rank> {
    let symbol = symbol.to_ascii_uppercase();
    match symbol.find(query)? {
        0 if symbol.len() == query.len() => Some(Rank::Equal),
        0 => Some(Rank::Begins),
        _ => Some(Rank::Contains),
    }
}
