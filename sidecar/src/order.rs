//! An order of this engine as an agent reads it.

use model::page::{Board, OrderCell};
use model::{OrderId, Origin, Reject};
use schemars::JsonSchema;
use serde::Serialize;

use crate::decimal;
use crate::fault::Fault;
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
    /// Total, filled part included.
    pub qty: String,
    pub limit: String,
    /// pending_new, working, pending_cancel, pending_replace, filled, cancelled or rejected.
    pub state: &'static str,
    pub filled_qty: String,
    /// Cut to 6 places beyond the price's; null before the first fill.
    pub filled_avg_px: Option<String>,
    /// Exact sum of px * qty of its fills.
    pub filled_notional: String,
    /// Quantity in front of it at its price; null unless it rests and the venue tells.
    pub queue_ahead: Option<String>,
    /// Rule that refused it or its last change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject: Option<&'static str>,
    /// Who asked: desk, strategy or file.
    pub origin: &'static str,
    pub reason: String,
    pub ts_created_ns: String,
    pub ts_updated_ns: String,
}

/// Places of an average price beyond those of a price.
const AVERAGE_DECIMALS: u32 = 6;

impl OrderView {
    /// The order in a cell, with the pages that its numbers need.
    ///
    /// # Errors
    ///
    /// One of the pages cannot be read.
    pub fn read(session: &Session, cell: &OrderCell) -> Result<OrderView, Fault> {
        let board = session.board(cell.order.instrument)?;
        let accounts = session.accounts()?;
        let account = accounts.iter().find(|account| account.id == cell.order.account);
        let name = account.map_or_else(String::new, |account| account.name.to_string());
        Ok(OrderView::new(cell, name, &board))
    }

    /// The order in a cell.
    pub fn new(cell: &OrderCell, account: String, board: &Board) -> OrderView {
        let order = &cell.order;
        let instrument = &board.instrument;
        OrderView {
            order_id: order.id.0.to_string(),
            client_request_id: order.client_id.to_string(),
            account,
            symbol: instrument.symbol.to_string(),
            side: order.side.name(),
            order_type: order.order_type.name(),
            tif: order.tif.name(),
            qty: decimal::qty(order.qty, instrument),
            limit: decimal::px(order.px, instrument),
            state: cell.state.name(),
            filled_qty: decimal::qty(cell.filled, instrument),
            filled_avg_px: average(cell, board),
            filled_notional: decimal::money(cell.notional_filled),
            queue_ahead: cell.ahead.map(|ahead| decimal::qty(ahead, instrument)),
            reject: cell.reject.map(Reject::name),
            origin: match order.origin {
                Origin::Desk(_) => "desk",
                Origin::Strategy(_) => "strategy",
                Origin::File => "file",
            },
            reason: order.note.to_string(),
            ts_created_ns: cell.ts_created.0.to_string(),
            ts_updated_ns: cell.ts_updated.0.to_string(),
        }
    }
}

/// Average price of the fills.
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
