//! Baskets among what is asked for, and what must hold of each, wherever the engine that collects them is killed.

use std::collections::{BTreeMap, BTreeSet};

use engine::replay::Seen;
use engine::step::Engine;
use model::page::{AsOf, TapeKind};
use model::{AccountId, Announced, BasketEnd, Body, Control, Money, OrderId, OrderState};
use tests::place::lasting_limits;
use tests::rogue::Dice;

/// Most that a basket may come to, in whole units.
const MAX: i128 = 1_000_000;
/// Money of one whole unit.
const ONE: i128 = 1_000_000_000_000;

/// Limits under which orders outlive their client, and baskets have one.
pub fn limits() -> String {
    lasting_limits().replacen("basket_max = \"off\"", &format!("basket_max = \"{MAX}\""), 1)
}

/// Baskets that somebody asks for: whole ones, ones whose last leg never comes, ones that come to more than was said of them,
/// and ones that come to more than is allowed.
#[derive(Default)]
pub struct Asked {
    /// How many legs each has, by its number.
    legs: BTreeMap<u64, usize>,
    /// The one whose legs are asked for, and how many of them are still to come.
    coming: Option<(u64, u8)>,
}

impl Asked {
    /// Announces the next, whether or not the one before is whole.
    pub fn announce(&mut self, number: u64, dice: &mut Dice) -> Announced {
        let legs = 2 + dice.below(4) as u8;
        let money = match dice.below(8) {
            0 => 1,
            1 => MAX + 1,
            _ => MAX,
        };
        self.legs.insert(number, legs.into());
        self.coming = Some((number, legs - u8::from(dice.below(3) == 0)));
        Announced { number, legs, money: Money(money * ONE) }
    }

    /// Whether legs are to come. Those that an engine did not live to hear are asked of the next, which must not know them.
    pub fn is_coming(&self) -> bool {
        self.coming.is_some()
    }

    /// The basket of the next leg.
    pub fn leg(&mut self) -> Option<u64> {
        let (number, left) = self.coming.take()?;
        self.coming = (left > 1).then_some((number, left - 1));
        Some(number)
    }

    /// The engine took an announcement.
    pub fn note(&self, announced: &Announced) {
        assert!(announced.money.0 <= MAX * ONE, "more than is allowed: {announced:?}");
    }
}

/// What a journal says of baskets.
#[derive(Default)]
pub struct Recorded {
    /// Legs that passed as they came, with the numbers of their baskets.
    legs: BTreeMap<OrderId, u64>,
    /// Legs that were handed over, by basket.
    left: BTreeMap<u64, BTreeSet<OrderId>>,
    ends: BTreeMap<u64, BasketEnd>,
    /// Whether the journal ends between an announcement's first leg and its last.
    pub is_half: bool,
}

impl Recorded {
    /// Takes in what a step left behind.
    pub fn note(&mut self, seen: &Seen<'_>) {
        if matches!(seen.input.body, Body::Control(Control::Restarted { .. })) {
            // Whoever announced them is not there any more: later they would only be late.
            assert_eq!(seen.engine.baskets().iter().count(), 0, "a start ends all");
        }
        for judged in seen.out.judged.iter().filter(|judged| judged.verdict.passed()) {
            let Some(number) = judged.order.basket() else { continue };
            if judged.is_trigger {
                self.left.entry(number).or_default().insert(judged.order.id);
            } else if !judged.is_replace {
                self.legs.insert(judged.order.id, number);
            }
        }
        for record in seen.out.tape.iter().filter(|record| record.kind == TapeKind::Basket) {
            let before = self.ends.insert(record.aux, BasketEnd::from_code(record.code).unwrap());
            assert_eq!(before, None, "basket {} was over already", record.aux);
        }
    }

    /// Nothing waits, and nothing is reserved, but for a basket that is on its way and for orders that are open.
    pub fn holds(&mut self, engine: &Engine) {
        let coming: BTreeMap<_, _> = engine
            .baskets()
            .iter()
            .map(|basket| (basket.announced.number, basket.legs()))
            .collect();
        self.is_half = coming.values().any(|legs| !legs.is_empty());
        let mut reserved = 0;
        for record in engine.orders().open() {
            reserved += record.reservation.held_cash().0;
            if let Some(number) = record.order.basket().filter(|_| record.state == OrderState::Held)
            {
                let is_in = |legs: &&[OrderId]| legs.contains(&record.order.id);
                assert!(coming.get(&number).is_some_and(is_in), "{:?}", record.order);
            }
        }
        for order in self.legs.keys() {
            let ended = engine.orders().get(*order).filter(|record| !record.state.is_open());
            assert!(ended.is_none_or(|record| !record.reservation.is_open()), "{ended:?}");
        }
        let page = engine.risk().account_page(AccountId(0), AsOf::default(), engine.now()).unwrap();
        let open = engine.orders().open().count();
        assert_eq!((page.open_orders as usize, page.reserved.0), (open, reserved));
    }

    /// Legs left together or not at all, and what is `at_venue` is of baskets that were sent. Of how many such the venue has
    /// some legs alone: the kill, the line or its refusal kept the others.
    pub fn is_whole(&self, asked: &Asked, at_venue: impl Fn(&OrderId) -> bool) -> u64 {
        for (number, end) in &self.ends {
            let left = self.left.get(number).map_or(0, BTreeSet::len);
            let all = if *end == BasketEnd::Sent { asked.legs[number] } else { 0 };
            assert_eq!(left, all, "basket {number}: {end}");
        }
        let there: Vec<_> = self.legs.iter().filter(|(order, _)| at_venue(order)).collect();
        for (order, number) in there {
            let end = self.ends.get(number);
            assert_eq!(end, Some(&BasketEnd::Sent), "{order:?} of {number} is at the venue");
        }
        let parted = |legs: &&BTreeSet<OrderId>| {
            (1..legs.len()).contains(&legs.iter().filter(|leg| at_venue(leg)).count())
        };
        self.left.values().filter(parted).count() as u64
    }

    /// How many baskets ended so.
    pub fn ended(&self, end: BasketEnd) -> u64 {
        self.ends.values().filter(|of| **of == end).count() as u64
    }
}
