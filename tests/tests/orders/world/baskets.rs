//! Baskets that somebody asks for, some of which never become whole.

use std::collections::BTreeMap;

use engine::gateway::Send;
use model::{
    Announced, Ask, ClientOrderId, Conditions, InstrumentId, Link, Money, OrderType, Qty, Side,
    Terms, Tif,
};

use super::World;

impl World {
    /// A basket of some legs, the last of which does not always come.
    pub(super) fn basket(&mut self) {
        let (number, legs) = (self.names, 2 + self.dice.below(3));
        self.baskets.insert(number, legs as usize);
        let money = Money(1 << 90);
        self.ask(Ask::Basket(Announced { number, legs: legs as u8, money }));
        for _ in 0..legs - self.dice.below(4) / 3 {
            self.names += 1;
            let client_id = ClientOrderId::new(&format!("c{}", self.names)).unwrap();
            let (px, qty) = (self.px(), Qty(1 + self.dice.below(6) as i64));
            let side = if self.dice.below(2) == 0 { Side::Buy } else { Side::Sell };
            let (order_type, tif, instrument) = (OrderType::Limit, Tif::Day, InstrumentId(0));
            let link = Some(Link::Basket(number));
            let conditions = Conditions { link, ..Conditions::NONE };
            self.ask(Ask::New(Terms {
                client_id,
                instrument,
                side,
                order_type,
                tif,
                px,
                qty,
                conditions,
            }));
        }
        self.names += 1;
    }

    /// All legs of a basket leave in one step, or none does.
    pub(super) fn check_baskets(&self) {
        let legs = self.out.sends.iter().filter_map(|send| match send {
            Send::New(cleared) => cleared.order().basket(),
            _ => None,
        });
        let mut left = BTreeMap::new();
        legs.for_each(|number| *left.entry(number).or_insert(0) += 1);
        assert!(left.iter().all(|(number, legs)| self.baskets.get(number) == Some(legs)));
    }
}
