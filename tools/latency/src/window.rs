//! Which stretch of a capture is measured: found by reading it once, so that both hot threads know it by numbers alone.

use feeds::capture::Capture;
use feeds::{Arrival, FeedError, Next};
use model::{DAY_NS, Ts};
use serde::{Deserialize, Serialize};

/// Recorded time is looked at in pieces of this length, nanoseconds.
const PIECE_NS: u64 = 100_000_000;
/// Events that one window holds at most: 72 bytes of stamps each.
pub const EVENTS_MAX: u64 = 1 << 23;

/// A stretch of a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Receive time of its first piece, nanoseconds.
    pub from: u64,
    /// Recorded nanoseconds.
    pub length: u64,
    /// Number of its first message, from 0.
    pub first_arrival: u64,
    /// Messages, or packets of them.
    pub arrivals: u64,
    /// Number of its first event, from 0.
    pub first_event: u64,
    /// Events.
    pub events: u64,
}

/// Where a piece begins, of those in which something came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    /// Its place in time.
    number: u64,
    arrivals: u64,
    events: u64,
}

/// A capture as it was read: what came when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    pieces: Vec<Piece>,
    /// Messages, or packets of them.
    pub arrivals: u64,
    /// Events.
    pub events: u64,
}

impl Arrival for Scan {
    fn arrives(&mut self, ts_recv: Ts) {
        let last = self.pieces.last().map_or(0, |piece| piece.number);
        // Time never steps back: what seems earlier is due at once.
        let number = (ts_recv.0 / PIECE_NS).max(last);
        if self.pieces.is_empty() || number > last {
            let (arrivals, events) = (self.arrivals, self.events);
            self.pieces.push(Piece { number, arrivals, events });
        }
        self.arrivals += 1;
    }
}

impl Scan {
    /// Reads a capture to its end.
    ///
    /// # Errors
    ///
    /// Where and why it breaks.
    pub fn read(capture: &mut Capture) -> Result<Scan, FeedError> {
        let mut scan = Scan::default();
        while let Next::Event(_) = capture.next_at(&mut scan)? {
            scan.events += 1;
        }
        Ok(scan)
    }

    /// The stretch of `length` recorded nanoseconds in which most came; with `from`, a time of day, the one that begins there.
    /// `None`: nothing did.
    pub fn window(&self, length: u64, from: Option<u64>) -> Option<Window> {
        let pieces = (length / PIECE_NS).max(1);
        let candidates = 0..self.pieces.len();
        match from {
            None => {
                let windows = candidates.filter_map(|first| self.at(first, pieces));
                // Of equals the first.
                windows.reduce(|best, next| if next.events > best.events { next } else { best })
            }
            Some(from) => {
                let begins = |piece: &Piece| piece.number * PIECE_NS % DAY_NS + PIECE_NS > from;
                self.at(self.pieces.iter().position(begins)?, pieces)
            }
        }
    }

    /// All but the first tenth, which warms up: for a run without a pace. Where no piece begins behind that, the last one.
    pub fn rest(&self) -> Option<Window> {
        let first = self.pieces.iter().position(|piece| piece.events >= self.events / 10);
        self.at(first.or(self.pieces.len().checked_sub(1))?, u64::MAX)
    }

    /// As many pieces from one on, or as many as there is room for the stamps of.
    fn at(&self, first: usize, pieces: u64) -> Option<Window> {
        let begin = *self.pieces.get(first)?;
        let later = self.pieces.get(first + 1..).unwrap_or_default();
        let until = begin.number.saturating_add(pieces);
        let inside = later.partition_point(|piece| {
            piece.number < until && piece.events - begin.events <= EVENTS_MAX
        });
        let all = Piece { number: until, arrivals: self.arrivals, events: self.events };
        let mut end = later.get(inside).copied().unwrap_or(all);
        if end.events - begin.events > EVENTS_MAX && inside > 0 {
            end = *later.get(inside - 1)?;
        }
        let last = later.get(..inside).and_then(<[_]>::last).unwrap_or(&begin).number;
        let length = pieces.min(last + 1 - begin.number) * PIECE_NS;
        Some(Window {
            from: begin.number * PIECE_NS,
            length,
            first_arrival: begin.arrivals,
            arrivals: end.arrivals - begin.arrivals,
            first_event: begin.events,
            events: end.events - begin.events,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A capture with one event for each of these times.
    fn scan(times: &[u64]) -> Scan {
        let mut scan = Scan::default();
        for ts in times {
            scan.arrives(Ts(*ts));
            scan.events += 1;
        }
        scan
    }

    /// Goal: the busiest stretch is found, the first of equals, and a named one begins where it was named. Method: two bursts
    /// a second apart, the second larger.
    #[test]
    fn busiest_and_named() {
        let second = 10 * PIECE_NS;
        let times = [0, 1, second, second + 1, second + PIECE_NS, 3 * second];
        let scan = scan(&times);
        let window = scan.window(2 * PIECE_NS, None).unwrap();
        let seen = (window.from, window.first_event, window.events, window.length);
        assert_eq!(seen, (second, 2, 3, 2 * PIECE_NS));
        let window = scan.window(PIECE_NS, Some(2 * second)).unwrap();
        assert_eq!((window.from, window.first_arrival, window.arrivals), (3 * second, 5, 1));
        assert_eq!(scan.window(PIECE_NS, Some(4 * second)), None);
        assert_eq!(scan.rest().unwrap().events, 6, "a tenth of six is none");
        assert_eq!((Scan::default().window(1, None), Scan::default().rest()), (None, None));
    }

    /// Goal: a capture without a piece that begins behind its first tenth has a rest too. Method: one that is a single piece,
    /// and one whose last piece holds nearly all.
    #[test]
    fn rest_of_short_captures() {
        let short = scan(&[5; 20]).rest().unwrap();
        assert_eq!((short.first_event, short.events), (0, 20));
        let late = scan(&[[0].as_slice(), &[PIECE_NS; 99]].concat()).rest().unwrap();
        assert_eq!((late.first_event, late.events, late.length), (1, 99, PIECE_NS));
    }

    proptest! {
        /// Goal: no other stretch of whole pieces holds more. Method: count each by going through all times, which may step
        /// back.
        #[test]
        fn none_is_busier(
            steps in proptest::collection::vec(0_u64..300_000_000, 1..60),
            back in 0_usize..60,
            pieces in 1_u64..20,
        ) {
            let mut times: Vec<u64> = steps.iter().scan(0, |now, step| { *now += step; Some(*now) }).collect();
            if let Some(time) = times.get_mut(back) { *time /= 2; }
            let scan = scan(&times);
            let mut latest = 0;
            let numbers: Vec<u64> = times.iter().map(|time| { latest = (time / PIECE_NS).max(latest); latest }).collect();
            let count = |from: u64| numbers.iter().filter(|number| (from..from + pieces).contains(number)).count() as u64;
            let most = numbers.iter().map(|number| count(*number)).max().unwrap_or(0);
            let window = scan.window(pieces * PIECE_NS, None).unwrap();
            prop_assert_eq!(window.events, most);
            prop_assert_eq!(count(window.from / PIECE_NS), most);
            prop_assert_eq!(window.first_event, numbers.iter().filter(|number| **number < window.from / PIECE_NS).count() as u64);
        }
    }
}
