//! What clients ask of a venue.

use super::wire::{self, Enter, Extras, Replace, Request};
use super::{Order, Venue};

const QTY_MAX: u32 = 999_999;
const PX_MAX: u64 = 1_999_999_900;
/// A cent, in four decimals.
const CENT: u64 = 100;

/// Reasons of a rejection.
const INVALID_MAX_FLOOR: u16 = 0x04;
const INVALID_MIN_QTY: u16 = 0x0D;
const OTHER: u16 = 0x0F;
const INVALID_QTY: u16 = 0x13;
const INVALID_CROSS: u16 = 0x14;
const INVALID_PX: u16 = 0x1D;

/// What becomes of a post-only order that would have traded.
enum Locked {
    /// It is dead on arrival.
    Dead,
    /// It is accepted and cancelled.
    Cancelled,
    /// It gets a price a cent off.
    Slid,
}

impl Venue {
    /// Takes a message of a client.
    pub(super) fn on_request(&mut self, bytes: &[u8], now: u64) {
        self.poll(now);
        match wire::request(bytes) {
            None => self.counters.bad += 1,
            Some(Request::Enter(enter)) => {
                self.counters.last_order_at = now;
                self.enter(enter);
            }
            Some(Request::Replace(replace)) => {
                self.counters.last_order_at = now;
                self.replace(replace);
            }
            Some(Request::Cancel { refnum, wanted }) => {
                self.counters.last_cancel_at = now;
                self.counters.cancels += 1;
                self.cancel(refnum, wanted);
            }
            Some(Request::Query) => {
                self.counters.queries += 1;
                let message = wire::account(self.time(), self.last_ref + 1);
                self.say(message);
            }
        }
    }

    fn enter(&mut self, enter: Enter) {
        self.counters.orders += 1;
        self.counters.twice += u64::from(!self.names.insert(enter.name));
        if enter.refnum <= self.last_ref {
            self.counters.ignored += 1;
            return;
        }
        self.last_ref = enter.refnum;
        let refused = self.rng.per_mille(self.config.faults.refuse_per_mille).then_some(OTHER);
        let illegal = against(&enter);
        self.counters.bad += u64::from(illegal.is_some());
        if let Some(reason) = illegal.or(refused) {
            self.counters.refused += 1;
            let message = wire::rejected(self.time(), enter.refnum, reason, &enter.name);
            return self.say(message);
        }
        let number = self.number();
        let Enter { refnum, side, qty, symbol, px, tif, capacity, cross, name, extras } = enter;
        let mut order = Order {
            refnum,
            name,
            side,
            symbol,
            px,
            open: qty,
            shown: shown(qty, &extras),
            cum: 0,
            cross,
            min_qty: extras.min_qty.unwrap_or(0),
            number,
            place: number,
            tif,
            capacity,
            extras,
        };
        let locked = self.locked(&mut order);
        let takes = if tif == b'3' && cross == b'N' { self.takes(&order) } else { None };
        // What takes nothing is dead on arrival, or accepted and cancelled: editions differ.
        let dead =
            matches!(locked, Some(Locked::Dead)) || takes == Some(0) && self.rng.below(2) == 0;
        let message = wire::accepted(self.time(), &order, !dead);
        self.say(message);
        self.counters.dead += u64::from(dead);
        self.orders.insert(number, Order { open: if dead { 0 } else { qty }, ..order });
        if dead {
            return;
        }
        self.live.insert(refnum, number);
        if let Some(takes) = takes {
            let first = self.rng.below(u64::from(takes) + 1) as u32;
            self.execute(number, first, px, b'R');
            self.execute(number, takes - first, px, b'R');
            self.reduce(number, qty - takes, b'I');
        } else if matches!(locked, Some(Locked::Cancelled)) {
            self.reduce(number, qty, b'G');
        }
    }

    /// Shares that an order takes on arrival which may not rest: those that it must at least, or none.
    fn takes(&mut self, order: &Order) -> Option<u32> {
        let least = order.min_qty.max(1);
        let most = u64::from(order.open - least) + 1;
        Some(if self.rng.below(2) == 0 { least + self.rng.below(most) as u32 } else { 0 })
    }

    /// What becomes of an order that would have traded though it may not.
    fn locked(&mut self, order: &mut Order) -> Option<Locked> {
        let only = order.extras.post_only == Some(true);
        if !only || !self.rng.per_mille(self.config.faults.lock_per_mille) {
            return None;
        }
        Some(match self.rng.below(3) {
            0 => Locked::Dead,
            1 => Locked::Cancelled,
            _ => {
                self.counters.slid += 1;
                let down = order.px.saturating_sub(CENT).max(1);
                order.px = if order.side == b'B' { down } else { (order.px + CENT).min(PX_MAX) };
                Locked::Slid
            }
        })
    }

