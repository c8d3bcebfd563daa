//! Messages of books that wait for their snapshots, bounded for each book and for all of a feed together.

use std::collections::VecDeque;

use model::{Px, Qty};

use crate::stream::message::{BookHead, OrderChange, Parsed};

/// Levels of one book.
const LEVELS_MAX: usize = 200_000;
/// Orders of one book.
const ORDERS_MAX: usize = 200_000;
/// Memory of all books of a feed together, bytes.
const BYTES_MAX: usize = 64 << 20;
/// Messages of a book whose snapshot is not asked for yet: it will hold all but the newest.
const UNASKED_MAX: usize = 1_000;

/// With its numbers of bids, asks and orders.
type Kept = (BookHead, [u32; 3]);

/// The messages of one book, oldest first, and what they hold.
#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Kept>,
    levels: VecDeque<(Px, Qty)>,
    orders: VecDeque<OrderChange>,
    /// Whether its snapshot was asked for when the newest came.
    is_asked: bool,
}

impl Waiting {
    /// The memory that it has taken.
    fn bytes(&self) -> usize {
        self.messages.capacity() * size_of::<Kept>()
            + self.levels.capacity() * size_of::<(Px, Qty)>()
            + self.orders.capacity() * size_of::<OrderChange>()
    }

    fn is_full(&self) -> bool {
        self.messages.len() > Waitings::MESSAGES_MAX
            || self.levels.len() > LEVELS_MAX
            || self.orders.len() > ORDERS_MAX
    }

    fn push(&mut self, head: &BookHead, parsed: &Parsed) {
        let (bids, asks) = (parsed.bids.as_slice(), parsed.asks.as_slice());
        let counts = [bids.len(), asks.len(), parsed.orders.len()].map(|count| count as u32);
        self.messages.push_back((*head, counts));
        self.levels.extend(bids.iter().chain(asks));
        self.orders.extend(&parsed.orders);
    }

    fn drop_oldest(&mut self) {
        let Some((_, [bids, asks, orders])) = self.messages.pop_front() else { return };
        let levels = (bids as usize + asks as usize).min(self.levels.len());
        self.levels.drain(..levels);
        self.orders.drain(..(orders as usize).min(self.orders.len()));
    }

    /// Takes the oldest out, into `parsed`, which is emptied.
    fn pop(&mut self, parsed: &mut Parsed) -> Option<BookHead> {
        let (head, [bids, asks, orders]) = self.messages.pop_front()?;
        parsed.clear();
        for (side, count) in [(&mut parsed.bids, bids), (&mut parsed.asks, asks)] {
            for (px, qty) in self.levels.drain(..(count as usize).min(self.levels.len())) {
                let _ = side.push(px, qty); // As many as one text held.
            }
        }
        let orders = (orders as usize).min(self.orders.len());
        parsed.orders.extend(self.orders.drain(..orders));
        Some(head)
    }
}

/// What waits, of every book of a feed, by index of the symbol. A book for which nothing waits has no memory.
#[derive(Debug)]
pub(super) struct Waitings {
    books: Vec<Waiting>,
    /// The memory of all.
    bytes: usize,
}

impl Waitings {
    /// Messages of one book, at most.
    pub const MESSAGES_MAX: usize = 50_000;

    /// Nothing yet, for so many books.
    pub fn new(books: usize) -> Waitings {
        Waitings { books: (0..books).map(|_| Waiting::default()).collect(), bytes: 0 }
    }

    fn of(&self, symbol: u16) -> Option<&Waiting> {
        self.books.get(usize::from(symbol))
    }

    /// Does something with what waits for a book, and counts its memory.
    fn with<T>(&mut self, symbol: u16, what: impl FnOnce(&mut Waiting) -> T) -> Option<T> {
        let waiting = self.books.get_mut(usize::from(symbol))?;
        let before = waiting.bytes();
        let said = what(waiting);
        self.bytes = (self.bytes + waiting.bytes()).saturating_sub(before);
        Some(said)
    }

    /// Forgets what waits for a book, and gives its memory back.
    pub fn clear(&mut self, symbol: u16) {
        self.with(symbol, |waiting| *waiting = Waiting::default());
    }

    /// The same for every book.
    pub fn clear_all(&mut self) {
        self.books.fill_with(Waiting::default);
        self.bytes = 0;
    }

    /// Last update of the newest message.
    pub fn last(&self, symbol: u16) -> Option<u64> {
        self.of(symbol)?.messages.back().map(|(head, _)| head.last)
    }

