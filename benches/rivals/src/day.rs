//! The day that parsers and books are held against: workload A, made here, so that anybody can repeat it.
//!
//! A synthetic Nasdaq day of 50 symbols whose shares of the messages follow Zipf's law. Orders that would cross the
//! other side while nothing trades (before an auction) are left out with all that happens to them: a book that
//! matches by itself would trade where the venue does not, and could be compared with nothing.

use std::collections::{HashMap, HashSet};

use benches::{DECODER, NaiveBooks, SYMBOLS, digest, frames};
use model::{Event, Flags, Kind, Side};
use synth::{Config, Hours};

/// What happens to a book, as books without a parser of their own want it: decoded, and without what they would have
/// to look up to be told.
#[derive(Clone, Copy)]
pub struct Op {
    /// What happens.
    pub kind: OpKind,
    /// Whether it is the last of its message: a replacement is two.
    pub is_last: bool,
    /// Side of the order.
    pub side: Side,
    /// Venue number of the symbol, 1 to [`SYMBOLS`].
    pub book: u16,
    /// A number for each order, from 0 without holes, for books that number orders themselves.
    pub place: u32,
    /// The venue's reference.
    pub order: u64,
    /// Price of the order, in ten-thousandths of a dollar.
    pub px: i64,
    /// What is open of it afterwards, in shares.
    pub qty: i64,
}

/// Kinds of [`Op`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OpKind {
    /// A new order.
    Add,
    /// Less is open of it, but something.
    Reduce,
    /// It is gone.
    Delete,
}

/// A day in memory.
pub struct Day {
    /// Framed messages.
    pub bytes: Vec<u8>,
    /// What each decodes to.
    pub events: Vec<Event>,
    /// Digest of the books at its end.
    pub digest: u64,
    /// Orders that rest at its end.
    pub resting: usize,
}

impl Day {
    /// Makes a day of about so many messages.
    pub fn new(messages: u64) -> Day {
        eprintln!("making a day of {messages} messages");
        let config =
            Config { seed: 2, symbols: SYMBOLS, messages, hours: Hours::NASDAQ, ..Config::SAMPLE };
        let mut bytes = Vec::with_capacity(messages as usize * 40);
        let summary =
            synth::Day::new(config).write_to(&mut bytes).expect("memory takes everything");
        let events = decode(&bytes);
        let found = digest_of(&play(&events));
        assert_eq!(found, summary.digest, "the naive books are the generator's");
        let mut bytes = without_crossing(&bytes, &events);
        let mut events = decode(&bytes);
        // In huge pages where the host allows them: all read the same, and no walk of page tables is anybody's work.
        host::prefault(&mut bytes);
        host::prefault(&mut events);
        let books = play(&events);
        let resting = ops(&events).into_iter().map(|op| match op.kind {
            OpKind::Add => 1,
            OpKind::Reduce => 0,
            OpKind::Delete => -1,
        });
        let resting = resting.sum::<i64>() as usize;
        Day { digest: digest_of(&books), bytes, events, resting }
    }

    /// The first messages of the day, and the digest of the books after them.
    pub fn head(&self, messages: usize) -> (&[Event], u64) {
        let head = self.events.get(..messages).unwrap_or(&self.events);
        (head, digest_of(&play(head)))
    }
}

fn decode(bytes: &[u8]) -> Vec<Event> {
    let events = frames(bytes)
        .zip(1..)
        .map(|(message, seq)| DECODER.decode(message, seq, Flags::LAST_OF_PACKET));
    events.collect::<Result<_, _>>().expect("the generator keeps to the specification")
}

fn play(events: &[Event]) -> NaiveBooks {
    let mut books = NaiveBooks::default();
    events.iter().for_each(|event| _ = books.apply(event));
    books
}

fn digest_of(books: &NaiveBooks) -> u64 {
    digest(|number, side| books.best(number, side))
}

/// Follows orders through their replacements to the reference that they began with.
#[derive(Default)]
struct Roots(HashMap<u64, u64>);

impl Roots {
    /// The first reference of the order that an event is about; `None`: about no order.
    fn of(&mut self, event: &Event) -> Option<u64> {
        let order = event.order.0;
        match event.kind {
            Kind::Add => {
                self.0.insert(order, order);
                Some(order)
            }
            Kind::Replace => {
                let root = self.0.remove(&order)?;
                self.0.insert(event.aux, root);
                Some(root)
            }
            Kind::Execute | Kind::ExecuteAt | Kind::Reduce | Kind::Delete => {
                self.0.get(&order).copied()
            }
            _ => None,
        }
    }
}

/// First references of the orders that cross the other side at some time, those before them left out.
fn crossing(events: &[Event]) -> HashSet<u64> {
    let mut books = NaiveBooks::default();
    let (mut roots, mut sides, mut crossing) = (Roots::default(), HashMap::new(), HashSet::new());
    for event in events {
        let Some(root) = roots.of(event) else { continue };
        if crossing.contains(&root) {
            continue;
        }
        let adds = matches!(event.kind, Kind::Add | Kind::Replace);
        let side = *sides.entry(root).or_insert(event.side.unwrap_or(Side::Buy));
        let other = if side == Side::Buy { Side::Sell } else { Side::Buy };
        let crosses =
            books.best(event.number.0 as u16, other).is_some_and(|(best, _)| match side {
                Side::Buy => event.px >= best,
                Side::Sell => event.px <= best,
            });
        if adds && crosses {
            crossing.insert(root);
            books.apply(&Event { kind: Kind::Delete, ..*event });
        } else {
            books.apply(event);
        }
    }
    crossing
}

fn without_crossing(bytes: &[u8], events: &[Event]) -> Vec<u8> {
    let crossing = crossing(events);
    let mut roots = Roots::default();
    let mut kept = Vec::with_capacity(bytes.len());
    for (message, event) in frames(bytes).zip(events) {
        if !roots.of(event).is_some_and(|root| crossing.contains(&root)) {
            kept.extend((message.len() as u16).to_be_bytes());
            kept.extend(message);
        }
    }
    kept
}

/// Events as [`Op`]s.
pub fn ops(events: &[Event]) -> Vec<Op> {
    let mut live: HashMap<u64, Op> = HashMap::new();
    let (mut ops, mut place) = (Vec::with_capacity(events.len()), 0);
    for event in events {
        let (order, px, qty) = (event.order.0, event.px.0, event.qty.0);
        let old = live.get(&order).copied();
        let added = match (event.kind, event.side, old) {
            (Kind::Add, Some(side), _) => Some((order, side)),
            (Kind::Replace, _, Some(old)) => Some((event.aux, old.side)),
            _ => None,
        };
        if let (Some(old), true) = (old, event.kind != Kind::Add) {
            let whole = matches!(event.kind, Kind::Delete | Kind::Replace) || qty == old.qty;
            let left = if whole { 0 } else { old.qty - qty };
            let kind = if whole { OpKind::Delete } else { OpKind::Reduce };
            ops.push(Op { kind, is_last: added.is_none(), qty: left, ..old });
            if whole {
                live.remove(&order);
            } else {
                live.insert(order, Op { qty: left, ..old });
            }
        }
        if let Some((order, side)) = added {
            let book = event.number.0 as u16;
            let op = Op { kind: OpKind::Add, is_last: true, side, book, place, order, px, qty };
            place += 1;
            live.insert(order, op);
            ops.push(op);
        }
    }
    ops
}
