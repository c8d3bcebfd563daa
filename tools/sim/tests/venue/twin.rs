//! The slow, obvious book: every open order of a day, with its place in the queue.

use std::collections::BTreeMap;

use feeds::nasdaq::itch::Decoder;
use model::{Event, FeedId, Flags, Kind, Side, Ts};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    number: u32,
    side: Side,
    px: i64,
    qty: i64,
}

/// Open orders by reference, and their references in the order of their priority.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Twin {
    orders: BTreeMap<u64, Open>,
    queue: Vec<u64>,
    states: BTreeMap<u32, u64>,
    listed: BTreeMap<u32, u64>,
}

impl Twin {
    pub fn apply(&mut self, event: &Event) {
        let (order, number) = (event.order.0, event.number.0);
        let known = self.orders.get(&order).copied();
        match (event.kind, known) {
            (Kind::Clear, _) => *self = Twin::default(),
            (Kind::Session, _) if event.aux == u64::from(b'O') => *self = Twin::default(),
            (Kind::Directory, _) => _ = self.listed.insert(number, event.aux),
            (Kind::State, _) => _ = self.states.insert(number, event.aux),
            (Kind::Add, _) => {
                let side = event.side.unwrap();
                self.put(order, Open { number, side, px: event.px.0, qty: event.qty.0 });
            }
            (Kind::Execute | Kind::ExecuteAt | Kind::Reduce, Some(open))
                if open.qty > event.qty.0 =>
            {
                self.orders.insert(order, Open { qty: open.qty - event.qty.0, ..open });
            }
            (Kind::Execute | Kind::ExecuteAt | Kind::Reduce | Kind::Delete, Some(_)) => {
                self.remove(order)
            }
            (Kind::Replace, Some(open)) => {
                self.remove(order);
                self.put(event.aux, Open { px: event.px.0, qty: event.qty.0, ..open });
            }
            _ => {}
        }
    }

    fn put(&mut self, order: u64, open: Open) {
        assert!(self.orders.insert(order, open).is_none(), "added twice");
        self.queue.push(order);
    }

    fn remove(&mut self, order: u64) {
        self.orders.remove(&order);
        let place = self.queue.iter().position(|queued| *queued == order).unwrap();
        self.queue.remove(place);
    }
}

/// The books after each message; the first: before all.
pub fn truth(messages: &[Vec<u8>]) -> Vec<Twin> {
    let decoder = Decoder { feed: FeedId(0), midnight: Ts(0) };
    let mut twin = Twin::default();
    let mut all = vec![twin.clone()];
    for message in messages {
        if let Ok(event) = decoder.decode(message, 1, Flags::NONE) {
            twin.apply(&event);
        }
        all.push(twin.clone());
    }
    all
}
