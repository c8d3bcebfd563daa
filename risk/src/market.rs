//! What the engine tells the gate of an instrument and of itself, at one input.

use model::{HaltLevel, Integrity, Money, Px, Qty, TradingState, Ts};

use crate::limits::PairLimits;
use crate::order_features::OrderFeatures;

/// The last printable trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastTrade {
    /// Price, in price units.
    pub px: Px,
    /// Engine time.
    pub at: Ts,
}

/// What is known of one instrument's market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Market {
    /// Whether the venue trades it.
    pub state: TradingState,
    /// Whether a market-wide circuit breaker is in force.
    pub market_halted: bool,
    /// How far its book may be believed.
    pub integrity: Integrity,
    /// Whether it may be believed, and traded, again for less long than the operator wants to see first.
    pub settling: bool,
    /// Best bid; `None`: no bid.
    pub bid: Option<Px>,
    /// Best ask; `None`: no ask.
    pub ask: Option<Px>,
    /// Last printable trade; `None`: none yet.
    pub last: Option<LastTrade>,
    /// Prices that stops are compared with, of buys and of sells: the last trade, or ask and bid; `None`: there is none.
    pub triggers: [Option<Px>; 2],
    /// Engine time of the instrument's last event.
    pub updated: Ts,
    /// Engine time of the last event of the instrument's channel, whatever instrument it was of.
    pub channel_updated: Ts,
}

/// How far the order that an order is linked to fits it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkFit {
    /// It does, or there is no link.
    #[default]
    Fits,
    /// There is no such order.
    Unknown,
    /// It is not open any more.
    Ended,
    /// It is of another account, instrument or side, too small, held itself, or linked already.
    Misfit,
}

/// How far a parent is sliced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// What its children filled and may still fill, the order judged not among them.
    pub used: Qty,
    /// Its own quantity.
    pub total: Qty,
}

/// The basket that an order is a leg of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basket {
    /// What its asker said that all of it is worth, in the account's currency.
    pub announced: Money,
    /// What the other legs that came are worth at most ([`crate::Risk::worth`]), in the same.
    pub others: Money,
}

/// What the engine knows of itself and of the order when it asks the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Engine time.
    pub now: Ts,
    /// Whether the journal takes no more.
    pub journal_full: bool,
    /// Whether the audit log takes no more.
    pub audit_full: bool,
    /// Whether the wall clock cannot be believed: what depends on the time of day must not be accepted.
    pub clock_unsafe: bool,
    /// Whether a table that the order would need (order table, gateway ring) has no room.
    pub tables_full: bool,
    /// Whether it is not known where orders stand at the venue.
    pub reconciling: bool,
    /// Of a replace: whether its order waits for another answer of the venue.
    pub change_pending: bool,
    /// Of a replace: whether its order waits in the engine.
    pub held: bool,
    /// Of a replace or a trigger: what holds for whoever asked for the order, who may be another than asks now.
    pub halt: HaltLevel,
    /// Whether the engine was asked to stop: nothing new passes, as under a halt.
    pub stopping: bool,
    /// What the venue is known to do as it is meant here; everything else is refused.
    pub takes: OrderFeatures,
    /// Of an order for an auction: whether that is over.
    pub cross_over: bool,
    /// Of an order that is linked to another.
    pub link: LinkFit,
    /// Of a child.
    pub slice: Option<Slice>,
    /// Of a leg; `None`: its basket is not open.
    pub basket: Option<Basket>,
    /// The largest quantity of it that an operator approved beyond the soft limits; zero: none.
    pub approved: Qty,
}

impl Moment {
    /// A moment at which nothing stands in the way.
    pub const fn at(now: Ts) -> Moment {
        Moment {
            now,
            journal_full: false,
            audit_full: false,
            tables_full: false,
            reconciling: false,
            clock_unsafe: false,
            change_pending: false,
            held: false,
            halt: HaltLevel::Active,
            stopping: false,
            takes: OrderFeatures::ALL,
            cross_over: false,
            link: LinkFit::Fits,
            slice: None,
            basket: None,
            approved: Qty(0),
        }
    }
}

impl Market {
    /// The market of an instrument that nobody spoke of: nothing passes on it.
    pub const UNKNOWN: Market = Market {
        state: TradingState::Unknown,
        market_halted: false,
        integrity: Integrity::Incomplete,
        settling: false,
        bid: None,
        ask: None,
        last: None,
        triggers: [None; 2],
        updated: Ts(0),
        channel_updated: Ts(0),
    };

    /// How old the market data is, nanoseconds: of the instrument, or of its channel if that is younger and
    /// may count.
    #[inline(always)]
    pub(crate) fn age_ns(&self, limits: &PairLimits, now: Ts) -> u64 {
        let age = now.since(self.updated);
        if limits.symbol_age_alone { age } else { age.min(now.since(self.channel_updated)) }
    }

    /// Twice the price that a collar measures from: the mid of a live book that is not stale, else a last
    /// trade that is not too old, else nothing.
    #[inline(always)]
    pub(crate) fn reference2(&self, limits: &PairLimits, now: Ts) -> Option<i64> {
        self.reference2_beside(self.mid2(), limits, now)
    }

    /// The same, where the mid is worked out already.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn reference2_beside(
        &self,
        mid2: Option<i64>,
        limits: &PairLimits,
        now: Ts,
    ) -> Option<i64> {
        if mid2.is_some() && self.age_ns(limits, now) <= limits.reference_age_max_ns {
            return mid2;
        }
        let fresh = self.last.filter(|last| now.since(last.at) <= limits.reference_age_max_ns);
        fresh.and_then(|last| twice(last.px))
    }

    /// Twice the price that positions are valued at: the mid of a live book, else the last trade if it came after the one that
    /// was the last when a mid counted (`seen`), else nothing: a trade from before says less than the mid did. And twice the
    /// prices at which a long and a short position could be closed: bid and ask of a live book, else that trade, else nothing.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn marks2(&self, seen: Option<Ts>) -> (Option<i64>, Option<[i64; 2]>) {
        if let (Some(mid2), Some(bid), Some(ask)) = (self.mid2(), self.bid, self.ask) {
            let sides2 = twice(bid).zip(twice(ask));
            return (Some(mid2), sides2.map(|(bid2, ask2)| [bid2, ask2]));
        }
        let news = self.last.filter(|last| Some(last.at) > seen);
        let last2 = news.and_then(|last| twice(last.px));
        (last2, last2.map(|px2| [px2; 2]))
    }

    /// Best bid + best ask of a live book with two sides that do not meet; nothing if the sum does not fit.
    #[inline(always)]
    pub(crate) fn mid2(&self) -> Option<i64> {
        let (bid, ask) = (self.bid?.0, self.ask?.0);
        let sound = self.integrity == Integrity::Live && 0 < bid && bid < ask;
        if sound { bid.checked_add(ask) } else { None }
    }
}

/// Twice a positive price; nothing if it does not fit.
pub(crate) fn twice(px: Px) -> Option<i64> {
    px.0.checked_mul(2).filter(|px2| *px2 > 0)
}