    /// The heads, oldest first.
    pub fn heads(&self, symbol: u16) -> impl Iterator<Item = &BookHead> {
        self.of(symbol).into_iter().flat_map(|waiting| &waiting.messages).map(|(head, _)| head)
    }

    /// Keeps a message of a book whose snapshot is asked for, or not yet. Returns how often there was no room: then all that
    /// waited for a book is forgotten, if need be for this one, and first for those whose snapshots are not asked for.
    pub fn push(&mut self, head: &BookHead, parsed: &Parsed, is_asked: bool) -> u64 {
        let mut full = 0;
        self.with(head.symbol, |waiting| {
            waiting.push(head, parsed);
            waiting.is_asked = is_asked;
            while !is_asked && waiting.messages.len() > UNASKED_MAX {
                waiting.drop_oldest();
            }
            if waiting.is_full() {
                *waiting = Waiting { is_asked, ..Waiting::default() };
                waiting.push(head, parsed);
                full += 1;
            }
        });
        while self.bytes > BYTES_MAX {
            let sized = (0..).zip(&self.books).filter(|(_, waiting)| waiting.bytes() > 0);
            let Some((largest, _)) = sized.max_by_key(|(_, w)| (!w.is_asked, w.bytes())) else {
                break;
            };
            self.clear(largest);
            full += 1;
        }
        full
    }

    /// Takes the oldest message of a book out, into `parsed`, which is emptied.
    pub fn pop(&mut self, symbol: u16, parsed: &mut Parsed) -> Option<BookHead> {
        self.with(symbol, |waiting| {
            let head = waiting.pop(parsed);
            if waiting.messages.is_empty() {
                *waiting = Waiting::default();
            }
            head
        })?
    }
}

#[cfg(test)]
mod tests {
    use model::Ts;

    use super::*;
    use crate::stream::message::BookKind;

    fn head(symbol: u16, last: u64) -> BookHead {
        let (kind, ts_venue) = (BookKind::Delta, Ts(0));
        BookHead { symbol, kind, first: last, last, prev: None, checksum: None, ts_venue }
    }

    fn message(levels: i64) -> Parsed {
        let mut parsed = Parsed::default();
        for px in 0..levels {
            parsed.bids.push(Px(px), Qty(levels)).unwrap();
            parsed.asks.push(Px(-px), Qty(levels)).unwrap();
        }
        parsed
    }

    /// Goal: before a snapshot is asked for the newest alone are kept, then all; what was played or forgotten has no memory.
    /// Method: messages of different sizes, taken out one by one.
    #[test]
    fn newest() {
        let (mut waitings, mut parsed) = (Waitings::new(2), Parsed::default());
        for last in 1..=5_000 {
            assert_eq!(waitings.push(&head(1, last), &message(last as i64 % 5), last > 4_000), 0);
        }
        let kept: Vec<u64> = waitings.heads(1).map(|head| head.last).collect();
        assert_eq!(kept, (3_001..=5_000).collect::<Vec<_>>());
        assert_eq!(
            (waitings.last(1), waitings.last(0), waitings.last(2)),
            (Some(5_000), None, None)
        );
        for last in 3_001..=5_000 {
            assert_eq!(waitings.pop(1, &mut parsed), Some(head(1, last)));
            let expected = message(last as i64 % 5);
            assert_eq!(parsed.bids.as_slice(), expected.bids.as_slice());
            assert_eq!(parsed.asks.as_slice(), expected.asks.as_slice());
        }
        assert_eq!((waitings.pop(1, &mut parsed), waitings.bytes), (None, 0));
        waitings.push(&head(0, 1), &message(9), true);
        assert!(waitings.bytes > 0);
        waitings.clear(0);
        assert_eq!((waitings.bytes, waitings.books[0].bytes()), (0, 0));
    }

    /// Goal: no book, and not all of them, hold more than is allowed; who waits for an answer suffers last. Method: large
    /// messages of one book, then of many; the memory counted anew each time.
    #[test]
    fn bounds() {
        let mut waitings = Waitings::new(40);
        let large = message(20_000);
        assert_eq!(
            (1..=11).map(|last| waitings.push(&head(0, last), &large, true)).sum::<u64>(),
            2
        );
        let mut full = 0;
        for last in 1..=200 {
            for symbol in 1..40 {
                full += waitings.push(&head(symbol, last), &large, false);
                let bytes = waitings.books.iter().map(Waiting::bytes).sum::<usize>();
                assert_eq!(waitings.bytes, bytes);
                assert!(bytes <= BYTES_MAX);
            }
        }
        assert!(full > 100 && waitings.last(0) == Some(11), "{full}");
        waitings.clear_all();
        assert_eq!(waitings.bytes, 0);
    }
}
