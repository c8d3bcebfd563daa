//! The rings between the engine thread and a gateway's: what is to be sent one way, what the venue said the other.
//!
//! An order has at most one message of each kind under way, so neither ring can overflow while the gateway's thread runs. If it
//! stands still all the same, new orders and changes are given back at once, questions of an order are dropped, for they are
//! asked again, and cancels have room that nothing else takes. So has a reconciliation, which nobody asks for twice.

use std::collections::VecDeque;

use model::{Instrument, OrderId, Report, ReportKind, Side};

use super::Send;
use super::ouch::Told;
use crate::step::Engine;

/// Something for the venue, with what a gateway has to know of it.
#[derive(Debug)]
pub struct Outgoing {
    /// Number of the input that it follows from.
    pub seq: u64,
    /// What is to be sent.
    pub send: Send,
    /// The instrument of a new order or of new terms.
    pub instrument: Option<Instrument>,
    /// Whether the order sells what its account does not hold.
    pub is_short: bool,
}

/// The engine thread's end. Takes no memory once it is made.
#[derive(Debug)]
pub struct EngineEnd {
    to: rtrb::Producer<Outgoing>,
    from: rtrb::Consumer<Told>,
    /// Places that are for cancels and reconciliations alone.
    reserve: usize,
    /// Those that found no place even there.
    urgent: VecDeque<Outgoing>,
    /// What was not taken over.
    back: VecDeque<Report>,
}

/// The gateway's end.
#[derive(Debug)]
pub struct GatewayEnd {
    /// What is to be sent.
    pub from: rtrb::Consumer<Outgoing>,
    /// What the engine is to hear.
    pub to: rtrb::Producer<Told>,
}

/// Both ends, for `own_orders` orders of ours.
pub fn ends(own_orders: u32) -> (EngineEnd, GatewayEnd) {
    let (reserve, room) = rooms(own_orders);
    let (mut to, mut from) = rtrb::RingBuffer::new(room);
    // Every page is touched once, so that the engine thread never faults on it.
    let touch = || Outgoing { seq: 0, send: Send::Reconcile(0), instrument: None, is_short: false };
    while to.push(touch()).is_ok() {}
    while from.pop().is_ok() {}
    let (told, heard) = rtrb::RingBuffer::new(room);
    let end = EngineEnd {
        to,
        from: heard,
        reserve,
        urgent: VecDeque::with_capacity(reserve),
        back: VecDeque::with_capacity(room),
    };
    (end, GatewayEnd { from, to: told })
}

/// Places that are for what is urgent alone, and all of a ring.
const fn rooms(own_orders: u32) -> (usize, usize) {
    let orders = own_orders as usize;
    let reserve = 2 * orders + 512;
    (reserve, reserve + 4 * orders + 512)
}

/// Bytes that both ends take.
pub fn bytes(own_orders: u32) -> u64 {
    let (reserve, room) = rooms(own_orders);
    let (sent, heard) = ((room + reserve) * size_of::<Outgoing>(), room * size_of::<Told>());
    (sent + heard + room * size_of::<Report>()) as u64
}

impl EngineEnd {
    /// Hands over what the step of input `seq` wants sent; whether there was anything.
    pub fn take(&mut self, seq: u64, sends: &mut Vec<Send>, engine: &Engine) -> bool {
        let any = !sends.is_empty();
        for send in sends.drain(..) {
            self.push(seq, send, engine);
        }
        any
    }

    fn push(&mut self, seq: u64, send: Send, engine: &Engine) {
        let order = match &send {
            Send::New(cleared) => Some(*cleared.order()),
            Send::Replace(cleared, _) => Some(*cleared.order()),
            Send::Cancel(..) | Send::Status(_) | Send::Reconcile(_) => None,
        };
        let listed = order.and_then(|order| engine.instruments().get(order.instrument.0));
        let instrument = listed.map(|listed| listed.instrument);
        // New terms that ask for no more sell no more than what was marked.
        let asked = match &send {
            Send::Replace(cleared, _) => engine.orders().get(cleared.order().id),
            _ => None,
        };
        let is_short = order.is_some_and(|order| {
            let (held, working) = engine.risk().sellable(order.account, order.instrument);
            let grows = asked.is_none_or(|record| order.qty > record.order.qty);
            order.side == Side::Sell && grows && held.0 < working.0
        });
        let outgoing = Outgoing { seq, send, instrument, is_short };
        if let Send::Cancel(..) | Send::Reconcile(_) = outgoing.send {
            self.urgent.push_back(outgoing);
            self.push_urgent();
        } else if self.to.slots() <= self.reserve || self.to.push(outgoing).is_err() {
            self.give_back(order.map(|order| order.id), engine);
        }
    }

    /// What was not taken over of an order is known not to have left.
    fn give_back(&mut self, order: Option<OrderId>, engine: &Engine) {
        let Some(order) = order else { return };
        let record = engine.orders().get(order);
        let change = record.and_then(|record| record.life.replacing()).map_or(0, |c| c.number);
        self.back.push_back(Report { change, ..Report::of(ReportKind::NotSent, order) });
    }

    /// Hands over what is urgent and waits for a place.
    pub fn push_urgent(&mut self) {
        while let Some(urgent) = self.urgent.pop_front() {
            if let Err(rtrb::PushError::Full(urgent)) = self.to.push(urgent) {
                self.urgent.push_front(urgent);
                return;
            }
        }
    }

    /// What the engine is to hear next.
    pub fn hear(&mut self) -> Option<Told> {
        let back = self.back.pop_front().map(Told::Report);
        back.or_else(|| self.from.pop().ok())
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::config::Config;

    fn engine() -> Engine {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let files = Config::NAMES.map(|name| (PathBuf::from(name), read(name)));
        let config = Config::from_texts(files.into()).unwrap();
        let mut engine = config.engine.clone();
        engine.capacity.instruments = 1;
        engine.capacity.book_orders = 64;
        engine.capacity.levels = 64;
        engine.capacity.ref_pages = 1;
        Engine::new(&config.with_engine(engine)).unwrap()
    }

    /// Goal: a gateway that takes nothing for a long time stops questions, and no cancel is ever lost or out of order, nor a
    /// reconciliation behind them. Method: far more of both than there is room for.
    #[test]
    fn cancels_have_their_own_room() {
        let (engine, (mut end, mut gateway)) = (engine(), ends(8));
        let mut sends: Vec<_> = (0..2_000).map(|n| Send::Status(OrderId(n))).collect();
        assert!(end.take(1, &mut sends, &engine));
        sends.extend((0..2_000).map(|n| Send::Cancel(OrderId(n), 1)));
        assert!(end.take(2, &mut sends, &engine) && sends.is_empty());
        sends.push(Send::Reconcile(1));
        assert!(end.take(3, &mut sends, &engine) && !end.take(4, &mut sends, &engine));
        let (mut questions, mut cancels, mut rounds) = (0, Vec::new(), 0);
        while let Ok(outgoing) = gateway.from.pop() {
            match outgoing.send {
                Send::Cancel(order, _) => cancels.push(order.0),
                Send::Reconcile(_) => rounds += 1,
                _ => questions += 1,
            }
            end.push_urgent();
        }
        assert!((1..2_000).contains(&questions), "{questions}");
        assert_eq!((cancels, rounds), ((0..2_000).collect::<Vec<_>>(), 1));
        assert_eq!(end.hear(), None);
    }
}
