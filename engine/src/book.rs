//! The order books of all instruments, order by order (L3), in memory taken at start.
//!
//! Flow: an event of the feed → reference → order → its place in the queue of its level → the level
//! → the best price. An order is half a cache line and knows its level and its neighbours in the
//! queue; a level knows its first and its last order; a ladder finds the level of a price and the
//! best one (`book/ladder.rs`); references are found in slots or a hash table (`book/refs.rs`).
//!
//! Must never: allocate, panic or loop without a bound after [`Books::new`]. What does not fit or
//! makes no sense is not applied; the book it was meant for is [`Integrity::Incomplete`] from then
//! on, with the first [`Cause`].
//!
//! References are unique across the books of one `Books`: feeds that number their orders
//! independently need one each.

mod ahead;
mod applied;
mod capacity;
mod ladder;
mod levels;
pub(crate) mod pool;
mod record;
mod refs;
mod sweep;
#[cfg(test)]
mod tests;

pub use applied::{Applied, Arrival, Touch};
pub use capacity::BookCapacity;
pub use sweep::Sweep;

use core::hint::select_unpredictable;
use ladder::Ladder;
use levels::Levels;
use model::page::{Level as PageLevel, Quote};
use model::{Cause, Event, Integrity, Kind, OrderRef, Px, Qty, Side};
use pool::{Pool, Record};
use record::{Level, Order};
use refs::{Place, Refs};

/// All books of an engine.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Books {
    #[serde(with = "model::snapshot::table")]
    books: Vec<Book>,
    #[serde(with = "model::snapshot::table")]
    beliefs: Vec<(Integrity, Cause)>,
    orders: Pool<Order>,
    levels: Levels,
    refs: Refs,
    next_arrival: u32,
}

/// Both sides of a book, in one cache line.
#[derive(Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[repr(C, align(64))]
struct Book([Ladder; 2]);

const _: () = assert!(size_of::<Book>() == 64);

impl Book {
    const EMPTY: Book = Book([Ladder::new(Side::Buy), Ladder::new(Side::Sell)]);

    #[inline]
    const fn side(&self, side: Side) -> &Ladder {
        let Book([bids, asks]) = self;
        if matches!(side, Side::Buy) { bids } else { asks }
    }

    #[inline]
    const fn side_mut(&mut self, side: Side) -> &mut Ladder {
        let Book([bids, asks]) = self;
        if matches!(side, Side::Buy) { bids } else { asks }
    }
}

/// What is believed of a book that heard nothing yet.
const NOT_STARTED: (Integrity, Cause) = (Integrity::Incomplete, Cause::NotStarted);

/// A resting order, as the queue of its level shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Which order.
    pub order: OrderRef,
    /// What is open of it, in quantity units.
    pub qty: Qty,
    /// Its place in the queue.
    pub arrival: Arrival,
}

impl Books {
    /// Takes all memory. Every book is empty and [`Cause::NotStarted`].
    pub fn new(capacity: BookCapacity) -> Books {
        let orders = capacity.orders.min(1 << 30);
        Books {
            books: vec![Book::EMPTY; capacity.instruments as usize],
            beliefs: vec![NOT_STARTED; capacity.instruments as usize],
            orders: Pool::new(orders),
            levels: Levels::new(capacity.levels, capacity.nodes),
            refs: Refs::new(capacity.ref_pages, orders),
            next_arrival: 1,
        }
    }

    /// Applies an event of the feed to the book of an instrument.
    ///
    /// A replacement is a deletion and an addition at the tail, on the side of the original; if the
    /// addition cannot be applied, the deletion still is. A modification to the same price and no
    /// more than is open is a reduction (to just what is open: nothing), any other a replacement
    /// that keeps its reference. Any other event that cannot be applied changes nothing but the
    /// integrity. Kinds that do not touch a book do nothing; nor does [`Kind::Clear`]: see
    /// [`Books::clear`] and [`Books::clear_all`].
    #[inline(always)]
    pub fn apply(&mut self, book: usize, event: &Event) -> Applied {
        self.apply_as(event.kind, book, event)
    }

    /// The same for a caller that knows the event's kind, and has no code for any other.
    #[inline(always)]
    pub fn apply_as(&mut self, kind: Kind, book: usize, event: &Event) -> Applied {
        let (order, px, qty) = (event.order, event.px.0, event.qty.0);
        match kind {
            Kind::Add => self.add(book, order, event.side, px, qty),
            Kind::Delete => self.remove(book, order, None),
            Kind::Execute | Kind::ExecuteAt | Kind::Reduce => self.remove(book, order, Some(qty)),
            _ => self.apply_rare(book, event),
        }
    }

