//! A venue that trades orders of ours at random and tells of it badly: a plain list of orders and executions that knows
//! nothing of the engine's books.

use std::collections::BTreeMap;

use model::{Holder, Link, Order, OrderId, Px, Qty, Report, ReportKind, Side, Tif};
use tests::rogue::Dice;

use super::one_in;

/// How bad a venue is: chances in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// A report never arrives.
    pub lost: u64,
    /// A report arrives twice.
    pub doubled: u64,
    /// A report takes up to this long; the next may be faster.
    pub delay_ms: u64,
    /// Something happens to an order, in each millisecond.
    pub acts: u64,
    /// An order is refused.
    pub rejects: u64,
    /// A cancelled order trades after its end was told.
    pub late: u64,
    /// An order trades more than it is for.
    pub over: u64,
    /// A trade is taken back.
    pub busts: u64,
    /// The session goes down, in each millisecond.
    pub drops: u64,
    /// Orders are cancelled when it does.
    pub cancels_on_drop: u64,
}

/// An order at the venue.
#[derive(Clone, Copy, Debug)]
pub struct Working {
    pub order: Order,
    /// Quantity traded, taken back or not.
    pub cum: i64,
    /// The largest quantity that it ever was for.
    pub most: i64,
    /// The last change that was dealt with.
    pub change: u16,
    /// How it ended; `None`: it is open.
    pub ended: Option<ReportKind>,
}

impl Working {
    pub fn leaves(&self) -> i64 {
        if self.ended.is_some() { 0 } else { (self.order.qty.0 - self.cum).max(0) }
    }
}

/// One execution.
#[derive(Clone, Copy, Debug)]
pub struct Trade {
    pub order: OrderId,
    pub side: Side,
    pub px: i64,
    pub qty: i64,
    pub busted: bool,
}

#[derive(Debug, Default)]
pub struct Venue {
    pub orders: BTreeMap<u64, Working>,
    pub trades: Vec<Trade>,
    /// Reports to be told, with their faults still to come.
    pub says: Vec<Report>,
    /// Quantity traded that no order was for, by side.
    pub excess: [i64; 2],
    /// Whether anything was done that no honest venue does.
    pub lied: bool,
}

impl Venue {
    pub fn position(&self) -> i64 {
        self.trades
            .iter()
            .filter(|trade| !trade.busted)
            .map(|trade| sign(trade.side) * trade.qty)
            .sum()
    }

    pub fn on_new(&mut self, order: Order, faults: &Faults, dice: &mut Dice) {
        let refused = one_in(dice, faults.rejects);
        let ended = refused.then_some(ReportKind::Rejected);
        let working = Working { order, cum: 0, most: order.qty.0, change: 0, ended };
        assert!(!order.is_held(), "a stop or a parent left the engine: {order:?}");
        if let Some(Link::OneCancels(other)) = order.conditions.link {
            let other = self.orders.get(&other.0);
            assert!(other.is_none_or(|w| w.ended.is_some()), "both of two are at the venue");
            // Of terms that it never had to hear of, the larger count.
            let fits = |w: &Working| w.cum + order.qty.0 <= w.most;
            assert!(self.lied || other.is_none_or(fits), "more than the other left open");
        }
        let twice = self.orders.insert(order.id.0, working);
        assert!(twice.is_none(), "the same order twice: {order:?}");
        self.say(if refused { ReportKind::Rejected } else { ReportKind::Ack }, order.id, 0);
        if order.tif == Tif::Ioc && !refused {
            if dice.below(2) == 0 {
                self.trade(order.id, faults, dice);
            }
            if self.orders[&order.id.0].ended.is_none() {
                self.end(order.id, ReportKind::Cancelled);
            }
        }
    }

    pub fn on_replace(&mut self, order: Order, change: u16, faults: &Faults, dice: &mut Dice) {
        let refused = one_in(dice, faults.rejects);
        let Some(working) = self.orders.get_mut(&order.id.0) else { panic!("replaces nothing") };
        assert!(working.change < change, "the same change twice");
        working.change = change;
        if refused || working.ended.is_some() {
            return self.say(ReportKind::ReplaceRejected, order.id, change);
        }
        (working.order.px, working.order.qty) = (order.px, order.qty);
        working.most = working.most.max(order.qty.0);
        if order.qty.0 <= working.cum {
            working.ended = Some(ReportKind::Cancelled);
        }
        self.say(ReportKind::Replaced, order.id, change);
    }

    pub fn on_cancel(&mut self, id: OrderId, change: u16) {
        let Some(working) = self.orders.get_mut(&id.0) else { return };
        working.change = working.change.max(change);
        if working.ended.is_some() {
            return self.say(ReportKind::CancelRejected, id, change);
        }
        self.end(id, ReportKind::Cancelled);
    }

    /// Tells of an order again: its executions, and where it stands.
    pub fn on_status(&mut self, id: OrderId) {
        for (number, trade) in self.trades.iter().enumerate() {
            if trade.order == id {
                self.says.extend(self.tell_trade(number, trade));
            }
        }
        let kind = match self.orders.get(&id.0) {
            None => ReportKind::NotFound,
            Some(working) => working.ended.unwrap_or(ReportKind::Restated),
        };
        self.say(kind, id, self.orders.get(&id.0).map_or(0, |working| working.change));
    }

