//! What clients ask: budgets before anything is sequenced, and answers held back until the journal has their input.

use std::collections::VecDeque;

use model::page::Answer;
use model::{Ask, DeskId, Request};

/// Desks that clients can lease.
pub(super) const DESKS: u32 = 16;
/// Requests taken from a desk in one round.
pub(super) const REQUESTS_PER_ROUND: usize = 8;
/// Answers that can wait for the journal; while so many do, desks are not polled.
const HELD_MAX: usize = 4096;
/// The last of them are for what only tightens.
const HELD_URGENT: usize = 1024;

/// A token bucket: `burst` at once, one more each `period_ns`.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// When it will be full again.
    full_at: u64,
    period_ns: u64,
    burst: u64,
}

impl Bucket {
    const fn new(per_second: u64, burst: u64) -> Bucket {
        Bucket { full_at: 0, period_ns: 1_000_000_000 / per_second, burst }
    }

    fn take(&mut self, now_ns: u64) -> bool {
        let from = self.full_at.max(now_ns);
        if from - now_ns > self.period_ns * (self.burst - 1) {
            return false;
        }
        self.full_at = from + self.period_ns;
        true
    }
}

/// How much a desk may ask: what only tightens has a budget of its own, so that orders cannot use it up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    orders: Bucket,
    cancels: Bucket,
}

impl Budget {
    pub const fn new() -> Budget {
        Budget { orders: Bucket::new(500, 100), cancels: Bucket::new(1000, 1000) }
    }

    /// Takes one request's part, if there is one left.
    pub fn take(&mut self, request: &Request, now_ns: u64) -> bool {
        match request.ask {
            Ask::New(_) | Ask::Replace { .. } | Ask::Check(_) | Ask::Basket(_) | Ask::Beat => {
                self.orders.take(now_ns)
            }
            Ask::Cancel { .. } | Ask::Halt { .. } => self.cancels.take(now_ns),
        }
    }
}

/// Answers in the order of their inputs, until the journal has come so far.
#[derive(Debug)]
pub(super) struct Held {
    answers: VecDeque<(DeskId, Answer, u64)>,
}

impl Held {
    pub fn new() -> Held {
        Held { answers: VecDeque::with_capacity(HELD_MAX) }
    }

    pub fn is_full(&self) -> bool {
        self.answers.len() >= HELD_MAX
    }

    /// Whether the places that are left are for what only tightens.
    pub fn is_crowded(&self) -> bool {
        self.answers.len() >= HELD_MAX - HELD_URGENT
    }

    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// Holds an answer from `now_ns` on.
    pub fn hold(&mut self, desk: DeskId, answer: Answer, now_ns: u64) {
        if !self.is_full() {
            self.answers.push_back((desk, answer, now_ns));
        }
    }

    /// Drops the answers to every input after `recorded`.
    pub fn forget_after(&mut self, recorded: u64) {
        self.answers.retain(|(_, answer, _)| answer.engine_seq <= recorded);
    }

    /// The next answer whose input is recorded, and since when it waited.
    pub fn release(&mut self, recorded: u64) -> Option<(DeskId, Answer, u64)> {
        let (_, answer, _) = self.answers.front()?;
        if answer.engine_seq > recorded {
            return None;
        }
        self.answers.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a burst passes, then one each period; unused time does not add up beyond the burst. Method: drain, wait.
    #[test]
    fn bucket_bounds_bursts() {
        let mut bucket = Bucket::new(1000, 3);
        let taken = |bucket: &mut Bucket, now| (0..10).filter(|_| bucket.take(now)).count();
        assert_eq!(taken(&mut bucket, 5), 3);
        assert_eq!(taken(&mut bucket, 5 + 999_999), 0);
        assert_eq!(taken(&mut bucket, 5 + 1_000_000), 1);
        assert_eq!(taken(&mut bucket, 1_000_000_000), 3);
    }
}