    fn replace(&mut self, replace: Replace) {
        self.counters.replaces += 1;
        let number = self.live.get(&replace.old).copied();
        let (Some(number), false) = (number, replace.refnum <= self.last_ref) else {
            self.counters.ignored += 1;
            return;
        };
        let Some(mut order) = self.orders.get(&number).copied() else { return };
        // What is not said stays.
        let Replace { refnum, qty, px, tif, extras, .. } = replace;
        let extras = Extras {
            firm: order.extras.firm,
            min_qty: extras.min_qty.or(order.extras.min_qty),
            max_floor: extras.max_floor.or(order.extras.max_floor),
            post_only: extras.post_only.or(order.extras.post_only),
        };
        let Order { side, symbol, capacity, cross, name, .. } = order;
        let asked = Enter { refnum, side, qty, symbol, px, tif, capacity, cross, name, extras };
        let illegal = against(&asked).is_some();
        self.counters.bad += u64::from(illegal);
        if illegal || qty <= order.cum {
            return self.reduce(number, order.open, b'Z');
        }
        self.last_ref = refnum;
        if self.rng.per_mille(self.config.faults.refuse_per_mille) {
            self.counters.refused += 1;
            let message = wire::rejected(self.time(), refnum, OTHER, &replace.name);
            return self.say(message);
        }
        self.live.remove(&replace.old);
        order.place = self.number();
        (order.px, order.refnum, order.tif, order.extras) = (px, refnum, tif, extras);
        order.open = qty - order.cum;
        order.shown = shown(order.open, &extras);
        let locked = self.locked(&mut order);
        let dead = matches!(locked, Some(Locked::Dead));
        let message = wire::replaced(self.time(), replace.old, &order, &replace.name, !dead);
        self.say(message);
        self.counters.dead += u64::from(dead);
        let open = if dead { 0 } else { order.open };
        self.orders.insert(number, Order { open, ..order });
        if dead {
            return;
        }
        self.live.insert(refnum, number);
        if matches!(locked, Some(Locked::Cancelled)) {
            self.reduce(number, order.open, b'G');
        }
    }

    fn cancel(&mut self, refnum: u32, wanted: u32) {
        let number = self.live.get(&refnum).copied();
        let order = number.and_then(|number| self.orders.get(&number)).copied();
        match order.filter(|order| order.open > wanted) {
            None => self.counters.ignored += 1,
            Some(order) if self.rng.per_mille(self.config.faults.keep_per_mille) => {
                let message = wire::cancel_reject(self.time(), order.refnum);
                self.say(message);
            }
            Some(order) => self.reduce(order.number, order.open - wanted, b'U'),
        }
    }

    /// Takes shares off an order, first those that are not displayed.
    pub(super) fn reduce(&mut self, number: u64, qty: u32, reason: u8) {
        let time = self.time();
        let Some(order) = self.orders.get_mut(&number).filter(|_| qty > 0) else { return };
        order.open = order.open.saturating_sub(qty);
        order.shown = order.shown.min(order.open);
        let (refnum, open) = (order.refnum, order.open);
        if open == 0 {
            self.live.remove(&refnum);
        }
        self.say(wire::canceled(time, refnum, qty, reason));
    }
}

/// What of `open` shares is displayed.
pub(super) fn shown(open: u32, extras: &Extras) -> u32 {
    extras.max_floor.filter(|most| *most > 0).map_or(open, |most| open.min(most))
}

/// Why an order cannot be taken; `None`: it can.
fn against(enter: &Enter) -> Option<u16> {
    let Enter { qty, px, tif, cross, extras, .. } = *enter;
    let Extras { min_qty, max_floor, post_only, .. } = extras;
    let (min_qty, max_floor) = (min_qty.unwrap_or(0), max_floor.unwrap_or(0));
    let (only, crosses, at_once) = (post_only == Some(true), cross != b'N', tif == b'3');
    let wrong = [
        (!(1..=QTY_MAX).contains(&qty), INVALID_QTY),
        (!(1..=PX_MAX).contains(&px), INVALID_PX),
        (!matches!(tif, b'0' | b'3'), OTHER),
        (!matches!(cross, b'N' | b'O' | b'C') || crosses && only, INVALID_CROSS),
        (only && at_once, OTHER),
        (max_floor > 0 && (max_floor >= qty || at_once || crosses), INVALID_MAX_FLOOR),
        (min_qty > 0 && (min_qty > qty || !at_once || crosses), INVALID_MIN_QTY),
    ];
    wrong.into_iter().find_map(|(is_wrong, reason)| is_wrong.then_some(reason))
}
