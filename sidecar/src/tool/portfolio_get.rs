//! `portfolio_get`: money and positions.

use model::page::{Account, Line, NoFifo};
use model::{Instrument, Money};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Tool};
use crate::decimal;
use crate::fault::Fault;
use crate::reply::{Reply, Stamp};
use crate::server::Sidecar;
use crate::session::Session;

pub struct PortfolioGet;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Without it all.
    account: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Body {
    accounts: Vec<Portfolio>,
}

#[derive(Serialize, JsonSchema)]
struct Portfolio {
    account: String,
    currency: Option<String>,
    /// Start + sales - purchases - fees.
    cash: String,
    /// Cash that working buys may still use.
    reserved: String,
    /// cash - reserved.
    buying_power: Option<String>,
    /// Before fees.
    realised_pnl: String,
    unrealised_pnl: Option<String>,
    fees: String,
    /// Of the session, less fees: what loss limits count.
    session_pnl: String,
    /// Worst case if every working order fills.
    gross_exposure: String,
    open_orders: u32,
    /// Instruments held or worked.
    positions: Vec<Position>,
}

#[derive(Serialize, JsonSchema)]
struct Position {
    symbol: String,
    /// Negative is short.
    qty: String,
    working_buy: String,
    working_sell: String,
    /// Of what is still held.
    avg_cost: Option<String>,
    mark: Option<String>,
    realised_pnl: String,
    realised_fifo: Option<String>,
    unrealised_pnl: Option<String>,
}

impl Tool for PortfolioGet {
    const NAME: &'static str = "portfolio_get";
    const TITLE: &'static str = "Portfolio";
    const DESCRIPTION: &'static str = "\
        Cash, buying power, profit and loss, exposure and positions of one account or all, in its \
        currency, at average cost and FIFO. Limits: risk_status; orders: orders_list.";
    const EFFECT: Effect = Effect::Looks;
    type Args = Args;
    type Body = Body;

    async fn call(sidecar: &Sidecar, args: Args) -> Result<Reply<Body>, Fault> {
        let session = sidecar.attached()?;
        let accounts = match &args.account {
            Some(name) => vec![session.account_of(Some(name))?],
            None => session.accounts()?,
        };
        let mut stamp = session.moment()?.stamp();
        let read = |account| Portfolio::read(&session, account, &mut stamp);
        let accounts = accounts.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Reply::new(stamp, Body { accounts }))
    }
}

impl Portfolio {
    fn read(session: &Session, account: &Account, stamp: &mut Stamp) -> Result<Portfolio, Fault> {
        let mut positions = Vec::new();
        let mut unrealised = Some(Money::ZERO);
        for line in session.lines(account.id)? {
            let idle = line.working_buy.0 == 0 && line.working_sell.0 == 0;
            if line.position.0 == 0 && idle {
                continue;
            }
            let board = session.board(line.instrument)?;
            let of_line = unrealised_of(&line, &board.instrument);
            unrealised = unrealised.zip(of_line).and_then(|(sum, line)| sum.plus(line));
            positions.push(Position::new(&line, &board.instrument, stamp));
        }
        let free = account.cash.minus(account.reserved).map(decimal::money);
        let no_mark = "a position has no fresh price to value it by";
        Ok(Portfolio {
            account: account.name.to_string(),
            currency: decimal::currency(account.currency),
            cash: decimal::money(account.cash),
            reserved: decimal::money(account.reserved),
            buying_power: stamp.or_why(free, "buying_power", "out of range"),
            realised_pnl: decimal::money(account.realised),
            unrealised_pnl: stamp.or_why(unrealised.map(decimal::money), "unrealised_pnl", no_mark),
            fees: decimal::money(account.fees),
            session_pnl: decimal::money(account.session_profit),
            gross_exposure: decimal::money(account.gross),
            open_orders: account.open_orders,
            positions,
        })
    }
}

impl Position {
    fn new(line: &Line, of: &Instrument, stamp: &mut Stamp) -> Position {
        let mark = line.mark.map(|mark| decimal::px(mark, of));
        let flat = "nothing is held";
        let fifo = line.realised_fifo;
        let gap = fifo.err().map_or("", no_fifo);
        Position {
            symbol: of.symbol.to_string(),
            qty: decimal::qty(line.position, of),
            working_buy: decimal::qty(line.working_buy, of),
            working_sell: decimal::qty(line.working_sell, of),
            avg_cost: stamp.or_why(average_cost(line, of), "avg_cost", flat),
            mark: stamp.or_why(mark, "mark", "no fresh price"),
            realised_pnl: decimal::money(line.realised),
            realised_fifo: stamp.or_why(fifo.map(decimal::money).ok(), "realised_fifo", gap),
            unrealised_pnl: unrealised_of(line, of).map(decimal::money),
        }
    }
}

/// Why there is no profit first in, first out.
fn no_fifo(gap: NoFifo) -> &'static str {
    match gap {
        NoFifo::LotsFull => "the positions have more lots than the engine has room for",
        NoFifo::Bust => "a fill was broken: known again once the position is flat",
        NoFifo::Split => "a split left part of a unit: known again once the position is flat",
        NoFifo::Overflow => "out of range",
        NoFifo::Unrecorded => "the position was there before the first order",
    }
}

/// Value at the mark less cost. What is not held is worth nothing, marked or not.
fn unrealised_of(line: &Line, of: &Instrument) -> Option<Money> {
    if line.position.0 == 0 {
        return Some(Money::ZERO);
    }
    Money::of(line.mark?, line.position, of.money_factor()?)?.minus(line.cost)
}

/// Cost of one unit, cut to 6 places beyond the price's.
fn average_cost(line: &Line, of: &Instrument) -> Option<String> {
    let held = i128::from(of.money_factor()?).checked_mul(line.position.0.into())?;
    let units = line.cost.0.checked_mul(1_000_000)?.checked_div(held)?;
    Some(decimal::text(units, u32::from(of.px_decimals) + 6))
}
