//! Orders of a replay, written down beforehand: each is asked for right after the message that it names.

use std::collections::{HashMap, VecDeque};

use model::{
    AccountId, Announced, Ask, ClientOrderId, Conditions, Event, InstrumentId, Link, Money, Note,
    OrderId, OrderType, Origin, Px, Qty, Request, Side, Symbol, Terms, Tif, Ts,
};
use rust_decimal::Decimal;

use crate::step::Engine;

/// When a line is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// After this message of the feed, from 1.
    After(u64),
    /// After the last message up to this time of day, nanoseconds.
    At(u64),
}

/// What a line asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A new order.
    New {
        /// Of what.
        symbol: Symbol,
        /// Buy or sell.
        side: Side,
        /// Quantity.
        qty: Decimal,
        /// Limit price; without meaning where the type has none.
        px: Decimal,
        /// How it is priced.
        order_type: OrderType,
        /// How long it lives.
        tif: Tif,
        /// What else is asked of it.
        special: Special,
    },
    /// Announces a basket, which its legs name by the line's id.
    Basket {
        /// How many legs.
        legs: u8,
        /// What they are worth at most.
        money: Decimal,
    },
    /// Cancels the order of the line's id.
    Cancel,
    /// Gives the order of the line's id new terms; absent ones stay.
    Replace {
        /// New total quantity.
        qty: Option<Decimal>,
        /// New limit price.
        px: Option<Decimal>,
    },
}

/// What else a line asks of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Special {
    /// Trigger of a stop.
    pub stop_px: Option<Decimal>,
    /// Quantity shown at a time.
    pub display: Option<Decimal>,
    /// When it ends: time of the replay's day, nanoseconds.
    pub expires: Option<u64>,
    /// Only to rest.
    pub post_only: bool,
    /// Only to reduce.
    pub reduce_only: bool,
    /// Never sent: a parent.
    pub parent_only: bool,
    /// The name of the order whose place it takes.
    pub one_cancels: Option<ClientOrderId>,
    /// The name of its parent.
    pub parent: Option<ClientOrderId>,
    /// The name of the basket that it is a leg of.
    pub basket: Option<ClientOrderId>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it is due.
    pub when: When,
    /// The order's own name.
    pub id: ClientOrderId,
    /// Whose order.
    pub account: Symbol,
    /// What is asked.
    pub op: Op,
}

/// The lines still to come, in the order of their file: one that is due waits for those before it.
#[derive(Debug, Default)]
pub struct Script {
    lines: VecDeque<Line>,
    /// Orders that passed, by account and name.
    orders: HashMap<(Symbol, ClientOrderId), OrderId>,
    /// Numbers of baskets, likewise.
    baskets: HashMap<(Symbol, ClientOrderId), u64>,
    asked: u64,
}

impl Script {
    /// Lines in the order of their file.
    pub fn new(lines: Vec<Line>) -> Script {
        Script { lines: lines.into(), ..Script::default() }
    }

    /// Whether nothing is left to ask.
    pub fn is_done(&self) -> bool {
        self.lines.is_empty()
    }

    /// The next request that comes before `event`; at the end of the feed (`None`), whatever is left that is due by then.
    pub fn due(&mut self, event: Option<&Event>, engine: &Engine) -> Option<(Line, Request)> {
        let last = engine.last_event();
        let is_due = match (self.lines.front()?.when, event) {
            (When::After(message), Some(event)) => message < event.seq,
            (When::At(time), Some(event)) => time < event.ts_venue.time_of_day(),
            (When::After(message), None) => message <= last,
            (When::At(_), None) => true,
        };
        if !is_due {
            return None;
        }
        let line = self.lines.pop_front()?;
        self.asked += 1;
        if matches!(line.op, Op::Basket { .. }) {
            self.baskets.insert((line.account, line.id), self.asked);
        }
        let request = self.request(&line, engine);
        Some((line, request))
    }

    /// Notes which order a new one became.
    pub fn note(&mut self, line: &Line, order: OrderId) {
        if matches!(line.op, Op::New { .. }) && order != OrderId(0) {
            self.orders.insert((line.account, line.id), order);
        }
    }

    /// What the line asks. Names that are not known, and numbers that are no whole units, become values that the gate refuses.
    fn request(&self, line: &Line, engine: &Engine) -> Request {
        let account = engine.account(line.account).unwrap_or(AccountId(u16::MAX));
        let named = |id| self.orders.get(&(line.account, id)).copied().unwrap_or(OrderId(0));
        let known = named(line.id);
        let ask = match &line.op {
            Op::New { symbol, side, qty, px, order_type, tif, special } => {
                let listed = engine.instruments().iter().find(|l| l.instrument.symbol == *symbol);
                let instrument = listed.map(|l| l.instrument);
                let scale = instrument.map_or((0, 0), |i| (i.px_decimals, i.qty_decimals));
                let units = |value: Option<Decimal>, scale| {
                    value.map_or(0, |value| crate::rules::units(value, scale).unwrap_or(-1))
                };
                let midnight = engine.now().0 - engine.now().time_of_day();
                let one_cancels = special.one_cancels.map(|id| Link::OneCancels(named(id)));
                let basket = |id| self.baskets.get(&(line.account, id)).copied().unwrap_or(0);
                let link = one_cancels
                    .or(special.parent.map(|id| Link::Parent(named(id))))
                    .or(special.basket.map(|id| Link::Basket(basket(id))));
                let conditions = Conditions {
                    stop_px: Px(units(special.stop_px, scale.0)),
                    display: Qty(units(special.display, scale.1)),
                    expires: special.expires.map_or(Ts(0), |time| Ts(midnight + time)),
                    link,
                    post_only: special.post_only,
                    reduce_only: special.reduce_only,
                    parent_only: special.parent_only,
                };
                Ask::New(Terms {
                    client_id: line.id,
                    instrument: instrument.map_or(InstrumentId(u32::MAX), |i| i.id),
                    side: *side,
                    order_type: *order_type,
                    tif: *tif,
                    px: Px(crate::rules::units(*px, scale.0).unwrap_or(0)),
                    qty: Qty(crate::rules::units(*qty, scale.1).unwrap_or(0)),
                    conditions,
                })
            }
            Op::Basket { legs, money } => Ask::Basket(Announced {
                number: self.asked,
                legs: *legs,
                money: crate::rules::money(*money).unwrap_or(Money::ZERO),
            }),
            Op::Cancel => Ask::Cancel { order: known },
            Op::Replace { qty, px } => {
                let record = engine.orders().get(known);
                let listed = record.and_then(|r| engine.instruments().get(r.order.instrument.0));
                let scale = listed
                    .map_or((0, 0), |l| (l.instrument.px_decimals, l.instrument.qty_decimals));
                let old = record.map_or((0, 0), |r| (r.order.px.0, r.order.qty.0));
                let new = |value: Option<Decimal>, scale, old| {
                    value.map_or(old, |value| crate::rules::units(value, scale).unwrap_or(0))
                };
                let client_id =
                    ClientOrderId::new(&format!("replace-{}", self.asked)).unwrap_or(line.id);
                let (px, qty) = (Px(new(*px, scale.0, old.0)), Qty(new(*qty, scale.1, old.1)));
                Ask::Replace { order: known, client_id, px, qty }
            }
        };
        Request { id: self.asked, origin: Origin::File, account, ask, note: Note::default() }
    }
}
