//! `risk_status`: halts, the main limits, what is used of it and what is left, and what would pass.

use std::collections::BTreeMap;

use model::page::{Account, Board, Line, Room};
use model::{HaltCause, Instrument, Money, Qty, Reject, Side};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Tool};
use crate::decimal;
use crate::fault::Fault;
use crate::reply::{Reply, Stamp};
use crate::server::Sidecar;

pub struct RiskStatus;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Without it all.
    account: Option<String>,
    /// Only this instrument's limits.
    symbol: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Body {
    engine_halt: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    halt_cause: Option<&'static str>,
    accounts: Vec<AccountLimits>,
    /// By first failing rule.
    refused: BTreeMap<&'static str, u64>,
}

#[derive(Serialize, JsonSchema)]
struct AccountLimits {
    account: String,
    /// read, trade or close_only.
    permission: &'static str,
    /// Takes clients' orders.
    clients: bool,
    cancel_on_disconnect: bool,
    /// active, reduce_only, cancel_only or halted.
    halt: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    halt_cause: Option<&'static str>,
    currency: Option<String>,
    limits: Vec<Limit>,
    rate_window_us: u64,
    orders_passed: u64,
    orders_refused: u64,
    instruments: Vec<InstrumentLimits>,
}

#[derive(Serialize, JsonSchema)]
struct InstrumentLimits {
    symbol: String,
    halt: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    halt_cause: Option<&'static str>,
    /// Most per order.
    clip_max: String,
    /// Most money per order.
    notional_max: String,
    /// Most bps through the reference.
    band_bps: u32,
    limits: Vec<Limit>,
    /// Largest limit order that would pass at px as of engine_seq.
    order_max: Vec<OrderMax>,
}

#[derive(Serialize, JsonSchema)]
struct OrderMax {
    engine_seq: u64,
    side: &'static str,
    px: Option<String>,
    max_qty: Option<String>,
    binds: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct Limit {
    rule: &'static str,
    limit: String,
    used: String,
    headroom: String,
}

impl Tool for RiskStatus {
    const NAME: &'static str = "risk_status";
    const TITLE: &'static str = "Risk limits and headroom";
    const DESCRIPTION: &'static str = "\
        Halts, and the main limits of an account, working orders counted as filled; order_check has every rule. Not \
        shown: what the operator's kill switch counts (fast fills, many refusals, silence) and halts at by itself. An \
        instrument has a row once traded or asked of by order_check; its order_max is worked out when the engine is idle.";
    const EFFECT: Effect = Effect::Looks;
    type Args = Args;
    type Body = Body;

    async fn call(sidecar: &Sidecar, args: Args) -> Result<Reply<Body>, Fault> {
        let mut session = sidecar.attached()?;
        let only = args.symbol.map(|symbol| session.board_of(&symbol)).transpose()?;
        let accounts = match &args.account {
            Some(name) => vec![session.account_of(Some(name))?],
            None => session.accounts()?,
        };
        let moment = session.moment()?;
        let mut stamp = moment.stamp();
        let mut rows = Vec::new();
        for account in accounts {
            let mut row = AccountLimits::new(&account);
            for line in session.lines(account.id)? {
                if only.is_none_or(|board| board.instrument.id == line.instrument) {
                    let board = session.board(line.instrument)?;
                    row.instruments.push(InstrumentLimits::new(&line, &board, &mut stamp));
                }
            }
            rows.push(row);
        }
        let refused = Reject::counts(&moment.control.refused);
        let body = Body {
            engine_halt: moment.control.halt.name(),
            halt_cause: moment.control.halt_cause.map(HaltCause::name),
            accounts: rows,
            refused: refused.map(|(code, count)| (code.name(), count)).collect(),
        };
        Ok(Reply::new(stamp, body))
    }
}

impl AccountLimits {
    fn new(account: &Account) -> AccountLimits {
        let count = |rule, used: u32, limit: u32| Limit {
            rule,
            limit: limit.to_string(),
            used: used.to_string(),
            headroom: (i64::from(limit) - i64::from(used)).to_string(),
        };
        AccountLimits {
            account: account.name.to_string(),
            permission: account.permission.name(),
            clients: account.clients,
            cancel_on_disconnect: account.cancel_on_disconnect,
            halt: account.halt.name(),
            halt_cause: account.halt_cause.map(HaltCause::name),
            currency: decimal::currency(account.currency),
            limits: vec![
                money("gross", account.gross, account.gross_max),
                money("cash", account.reserved, account.cash),
                count("open_orders", account.open_orders, account.open_orders_max),
                count("rate", account.rate_used, account.rate_max),
            ],
            rate_window_us: account.rate_window_ns / 1_000,
            orders_passed: account.orders_passed,
            orders_refused: account.orders_refused,
            instruments: Vec::new(),
        }
    }
}

impl InstrumentLimits {
    fn new(line: &Line, board: &Board, stamp: &mut Stamp) -> InstrumentLimits {
        let instrument = &board.instrument;
        let held = i128::from(line.position.0);
        let side = |rule, worst: i128, limit: Qty| {
            let show = |value| decimal::text(value, instrument.qty_decimals.into());
            let limit = i128::from(limit.0);
            Limit { rule, limit: show(limit), used: show(worst), headroom: show(limit - worst) }
        };
        InstrumentLimits {
            symbol: instrument.symbol.to_string(),
            halt: board.halt.name(),
            halt_cause: board.halt_cause.map(HaltCause::name),
            clip_max: decimal::qty(line.clip_max, instrument),
            notional_max: decimal::money(line.notional_max),
            band_bps: line.band_bps,
            limits: vec![
                side("position_long", held + i128::from(line.working_buy.0), line.long_max),
                side("position_short", i128::from(line.working_sell.0) - held, line.short_max),
            ],
            order_max: OrderMax::of(line, instrument, stamp),
        }
    }
}

impl OrderMax {
    fn of(line: &Line, of: &Instrument, stamp: &mut Stamp) -> Vec<OrderMax> {
        let Some(rooms) = line.headroom else {
            stamp.why("order_max", "not worked out yet: the engine had no idle moment");
            return Vec::new();
        };
        let mut row = |side: Side, room: Result<Room, Reject>| {
            if room.is_err() {
                stamp.why("px, max_qty", "no price to ask the gate at; binds says what refuses");
            }
            OrderMax {
                engine_seq: rooms.engine_seq,
                side: side.name(),
                px: room.ok().map(|room| decimal::px(room.px, of)),
                max_qty: room.ok().map(|room| decimal::qty(room.most.qty, of)),
                binds: room.map_or_else(Reject::name, |room| room.most.binds.name()),
            }
        };
        let [buys, sells] = rooms.sides;
        vec![row(Side::Buy, buys), row(Side::Sell, sells)]
    }
}

fn money(rule: &'static str, used: Money, limit: Money) -> Limit {
    let headroom = Money(limit.0.saturating_sub(used.0));
    let [limit, used, headroom] = [limit, used, headroom].map(decimal::money);
    Limit { rule, limit, used, headroom }
}
