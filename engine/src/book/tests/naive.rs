//! A book so simple that it must be right: maps, queues, linear searches.

use super::*;
use std::collections::{BTreeMap, HashMap, VecDeque};

type Levels = BTreeMap<Px, VecDeque<Resting>>;

/// The books, with the same interface as [`Books`].
pub struct Naive {
    books: Vec<[Levels; 2]>,
    integrity: Vec<(Integrity, Cause)>,
    homes: HashMap<OrderRef, (usize, Side, Px)>,
    /// Every live reference, to pick one at random.
    pub live: Vec<OrderRef>,
    arrivals: u32,
    was_fault: bool,
}

const NOT_STARTED: (Integrity, Cause) = (Integrity::Incomplete, Cause::NotStarted);

impl Naive {
    pub fn new(books: usize) -> Naive {
        Naive {
            books: vec![[Levels::new(), Levels::new()]; books],
            integrity: vec![NOT_STARTED; books],
            homes: HashMap::new(),
            live: Vec::new(),
            arrivals: 0,
            was_fault: false,
        }
    }

    pub fn apply(&mut self, book: usize, event: &Event) -> Applied {
        let mut applied = Applied { removed: None, added: None, fault: None };
        let Event { order, qty, px, .. } = *event;
        let fault = match event.kind {
            Kind::Add => {
                self.add(book, order, event.side, px, qty).map(|added| applied.added = Some(added))
            }
            Kind::Execute | Kind::ExecuteAt | Kind::Reduce => {
                self.remove(book, order, Some(qty)).map(|removed| applied.removed = Some(removed))
            }
            Kind::Delete => {
                self.remove(book, order, None).map(|removed| applied.removed = Some(removed))
            }
            Kind::Replace => self.remove(book, order, None).and_then(|removed| {
                applied.removed = Some(removed);
                let added = self.add(book, OrderRef(event.aux), Some(removed.side), px, qty)?;
                applied.added = Some(added);
                Ok(())
            }),
            Kind::Modify => self.modify(book, order, px, qty, &mut applied),
            _ => Ok(()),
        };
        applied.fault = fault.err();
        self.was_fault = applied.fault.is_some();
        if let Some(cause) = applied.fault
            && (self.integrity[book].0 != Integrity::Incomplete
                || self.integrity[book] == NOT_STARTED)
        {
            self.integrity[book] = (Integrity::Incomplete, cause);
        }
        applied
    }

    fn modify(
        &mut self,
        book: usize,
        order: OrderRef,
        px: Px,
        qty: Qty,
        applied: &mut Applied,
    ) -> Result<(), Cause> {
        let (home, side, old_px, open) = self.find(order).ok_or(Cause::UnknownOrder)?;
        if home != book {
            return Err(Cause::BadEvent);
        }
        let keeps_place = px == old_px && 0 < qty.0 && qty <= open;
        if !keeps_place {
            applied.removed = Some(self.remove(book, order, None)?);
            applied.added = Some(self.add(book, order, Some(side), px, qty)?);
        } else if qty < open {
            applied.removed = Some(self.remove(book, order, Some(Qty(open.0 - qty.0)))?);
        }
        Ok(())
    }

    fn add(
        &mut self,
        book: usize,
        order: OrderRef,
        side: Option<Side>,
        px: Px,
        qty: Qty,
    ) -> Result<Touch, Cause> {
        let side = side.ok_or(Cause::BadEvent)?;
        if px.0 <= 0 || qty.0 <= 0 || self.homes.contains_key(&order) {
            return Err(Cause::BadEvent);
        }
        let open: i128 = self.queue(book, side, px).map(|resting| i128::from(resting.qty.0)).sum();
        if open + i128::from(qty.0) > i128::from(i64::MAX) {
            return Err(Cause::BadEvent);
        }
        self.arrivals += 1;
        let resting = Resting { order, qty, arrival: Arrival(self.arrivals) };
        self.books[book][side.index()].entry(px).or_default().push_back(resting);
        self.homes.insert(order, (book, side, px));
        self.live.push(order);
        Ok(self.touch(book, side, px, resting, qty))
    }

