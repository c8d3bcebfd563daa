//! Baskets on their way: announced, and not all of their legs have come.

use model::{AccountId, Announced, Money, OrderId, Origin, Ts};

/// Baskets on their way at once, at most; each asker has one at most.
const BASKETS_MAX: usize = 32;

const LEGS_MAX: usize = Announced::LEGS_MAX as usize;

/// One basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Basket {
    /// Whose.
    pub account: AccountId,
    /// Who announced it, and sends its legs.
    pub origin: Origin,
    /// What was said of it.
    pub announced: Announced,
    /// When it is too late for its last leg.
    pub due: Ts,
    /// What the legs that came are worth at most.
    pub worth: Money,
    legs: [OrderId; LEGS_MAX],
    come: u8,
}

impl Basket {
    /// The legs that came, in that order.
    pub fn legs(&self) -> &[OrderId] {
        self.legs.get(..usize::from(self.come)).unwrap_or_default()
    }

    /// Whether all of them have.
    pub fn is_complete(&self) -> bool {
        self.come >= self.announced.legs
    }
}

/// All of them.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Baskets {
    #[serde(with = "model::snapshot::table")]
    slots: Vec<Option<Basket>>,
    /// How long all legs may take, nanoseconds.
    timeout_ns: u64,
    /// When the first of them is due; the end of time if there is none.
    first_due: Ts,
}

impl Baskets {
    /// For baskets that have to be complete within `timeout_ns` nanoseconds.
    pub fn new(timeout_ns: u64) -> Baskets {
        Baskets { slots: vec![None; BASKETS_MAX], timeout_ns, first_due: Ts(u64::MAX) }
    }

    /// Every basket on its way.
    pub fn iter(&self) -> impl Iterator<Item = &Basket> {
        self.slots.iter().flatten()
    }

    /// Whether an asker can open one.
    pub fn has_room(&self, origin: Origin) -> bool {
        self.slots.iter().any(Option::is_none) && self.iter().all(|basket| basket.origin != origin)
    }

    /// Opens one, for which [`Baskets::has_room`] found room.
    pub fn open(&mut self, account: AccountId, origin: Origin, announced: Announced, now: Ts) {
        let (due, worth) = (Ts(now.0.saturating_add(self.timeout_ns)), Money::ZERO);
        let (legs, come) = ([OrderId(0); LEGS_MAX], 0);
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(Basket { account, origin, announced, due, worth, legs, come });
            self.first_due = self.first_due.min(due);
        }
    }

    /// The basket that an asker's leg names, if it is his, of this account, and not too late.
    pub fn find(
        &self,
        account: AccountId,
        origin: Origin,
        number: u64,
        now: Ts,
    ) -> Option<&Basket> {
        self.iter().find(|basket| {
            let named = (basket.account, basket.origin, basket.announced.number);
            named == (account, origin, number) && now < basket.due
        })
    }

    /// The leg of an asker's basket has come. Whether that was the last.
    pub fn add(&mut self, origin: Origin, leg: OrderId, worth: Money) -> bool {
        let mut baskets = self.slots.iter_mut().flatten();
        let Some(basket) = baskets.find(|basket| basket.origin == origin) else { return false };
        if let Some(place) = basket.legs.get_mut(usize::from(basket.come)) {
            *place = leg;
            basket.come += 1;
            basket.worth = Money(basket.worth.0.saturating_add(worth.0));
        }
        basket.is_complete()
    }

    /// Takes the first one that is meant out.
    pub fn take(&mut self, is_meant: impl Fn(&Basket) -> bool) -> Option<Basket> {
        let is = |slot: &&mut Option<Basket>| slot.as_ref().is_some_and(&is_meant);
        let basket = self.slots.iter_mut().find(is)?.take();
        self.first_due = self.iter().map(|basket| basket.due).min().unwrap_or(Ts(u64::MAX));
        basket
    }

    /// When it is too late for the first of them; the end of time if there is none.
    pub fn first_due(&self) -> Ts {
        self.first_due
    }

    /// Whether it is too late for one of them.
    #[inline]
    pub fn has_due(&self, now: Ts) -> bool {
        self.first_due <= now
    }
}