    #[inline(never)]
    fn apply_rare(&mut self, book: usize, event: &Event) -> Applied {
        let (order, px, qty) = (event.order, event.px.0, event.qty.0);
        match event.kind {
            Kind::Replace => self.replace(book, order, OrderRef(event.aux), px, qty),
            Kind::Modify => self.modify(book, order, px, qty),
            _ => Applied { removed: None, added: None, fault: None },
        }
    }

    /// Best price of a side; `None`: the side is empty.
    #[inline]
    pub fn best(&self, book: usize, side: Side) -> Option<Quote> {
        let level = self.levels.records.get(self.books.get(book)?.side(side).best)?;
        let Level { px, qty, orders, .. } = *level;
        (qty > 0).then_some(Quote { px: Px(px), qty: Qty(qty), orders })
    }

    /// The level of a price; `None`: no order rests there.
    pub fn level(&self, book: usize, side: Side, px: Px) -> Option<PageLevel> {
        let level = self.find_level(book, side, px)?;
        Some(PageLevel { px: Px(level.px), qty: Qty(level.qty), orders: level.orders })
    }

    /// Number of levels of a side.
    pub fn level_count(&self, book: usize, side: Side) -> u32 {
        self.books.get(book).map_or(0, |book| book.side(side).count)
    }

