//! `order_change`: cancel or replace a working order.

use model::page::{Board, OrderCell};
use model::{Ask, Px, Qty};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Effect, Tool};
use crate::decimal::Decimal;
use crate::fault::Fault;
use crate::order;
use crate::outcome::Outcome;
use crate::reply::Reply;
use crate::rule::Judged;
use crate::server::Sidecar;
use crate::session::Session;
use crate::terms;

pub struct OrderChange;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    order_id: String,
    /// true cancels; then qty and limit must be absent.
    #[serde(default)]
    cancel: bool,
    /// New total quantity, filled part included.
    qty: Option<Decimal>,
    /// New limit price.
    limit: Option<Decimal>,
    /// Your name of this change; of a replace as for order_request.
    client_request_id: String,
}

impl Tool for OrderChange {
    const NAME: &'static str = "order_change";
    const TITLE: &'static str = "Cancel or replace an order";
    const DESCRIPTION: &'static str = "\
        Cancels a working order (cancel: true), or replaces its total quantity, its limit or both; \
        what is not given stays. A cancel always passes the gate; a replace is judged like a new \
        order and loses its place in the queue. The answer's order.state may be pending_cancel or \
        pending_replace: look again with orders_list.";
    const EFFECT: Effect = Effect::Trades;
    type Args = Args;
    type Body = Outcome;

    async fn call(sidecar: &Sidecar, args: Args) -> Result<Reply<Outcome>, Fault> {
        terms::client_id(&args.client_request_id)?;
        let (cell, board) = find(&*sidecar.attached()?, &args.order_id)?;
        let (ask, px, qty) = args.read(&cell, &board)?;
        let answer = sidecar.ask(cell.order.account, ask, &args.client_request_id).await?;
        let judged = Judged { board: &board, side: cell.order.side, px, qty };
        Outcome::reply(&sidecar.session(), &answer, cell.order.id, &judged)
    }
}

/// The order of that number and its instrument.
fn find(session: &Session, order_id: &str) -> Result<(OrderCell, Board), Fault> {
    let fix = "take order_id from orders_list";
    if session.restarted() {
        let message = "nothing was sent: the engine was started again since you got this order_id, \
                       which may mean another order now";
        return Err(Fault::new("engine_restarted", message, fix));
    }
    let cell = session.order(order::order_id(order_id)?)?;
    let cell = cell.ok_or_else(|| {
        Fault::new("unknown_order", "the engine keeps no order of that number", fix)
    })?;
    let board = session.board(cell.order.instrument)?;
    Ok((cell, board))
}

impl Args {
    /// What to ask for, and the price and quantity that would stand.
    fn read(&self, cell: &OrderCell, board: &Board) -> Result<(Ask, Px, Qty), Fault> {
        let order = &cell.order;
        let Args { cancel, qty, limit, .. } = self;
        match (cancel, qty, limit) {
            (true, None, None) => Ok((Ask::Cancel { order: order.id }, order.px, order.qty)),
            (true, ..) => Err(Fault::argument(
                "cancel comes with qty or limit",
                "send cancel: true alone to cancel, or qty and limit without it to replace",
            )),
            (false, None, None) => Err(Fault::argument(
                "nothing to change",
                "send cancel: true, or a new qty, or a new limit",
            )),
            (false, qty, limit) => {
                let instrument = &board.instrument;
                let qty = qty.as_ref().map(|qty| qty.units("qty", instrument.qty_decimals));
                let px = limit.as_ref().map(|limit| limit.units("limit", instrument.px_decimals));
                let qty = qty.transpose()?.map_or(order.qty, Qty);
                let px = px.transpose()?.map_or(order.px, Px);
                let client_id = terms::client_id(&self.client_request_id)?;
                Ok((Ask::Replace { order: order.id, client_id, px, qty }, px, qty))
            }
        }
    }
}