    /// Everything that it knows: executions, then what is open, and how many those are.
    pub fn snapshot(&self, round: u32) -> (Vec<Report>, u32) {
        let trades = self.trades.iter().enumerate();
        let mut all: Vec<_> = trades.flat_map(|(number, t)| self.tell_trade(number, t)).collect();
        let open = self.orders.values().filter(|working| working.ended.is_none());
        let open: Vec<_> = open
            .map(|working| self.told(ReportKind::Restated, working.order.id, working.change))
            .map(|told| Report { exec_id: round.into(), ..told })
            .collect();
        let count = open.len() as u32;
        all.extend(open);
        (all, count)
    }

    /// Something happens to an order that is open.
    pub fn act(&mut self, faults: &Faults, dice: &mut Dice) {
        let open: Vec<_> =
            self.orders.values().filter(|w| w.ended.is_none()).map(|w| w.order.id).collect();
        if !open.is_empty() {
            let id = open[dice.below(open.len() as u64) as usize];
            match dice.below(20) {
                0 => self.end(id, ReportKind::Cancelled),
                1 => self.end(id, ReportKind::Expired),
                _ => self.trade(id, faults, dice),
            }
        }
        if one_in(dice, faults.late) {
            self.trade_late(dice);
        }
        if one_in(dice, faults.busts) && !self.trades.is_empty() {
            let number = dice.below(self.trades.len() as u64) as usize;
            self.bust(number);
        }
    }

    pub fn drop_session(&mut self, faults: &Faults, dice: &mut Dice) {
        let ids: Vec<_> = self.orders.values().map(|working| working.order.id).collect();
        for id in ids {
            if one_in(dice, faults.cancels_on_drop) && self.orders[&id.0].ended.is_none() {
                self.end(id, ReportKind::Cancelled);
            }
        }
    }

    fn trade(&mut self, id: OrderId, faults: &Faults, dice: &mut Dice) {
        let working = self.orders[&id.0];
        let leaves = working.leaves();
        let mut qty = 1 + dice.below(leaves.max(1) as u64) as i64;
        if one_in(dice, faults.over) {
            qty = leaves + 1 + dice.below(3) as i64;
            self.excess[working.order.side.index()] += qty - leaves;
            self.lied = true;
        }
        self.execute(id, qty);
        let working = &self.orders[&id.0];
        if working.cum >= working.order.qty.0 {
            self.orders.get_mut(&id.0).unwrap().ended = Some(ReportKind::Cancelled);
        }
    }

    /// An order that was cancelled trades all the same.
    fn trade_late(&mut self, dice: &mut Dice) {
        let cancelled = |working: &&Working| {
            working.ended == Some(ReportKind::Cancelled) && working.cum < working.order.qty.0
        };
        let ids: Vec<_> = self.orders.values().filter(cancelled).map(|w| w.order.id).collect();
        if ids.is_empty() {
            return;
        }
        let id = ids[dice.below(ids.len() as u64) as usize];
        let side = self.orders[&id.0].order.side;
        self.execute(id, 1);
        self.excess[side.index()] += 1;
        self.lied = true;
    }

    fn execute(&mut self, id: OrderId, qty: i64) {
        let working = self.orders.get_mut(&id.0).unwrap();
        working.cum += qty;
        let (side, px) = (working.order.side, working.order.px.0);
        let trade = Trade { order: id, side, px, qty, busted: false };
        self.trades.push(trade);
        let number = self.trades.len() - 1;
        self.says.extend(self.tell_trade(number, &trade));
    }

    fn bust(&mut self, number: usize) {
        let trade = &mut self.trades[number];
        if trade.busted {
            return;
        }
        trade.busted = true;
        let trade = *trade;
        self.lied = true;
        self.says.extend(self.tell_trade(number, &trade).into_iter().skip(1));
    }

    fn end(&mut self, id: OrderId, kind: ReportKind) {
        if let Some(working) = self.orders.get_mut(&id.0) {
            working.ended = Some(kind);
            let change = working.change;
            self.say(kind, id, change);
        }
    }

    fn say(&mut self, kind: ReportKind, id: OrderId, change: u16) {
        let report = self.told(kind, id, change);
        self.says.push(report);
    }

    fn told(&self, kind: ReportKind, id: OrderId, change: u16) -> Report {
        let Some(working) = self.orders.get(&id.0) else { return Report::of(kind, id) };
        let Order { account, instrument, side, px, qty, .. } = working.order;
        let holder = Some(Holder { account, instrument, side });
        let cum = Some(Qty(working.cum));
        Report { change, px, qty, cum, holder, ..Report::of(kind, id) }
    }

    fn tell_trade(&self, number: usize, trade: &Trade) -> Vec<Report> {
        let told = self.told(ReportKind::Fill, trade.order, 0);
        let (exec_id, px, qty) = (number as u64 + 1, Px(trade.px), Qty(trade.qty));
        let fill = Report { exec_id, px, qty, cum: None, ..told };
        let bust = trade.busted.then_some(Report { kind: ReportKind::Bust, ..fill });
        [fill].into_iter().chain(bust).collect()
    }
}

pub fn sign(side: Side) -> i64 {
    if side == Side::Buy { 1 } else { -1 }
}
