//! `orders_list`: orders and their fills.

use std::cmp::Reverse;

use model::page::OrderCell;
use model::{AccountId, InstrumentId, OrderId, OrderState, Ts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Tool, within};
use crate::fault::Fault;
use crate::order::OrderView;
use crate::reply::Reply;
use crate::server::Sidecar;

/// Orders of one call.
const LIMIT_MAX: usize = 100;

pub struct OrdersList;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    account: Option<String>,
    symbol: Option<String>,
    #[serde(default)]
    status: Status,
    /// One order, by order_id or client_request_id.
    id: Option<String>,
    /// 1 to 100, default 20.
    limit: Option<usize>,
    /// next_cursor of the page before.
    cursor: Option<String>,
}

/// Which orders.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    Open,
    Closed,
    Filled,
    Cancelled,
    Rejected,
    Expired,
    #[default]
    All,
}

#[derive(Serialize, JsonSchema)]
pub struct Body {
    orders: Vec<OrderView>,
    /// All that match, on every page.
    matches: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Tool for OrdersList {
    const NAME: &'static str = "orders_list";
    const TITLE: &'static str = "List orders";
    const DESCRIPTION: &'static str = "\
        Orders that passed the gate, newest first, with state, fills and quantity ahead in the queue; \
        closed ones stay until the engine needs their slot. status open means: can still fill; state is \
        held (waits in the engine), pending_new, working, partially_filled, pending_cancel, \
        pending_replace, unknown, filled, cancelled, expired or rejected.";
    const EFFECT: Effect = Effect::Looks;
    type Args = Args;
    type Body = Body;

    async fn call(sidecar: &Sidecar, args: Args) -> Result<Reply<Body>, Fault> {
        let mut session = sidecar.attached()?;
        let symbol = args.symbol.as_deref().map(|symbol| session.board_of(symbol)).transpose()?;
        let account =
            args.account.as_deref().map(|name| session.account_of(Some(name))).transpose()?;
        let wanted = Wanted {
            account: account.map(|account| account.id),
            instrument: symbol.map(|board| board.instrument.id),
            status: args.status,
            id: args.id.as_deref(),
        };
        let from = args.cursor.as_deref().map(Place::read).transpose()?;
        let mut cells = session.orders()?;
        cells.retain(|cell| wanted.includes(cell));
        let matches = cells.len();
        cells.sort_by_key(|cell| Reverse(Place::of(cell)));
        cells.retain(|cell| from.is_none_or(|from| Place::of(cell) < from));
        let limit = within("limit", args.limit.unwrap_or(20), LIMIT_MAX)?;
        let more = cells.len() > limit;
        cells.truncate(limit);
        let mut stamp = session.moment()?.stamp();
        let read = |cell| OrderView::read(&session, cell, &mut stamp);
        let orders = cells.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let last = cells.last().filter(|_| more);
        let body = Body { orders, matches, next_cursor: last.map(|cell| Place::of(cell).write()) };
        Ok(Reply::new(stamp, body))
    }
}

struct Wanted<'a> {
    account: Option<AccountId>,
    instrument: Option<InstrumentId>,
    status: Status,
    id: Option<&'a str>,
}

impl Wanted<'_> {
    fn includes(&self, cell: &OrderCell) -> bool {
        let order = &cell.order;
        let number = self.id.and_then(|id| id.parse().ok()).map(OrderId);
        let is_it = |id: &str| number == Some(order.id) || order.client_id.as_str() == id;
        self.account.is_none_or(|account| account == order.account)
            && self.instrument.is_none_or(|instrument| instrument == order.instrument)
            && self.status.includes(cell.state)
            && self.id.is_none_or(is_it)
    }
}

impl Status {
    fn includes(self, state: OrderState) -> bool {
        match self {
            Status::Open => state.is_open(),
            Status::Closed => !state.is_open(),
            Status::Filled => state == OrderState::Filled,
            Status::Cancelled => state == OrderState::Cancelled,
            Status::Rejected => state == OrderState::Rejected,
            Status::Expired => state == OrderState::Expired,
            Status::All => true,
        }
    }
}

/// An order's place in the list. New orders go in front of every place that a cursor can hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    created: Ts,
    id: OrderId,
}

impl Place {
    fn of(cell: &OrderCell) -> Place {
        Place { created: cell.ts_created, id: cell.order.id }
    }

    fn write(self) -> String {
        format!("{}-{}", self.created.0, self.id.0)
    }

    fn read(cursor: &str) -> Result<Place, Fault> {
        let parts = cursor.split_once('-').and_then(|(created, id)| {
            Some(Place { created: Ts(created.parse().ok()?), id: OrderId(id.parse().ok()?) })
        });
        let fix = "send next_cursor of the page before, unchanged";
        parts.ok_or_else(|| Fault::argument("cursor is none of this tool's", fix))
    }
}