    fn remove(&mut self, book: usize, order: OrderRef, qty: Option<Qty>) -> Result<Touch, Cause> {
        let (home, side, px) = *self.homes.get(&order).ok_or(Cause::UnknownOrder)?;
        let queue = self.books[home][side.index()].get_mut(&px).unwrap();
        let place = queue.iter().position(|resting| resting.order == order).unwrap();
        let qty = qty.unwrap_or(queue[place].qty);
        if home != book || qty.0 <= 0 || qty > queue[place].qty {
            return Err(Cause::BadEvent);
        }
        queue[place].qty.0 -= qty.0;
        let resting = queue[place];
        if resting.qty.0 == 0 {
            queue.remove(place);
            self.homes.remove(&order);
            let place = self.live.iter().rposition(|live| *live == order).unwrap();
            self.live.swap_remove(place);
        }
        if self.queue(home, side, px).next().is_none() {
            self.books[home][side.index()].remove(&px);
        }
        Ok(self.touch(book, side, px, resting, qty))
    }

    fn touch(&self, book: usize, side: Side, px: Px, resting: Resting, qty: Qty) -> Touch {
        let level = self.level(book, side, px).unwrap_or_default();
        Touch {
            order: resting.order,
            side,
            px,
            qty,
            open: resting.qty,
            arrival: resting.arrival,
            level_qty: level.qty,
            level_orders: level.orders,
        }
    }

    /// Book, side, price and open quantity of a resting order.
    pub fn find(&self, order: OrderRef) -> Option<(usize, Side, Px, Qty)> {
        let (book, side, px) = *self.homes.get(&order)?;
        let resting = self.queue(book, side, px).find(|resting| resting.order == order)?;
        Some((book, side, px, resting.qty))
    }

    pub fn last_was_fault(&self) -> bool {
        self.was_fault
    }

    pub fn best(&self, book: usize, side: Side) -> Option<Quote> {
        let PageLevel { px, qty, orders } = self.levels(book, side).next()?;
        Some(Quote { px, qty, orders })
    }

    pub fn level(&self, book: usize, side: Side, px: Px) -> Option<PageLevel> {
        let queue = self.books[book][side.index()].get(&px)?;
        let qty = queue.iter().map(|resting| resting.qty.0).sum();
        Some(PageLevel { px, qty: Qty(qty), orders: queue.len() as u32 })
    }

    pub fn levels(&self, book: usize, side: Side) -> impl Iterator<Item = PageLevel> + '_ {
        let prices = self.books[book][side.index()].keys();
        let best_first: Box<dyn Iterator<Item = &Px>> = match side {
            Side::Buy => Box::new(prices.rev()),
            Side::Sell => Box::new(prices),
        };
        best_first.filter_map(move |px| self.level(book, side, *px))
    }

    /// Filled quantity, cost and worst price, order by order.
    pub fn sweep_cost(&self, book: usize, side: Side, qty: Qty) -> Sweep {
        let mut sweep = Sweep::default();
        for level in self.levels(book, side) {
            for resting in self.queue(book, side, level.px) {
                let taken = resting.qty.0.min(qty.0 - sweep.filled.0);
                if taken > 0 {
                    sweep.filled.0 += taken;
                    sweep.cost += i128::from(level.px.0) * i128::from(taken);
                    sweep.worst = Some(level.px);
                }
            }
        }
        sweep
    }

    pub fn queue(&self, book: usize, side: Side, px: Px) -> impl Iterator<Item = Resting> + '_ {
        self.books[book][side.index()].get(&px).into_iter().flatten().copied()
    }

    pub fn integrity(&self, book: usize) -> (Integrity, Cause) {
        self.integrity[book]
    }

    pub fn set_integrity(&mut self, book: usize, integrity: Integrity, cause: Cause) {
        self.integrity[book] = (integrity, cause);
    }

    pub fn clear(&mut self, book: usize) {
        self.books[book] = [Levels::new(), Levels::new()];
        self.homes.retain(|_, (home, _, _)| *home != book);
        self.live.retain(|order| self.homes.contains_key(order));
        self.integrity[book] = NOT_STARTED;
    }

    pub fn clear_all(&mut self) {
        *self = Naive::new(self.books.len());
    }

    pub fn live_orders(&self) -> usize {
        self.homes.len()
    }

    pub fn next_arrival(&self) -> Arrival {
        Arrival(self.arrivals + 1)
    }
}
