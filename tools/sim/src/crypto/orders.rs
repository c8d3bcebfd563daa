//! A book order by order, at every version of it: each thing that is said of an order makes one.

use std::collections::{BTreeMap, VecDeque};

use super::truth::{Levels, Print};
use crate::rng::Rng;

/// Versions from one whole copy to the next; those of [`super::truth::Truth`] are the same.
const STRIDE: u64 = 64;
/// The price that an empty book begins at.
const MIDDLE: u64 = 100_000;

/// A resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its number: those that came later have greater ones.
    pub number: u64,
    /// Whether it buys.
    pub buys: bool,
    /// Price, in units.
    pub px: u64,
    /// What is open of it, in units.
    pub qty: u64,
}

/// What is said of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderSaid {
    /// It came in; some have no price and never rest.
    Received { order: Order, rests: bool },
    /// It rests from now on.
    Open(Order),
    /// It traded; the maker as it was before.
    Match { maker: Order, taker: u64, print: Print },
    /// It is another now, whether it rests or not.
    Change { order: Order, old: Order },
    /// It is over, whether it ever rested or not.
    Done { order: Order, filled: bool },
}

/// One symbol's orders and their past.
#[derive(Debug)]
pub struct Orders {
    now: BTreeMap<u64, Order>,
    next: u64,
    trades: u64,
    room: usize,
    /// By version: an order as it is from then on; nothing of it, if it is over.
    steps: VecDeque<Option<(u64, Option<Order>)>>,
    wholes: VecDeque<BTreeMap<u64, Order>>,
    oldest: u64,
    history_max: u64,
}

impl Orders {
    /// About `levels` orders a side or a few more.
    pub fn new(levels: usize, trades: u64, history_max: u64, rng: &mut Rng) -> Orders {
        let mut orders = Orders {
            now: BTreeMap::new(),
            next: 1 + rng.below(1 << 40),
            trades,
            room: 2 * levels,
            steps: VecDeque::new(),
            wholes: VecDeque::new(),
            oldest: 0,
            history_max: history_max.max(STRIDE),
        };
        for _ in 0..levels {
            let order = orders.passive(rng);
            orders.now.insert(order.number, order);
        }
        orders.wholes.push_back(orders.now.clone());
        orders
    }

    /// The book.
    pub fn levels(&self) -> Levels {
        levels(&self.now)
    }

    /// The orders at a version, oldest first; `None`: it lies ahead, or is forgotten.
    pub fn at(&self, version: u64) -> Option<Vec<Order>> {
        let since = version.checked_sub(self.oldest)?;
        if since > self.steps.len() as u64 {
            return None;
        }
        let mut orders = self.wholes.get((since / STRIDE) as usize)?.clone();
        let from = since / STRIDE * STRIDE;
        for step in self.steps.range(from as usize..since as usize).flatten() {
            put(&mut orders, *step);
        }
        Some(orders.into_values().collect())
    }

    /// What somebody does next, in the words of the venue. Each has to be applied before the next act.
    pub fn act(&mut self, rng: &mut Rng) -> Vec<OrderSaid> {
        let is_full = self.now.len() >= self.room;
        match rng.below(100) {
            0..45 if !is_full => {
                let order = self.passive(rng);
                vec![OrderSaid::Received { order, rests: true }, OrderSaid::Open(order)]
            }
            45..65 => self.aggressive(rng),
            65..72 => self.change(rng, false),
            72..78 => self.change(rng, true),
            78..82 => self.never_rests(rng),
            _ => match self.any(rng) {
                Some(order) => vec![OrderSaid::Done { order, filled: false }],
                None => Vec::new(),
            },
        }
    }

    /// What was said has happened: a new version.
    pub fn apply(&mut self, said: &OrderSaid) {
        let step = match *said {
            OrderSaid::Received { .. } => None,
            OrderSaid::Open(order) => Some((order.number, Some(order))),
            OrderSaid::Match { maker, print, .. } => {
                let left = Order { qty: maker.qty - print.qty, ..maker };
                Some((maker.number, Some(left).filter(|order| order.qty > 0)))
            }
            OrderSaid::Change { order, .. } => {
                self.now.contains_key(&order.number).then_some((order.number, Some(order)))
            }
            OrderSaid::Done { order, .. } => Some((order.number, None)),
        };
        if let Some(step) = step {
            put(&mut self.now, step);
        }
        self.steps.push_back(step);
        if (self.steps.len() as u64).is_multiple_of(STRIDE) {
            self.wholes.push_back(self.now.clone());
        }
        if self.steps.len() as u64 >= self.history_max + STRIDE {
            self.steps.drain(..STRIDE as usize);
            self.wholes.pop_front();
            self.oldest += STRIDE;
        }
    }

    fn best(&self, buys: bool) -> Option<u64> {
        let side = self.now.values().filter(|order| order.buys == buys).map(|order| order.px);
        if buys { side.max() } else { side.min() }
    }

    /// A price that no order of the other side would meet.
    fn passive_px(&self, buys: bool, rng: &mut Rng) -> u64 {
        let away = 1 + rng.below(30);
        match (self.best(!buys), buys) {
            (Some(other), true) => other.saturating_sub(away).max(1),
            (Some(other), false) => other + away,
            (None, true) => MIDDLE - away,
            (None, false) => MIDDLE + away,
        }
    }