    /// The levels of a side, best first.
    pub fn levels(&self, book: usize, side: Side) -> impl Iterator<Item = PageLevel> + '_ {
        let ladder = self.books.get(book).map(|book| book.side(side));
        ladder.into_iter().flat_map(|ladder| ladder.walk(&self.levels)).map(|level| {
            let Level { px, qty, orders, .. } = *self.levels.records.at(level);
            PageLevel { px: Px(px), qty: Qty(qty), orders }
        })
    }

    /// The orders of a level, the oldest first.
    pub fn queue(&self, book: usize, side: Side, px: Px) -> impl Iterator<Item = Resting> + '_ {
        let level = self.find_level(book, side, px).unwrap_or(&Level::NIL);
        let mut next = level.head;
        (0..level.orders).map(move |_| {
            let Order { reference, qty, arrival, next: behind, .. } = *self.orders.at(next);
            next = behind;
            Resting { order: reference, qty: Qty(qty), arrival: Arrival(arrival) }
        })
    }

    /// The orders of a side in the order in which an order from the other side would meet them,
    /// with their prices.
    pub fn sweep(&self, book: usize, side: Side) -> impl Iterator<Item = (Px, Resting)> + '_ {
        self.levels(book, side).flat_map(move |level| {
            self.queue(book, side, level.px).map(move |resting| (level.px, resting))
        })
    }

    /// What an order from the other side of this quantity would meet.
    pub fn sweep_cost(&self, book: usize, side: Side, qty: Qty) -> Sweep {
        Sweep::of(self.levels(book, side), qty)
    }

    /// A resting order by its reference, with its book, side and price.
    pub fn order(&self, reference: OrderRef) -> Option<(usize, Side, Px, Resting)> {
        let order = self.orders.at(self.refs.find(reference, &self.orders));
        let level = self.levels.records.at(order.level);
        let Order { qty, arrival, .. } = *order;
        let resting = Resting { order: reference, qty: Qty(qty), arrival: Arrival(arrival) };
        (qty > 0).then_some((level.book(), level.side(), Px(level.px), resting))
    }

    /// How far a book may be believed, and why not. A book nobody has room for is
    /// [`Cause::Capacity`].
    pub fn integrity(&self, book: usize) -> (Integrity, Cause) {
        self.beliefs.get(book).copied().unwrap_or((Integrity::Incomplete, Cause::Capacity))
    }

    /// Sets how far a book may be believed.
    pub fn set_integrity(&mut self, book: usize, integrity: Integrity, cause: Cause) {
        if let Some(belief) = self.beliefs.get_mut(book) {
            *belief = (integrity, cause);
        }
    }

    /// Removes every order of a book and makes it [`Cause::NotStarted`]. Takes as long as deleting
    /// them one by one.
    pub fn clear(&mut self, book: usize) {
        for side in [Side::Buy, Side::Sell] {
            for _ in 0..self.orders.used() {
                let best = self.books.get(book).map_or(0, |book| book.side(side).best);
                if best == 0 {
                    break;
                }
                let oldest = self.orders.at(self.levels.records.at(best).head);
                self.remove(book, oldest.reference, None);
            }
        }
        self.set_integrity(book, Integrity::Incomplete, Cause::NotStarted);
    }

    /// Removes every order of every book, makes them all [`Cause::NotStarted`] and starts the
    /// arrivals again.
    pub fn clear_all(&mut self) {
        self.books.fill(Book::EMPTY);
        self.beliefs.fill(NOT_STARTED);
        self.orders.release_all();
        self.levels.release_all();
        self.refs.clear();
        self.next_arrival = 1;
    }

    /// Resting orders of all books.
    pub fn live_orders(&self) -> usize {
        self.orders.used()
    }

    /// The stamp of the next order that joins a level.
    pub fn next_arrival(&self) -> Arrival {
        Arrival(self.next_arrival)
    }

    fn find_level(&self, book: usize, side: Side, px: Px) -> Option<&Level> {
        let level = self.books.get(book)?.side(side).find(&self.levels, px.0);
        (level != 0).then(|| self.levels.records.at(level))
    }

    /// Deletes an order, and puts another in its stead at the tail of a level of the same side.
    #[inline(never)]
    fn replace(&mut self, book: usize, old: OrderRef, new: OrderRef, px: i64, qty: i64) -> Applied {
        let gone = self.remove(book, old, None);
        let Some(Touch { side, .. }) = gone.removed else { return gone };
        Applied { removed: gone.removed, ..self.add(book, new, Some(side), px, qty) }
    }

    #[inline(never)]
    fn modify(&mut self, book: usize, order: OrderRef, px: i64, qty: i64) -> Applied {
        match self.order(order) {
            Some((home, _, at, resting)) if px == at.0 && 0 < qty && qty <= resting.qty.0 => {
                if home == book && qty == resting.qty.0 {
                    return Applied { removed: None, added: None, fault: None };
                }
                self.remove(book, order, Some(resting.qty.0 - qty))
            }
            _ => self.replace(book, order, order, px, qty),
        }
    }

    /// Puts an order at the tail of its level.
    #[inline(always)]
    fn add(
        &mut self,
        book: usize,
        reference: OrderRef,
        side: Option<Side>,
        px: i64,
        qty: i64,
    ) -> Applied {
        let (Some(side), Some(slot)) = (side, self.refs.free_slot(reference)) else {
            return self.add_old(book, reference, side, px, qty);
        };
        self.add_at(book, reference, side, px, qty, Place::Slot(slot))
    }

    /// As [`Books::add`], of a reference whose slot is in use, or which may be in the table.
    #[cold]
    #[inline(never)]
    fn add_old(
        &mut self,
        book: usize,
        reference: OrderRef,
        side: Option<Side>,
        px: i64,
        qty: i64,
    ) -> Applied {
        match (side, self.refs.claim(reference, &self.orders)) {
            (Some(side), Some(place)) => self.add_at(book, reference, side, px, qty, place),
            _ => self.refuse(book, Cause::BadEvent),
        }
    }

    #[inline(always)]
    fn add_at(
        &mut self,
        book: usize,
        reference: OrderRef,
        side: Side,
        px: i64,
        qty: i64,
        place: Place,
    ) -> Applied {
        let arrival = self.next_arrival;
        let Some(sides) = self.books.get_mut(book) else {
            return self.refuse_full(book, px, qty);
        };
        if px <= 0 || qty <= 0 || arrival == u32::MAX {
            return self.refuse_full(book, px, qty);
        }
        let Some(number) = self.orders.take() else { return self.refuse_full(book, px, qty) };
        let home = sides.side_mut(side).find_or_open(&mut self.levels, book as u32, px);
        let Some(home) = home else { return self.give_back(book, number, Cause::Capacity) };
        let level = self.levels.records.at_mut(home);
        let Some(level_qty) = level.qty.checked_add(qty) else {
            return self.give_back(book, number, Cause::BadEvent);
        };
        let prev = level.tail;
        level.head = select_unpredictable(prev == 0, number, level.head);
        level.tail = number;
        level.qty = level_qty;
        level.orders += 1;
        let touch = Touch {
            order: reference,
            side,
            px: Px(px),
            qty: Qty(qty),
            open: Qty(qty),
            arrival: Arrival(arrival),
            level_qty: Qty(level_qty),
            level_orders: level.orders,
        };
        if let Some(order) = self.orders.get_mut(number) {
            *order = Order { reference, qty, prev, next: 0, level: home, arrival };
        }
        if let Some(prev) = self.orders.get_mut(prev) {
            prev.next = number;
        }
        self.refs.put(place, reference, number);
        self.next_arrival = arrival + 1;
        Applied { removed: None, added: Some(touch), fault: None }
    }

    #[cold]
    fn give_back(&mut self, book: usize, order: u32, cause: Cause) -> Applied {
        self.orders.release(order);
        self.refuse(book, cause)
    }

    /// Refuses an addition that there is no room for, unless it made no sense anyway.
    #[cold]
    fn refuse_full(&mut self, book: usize, px: i64, qty: i64) -> Applied {
        let makes_sense = px > 0 && qty > 0;
        self.refuse(book, if makes_sense { Cause::Capacity } else { Cause::BadEvent })
    }

    /// Takes quantity from an order where it stands, or (`None`) all of it. At zero the order
    /// leaves its queue, and a level without orders its ladder.
    #[inline(always)]
    fn remove(&mut self, book: usize, reference: OrderRef, qty: Option<i64>) -> Applied {
        let (slot, number) = self.refs.glance(reference);
        match self.orders.get(number) {
            Some(order) if order.reference == reference && number != 0 => {
                self.remove_at(book, reference, qty, Place::Slot(slot), number)
            }
            _ => self.remove_old(book, reference, qty),
        }
    }

    /// As [`Books::remove`], of an order that is not in its slot.
    #[cold]
    fn remove_old(&mut self, book: usize, reference: OrderRef, qty: Option<i64>) -> Applied {
        match self.refs.look_up(reference, &self.orders) {
            (_, 0) => self.refuse(book, Cause::UnknownOrder),
            (place, number) => self.remove_at(book, reference, qty, place, number),
        }
    }

    #[inline(always)]
    fn remove_at(
        &mut self,
        book: usize,
        reference: OrderRef,
        qty: Option<i64>,
        place: Place,
        number: u32,
    ) -> Applied {
        let bad = Cause::BadEvent;
        let Some(order) = self.orders.get_mut(number) else { return self.refuse(book, bad) };
        let Order { prev, next, level: level_number, arrival, .. } = *order;
        let Some(level) = self.levels.records.get_mut(level_number) else {
            return self.refuse(book, bad);
        };
        let qty = qty.unwrap_or(order.qty);
        if level.book() != book || qty <= 0 || qty > order.qty {
            return self.refuse(book, bad);
        }
        let open = order.qty - qty;
        level.qty -= qty;
        level.orders -= u32::from(open == 0);
        let touch = Touch {
            order: reference,
            side: level.side(),
            px: Px(level.px),
            qty: Qty(qty),
            open: Qty(open),
            arrival: Arrival(arrival),
            level_qty: Qty(level.qty),
            level_orders: level.orders,
        };
        let applied = Applied { removed: Some(touch), added: None, fault: None };
        if open > 0 {
            order.qty = open;
            return applied;
        }
        level.head = select_unpredictable(prev == 0, next, level.head);
        level.tail = select_unpredictable(next == 0, prev, level.tail);
        if let Some(prev) = self.orders.get_mut(prev) {
            prev.next = next;
        }
        if let Some(next) = self.orders.get_mut(next) {
            next.prev = prev;
        }
        self.refs.remove(place, reference, &self.orders);
        self.orders.release(number);
        if touch.level_orders == 0 {
            self.close(book, touch.side, level_number);
        }
        applied
    }

    #[inline(never)]
    fn close(&mut self, book: usize, side: Side, level: u32) {
        if let Some(sides) = self.books.get_mut(book) {
            sides.side_mut(side).close(&mut self.levels, level);
        }
    }

    /// Marks a book incomplete. The first cause stays: later ones may only follow from it.
    #[cold]
    fn refuse(&mut self, book: usize, cause: Cause) -> Applied {
        let (integrity, earlier) = self.integrity(book);
        if integrity != Integrity::Incomplete || earlier == Cause::NotStarted {
            self.set_integrity(book, Integrity::Incomplete, cause);
        }
        Applied { removed: None, added: None, fault: Some(cause) }
    }
}
