//! An order of this engine as an agent reads it.

use model::page::{Board, OrderCell};
use model::{Link, OrderId, Origin, Px, Qty, Reject, Ts};
use schemars::JsonSchema;
use serde::Serialize;

use crate::decimal;
use crate::fault::Fault;
use crate::reply::Stamp;
use crate::session::{Session, excerpt};

/// One order.
#[derive(Serialize, JsonSchema)]
pub struct OrderView {
    pub order_id: String,
    pub client_request_id: String,
    pub account: String,
    pub symbol: String,
    pub side: &'static str,
    #[serde(rename = "type")]
    pub order_type: &'static str,
    pub tif: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    #[serde(flatten)]
    pub progress: Progress,
    /// Sum of px * qty of its fills.
    pub filled_notional: String,
    /// Rule that refused it or its last change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject: Option<&'static str>,
    /// desk, strategy or file.
    pub origin: &'static str,
    pub reason: String,
    pub ts_created_ns: String,
    pub ts_updated_ns: String,
}

/// How far it is.
#[derive(Serialize, JsonSchema)]
pub struct Progress {
    pub state: &'static str,
    pub qty: String,
    pub limit: String,
    pub filled_qty: String,
    pub filled_avg_px: Option<String>,
    pub queue_ahead: Option<String>,
}

/// Places of an average price beyond those of a price.
const AVERAGE_DECIMALS: u32 = 6;

impl OrderView {
    /// The order in a cell, with the pages that its names and units need.
    ///
    /// # Errors
    ///
    /// One of the pages cannot be read.
    pub fn read(
        session: &Session,
        cell: &OrderCell,
        stamp: &mut Stamp,
    ) -> Result<OrderView, Fault> {
        let order = &cell.order;
        let board = session.board(order.instrument)?;
        let accounts = session.accounts()?;
        let account = accounts.iter().find(|account| account.id == order.account);
        Ok(OrderView {
            order_id: order.id.0.to_string(),
            client_request_id: order.client_id.to_string(),
            account: account.map_or_else(String::new, |account| account.name.to_string()),
            symbol: board.instrument.symbol.to_string(),
            side: order.side.name(),
            order_type: order.order_type.name(),
            tif: order.tif.name(),
            conditions: conditions(cell, &board),
            progress: Progress::of(cell, &board, stamp),
            filled_notional: decimal::money(cell.notional_filled),
            reject: cell.reject.map(Reject::name),
            origin: match order.origin {
                Origin::Desk(_) => "desk",
                Origin::Strategy(_) => "strategy",
                Origin::File => "file",
            },
            reason: order.note.to_string(),
            ts_created_ns: cell.ts_created.0.to_string(),
            ts_updated_ns: cell.ts_updated.0.to_string(),
        })
    }
}

impl Progress {
    /// The progress of the order in a cell.
    pub fn of(cell: &OrderCell, board: &Board, stamp: &mut Stamp) -> Progress {
        let instrument = &board.instrument;
        let ahead = cell.ahead.map(|ahead| decimal::qty(ahead, instrument));
        let no_queue = "does not rest, or the venue does not tell";
        Progress {
            state: cell.state.name(),
            qty: decimal::qty(cell.order.qty, instrument),
            limit: decimal::px(cell.order.px, instrument),
            filled_qty: decimal::qty(cell.filled, instrument),
            filled_avg_px: stamp.or_why(
                average(cell, board),
                "filled_avg_px",
                "nothing is filled yet",
            ),
            queue_ahead: stamp.or_why(ahead, "queue_ahead", no_queue),
        }
    }
}

/// What is asked of an order beyond the usual, a name and a value each.
fn conditions(cell: &OrderCell, board: &Board) -> Vec<String> {
    let (of, instrument) = (&cell.order.conditions, &board.instrument);
    let mut all = Vec::new();
    let mut note = |is_set: bool, text: String| all.extend(is_set.then_some(text));
    note(of.stop_px != Px(0), format!("stop {}", decimal::px(of.stop_px, instrument)));
    note(of.display != Qty(0), format!("display {}", decimal::qty(of.display, instrument)));
    note(of.expires != Ts(0), format!("expires_ns {}", of.expires.0));
    match of.link {
        None => {}
        Some(Link::OneCancels(order)) => note(true, format!("one_cancels {}", order.0)),
        Some(Link::Parent(order)) => note(true, format!("parent {}", order.0)),
        Some(Link::Basket(number)) => note(true, format!("basket {number}")),
    }
    note(of.post_only, "post_only".into());
    note(of.reduce_only, "reduce_only".into());
    let children = decimal::qty(cell.children, instrument);
    note(of.parent_only, format!("parent_only, children {children}"));
    all
}

/// Average price of the fills, cut to [`AVERAGE_DECIMALS`] more places than a price has.
fn average(cell: &OrderCell, board: &Board) -> Option<String> {
    let filled = i128::from(cell.filled.0);
    let per_unit = i128::from(board.instrument.money_factor()?).checked_mul(filled)?;
    let scaled = cell.notional_filled.0.checked_mul(10_i128.pow(AVERAGE_DECIMALS))?;
    let decimals = u32::from(board.instrument.px_decimals) + AVERAGE_DECIMALS;
    scaled.checked_div(per_unit).map(|units| decimal::text(units, decimals))
}

/// Reads an order's number.
///
/// # Errors
///
/// It is none.
pub fn order_id(text: &str) -> Result<OrderId, Fault> {
    text.parse().map(OrderId).map_err(|_| {
        Fault::argument(
            format!("order_id {:?} is not a number", excerpt(text)),
            "take order_id from order_request or orders_list, as a string",
        )
    })
}