    fn passive(&mut self, rng: &mut Rng) -> Order {
        let buys = rng.per_mille(500);
        let (px, qty) = (self.passive_px(buys, rng), 1 + rng.below(9_999));
        Order { number: self.number(), buys, px, qty }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn any(&self, rng: &mut Rng) -> Option<Order> {
        self.now.values().nth(rng.below(self.now.len() as u64) as usize).copied()
    }

    /// An order that trades at once; what is left of it rests, or is over.
    fn aggressive(&mut self, rng: &mut Rng) -> Vec<OrderSaid> {
        let buys = rng.per_mille(500);
        let mut makers: Vec<Order> =
            self.now.values().filter(|order| order.buys != buys).copied().collect();
        makers.sort_by_key(|maker| if buys { maker.px } else { u64::MAX - maker.px });
        makers.truncate(1 + rng.below(3) as usize);
        let Some(px) = makers.last().map(|maker| maker.px) else { return Vec::new() };
        let qty = 1 + rng.below(15_000);
        let (mut taker, rests) =
            (Order { number: self.number(), buys, px, qty }, rng.per_mille(600));
        let mut said = vec![OrderSaid::Received { order: taker, rests }];
        for maker in makers {
            let qty = maker.qty.min(taker.qty);
            if qty == 0 {
                break;
            }
            self.trades += 1;
            let print = Print { id: self.trades, px: maker.px, qty, buyer_rests: maker.buys };
            said.push(OrderSaid::Match { maker, taker: taker.number, print });
            taker.qty -= qty;
            if qty == maker.qty {
                said.push(OrderSaid::Done { order: Order { qty: 0, ..maker }, filled: true });
            }
        }
        let is_alone =
            self.best(!buys).is_some_and(|best| if buys { best > px } else { best < px });
        said.push(match taker.qty {
            0 => OrderSaid::Done { order: taker, filled: true },
            // It would meet another of the same price, were it to rest.
            _ if rests && is_alone => OrderSaid::Open(taker),
            _ => OrderSaid::Done { order: taker, filled: false },
        });
        said
    }

    /// A resting order loses quantity, or is given another price and quantity.
    fn change(&mut self, rng: &mut Rng, moves: bool) -> Vec<OrderSaid> {
        let Some(old) = self.any(rng) else { return Vec::new() };
        let order = if moves {
            Order { px: self.passive_px(old.buys, rng), qty: 1 + rng.below(9_999), ..old }
        } else {
            Order { qty: 1 + rng.below(old.qty), ..old }
        };
        vec![OrderSaid::Change { order, old }]
    }

    /// An order that is made smaller before it could rest, and is over then.
    fn never_rests(&mut self, rng: &mut Rng) -> Vec<OrderSaid> {
        let old = self.passive(rng);
        let order = Order { qty: 1 + rng.below(old.qty), ..old };
        vec![
            OrderSaid::Received { order: old, rests: true },
            OrderSaid::Change { order, old },
            OrderSaid::Done { order, filled: false },
        ]
    }
}

fn put(orders: &mut BTreeMap<u64, Order>, (number, order): (u64, Option<Order>)) {
    match order {
        Some(order) => _ = orders.insert(number, order),
        None => _ = orders.remove(&number),
    }
}

fn levels(orders: &BTreeMap<u64, Order>) -> Levels {
    let mut levels = Levels::default();
    for order in orders.values() {
        let side = if order.buys { &mut levels.bids } else { &mut levels.asks };
        *side.entry(order.px).or_default() += order.qty;
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every version that is remembered is the book that it was, no book is ever crossed, each kind of thing happens, and
    /// the past is bounded. Method: copies of all versions beside orders that may remember a few hundred.
    #[test]
    fn versions() {
        let mut rng = Rng::new(3);
        let mut orders = Orders::new(40, 1_000, 256, &mut rng);
        let mut copies = vec![orders.now.clone()];
        let mut kinds = BTreeMap::new();
        for _ in 0..3_000 {
            for said in orders.act(&mut rng) {
                orders.apply(&said);
                copies.push(orders.now.clone());
                *kinds
                    .entry(format!("{said:?}").split_once([' ', '(']).unwrap().0.to_owned())
                    .or_insert(0) += 1;
            }
            let levels = orders.levels();
            let (bid, ask) = (levels.bids.last_key_value(), levels.asks.first_key_value());
            assert!(bid.is_none() || ask.is_none() || bid.unwrap().0 < ask.unwrap().0);
            assert!(levels.bids.values().chain(levels.asks.values()).all(|qty| *qty > 0));
        }
        assert!(kinds.len() == 5 && kinds.values().all(|count| *count > 100), "{kinds:?}");
        let newest = copies.len() as u64 - 1;
        assert!(orders.oldest > 0 && newest - orders.oldest < 256 + STRIDE);
        for version in orders.oldest..=newest {
            let copy: Vec<Order> = copies[version as usize].values().copied().collect();
            assert_eq!(orders.at(version), Some(copy), "{version}");
        }
        assert_eq!((orders.at(orders.oldest - 1), orders.at(newest + 1)), (None, None));
    }
}
