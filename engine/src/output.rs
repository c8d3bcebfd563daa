//! What a step leaves behind for readers: the tape, what changed, and an answer.

use std::collections::VecDeque;

use model::page::{Answer, TapeKind, TapeRecord};
use model::{BooksRefusal, Order, ResumeRefusal, Verdict};

use crate::approvals::APPROVALS_MAX;
use crate::gateway::Send;
use crate::step::{Booked, Credited};

/// Numbers of things that changed since they were last taken, each once, in the order of their first change.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Dirty {
    #[serde(with = "model::snapshot::table")]
    marked: Vec<bool>,
    #[serde(with = "model::snapshot::reserved")]
    list: VecDeque<u32>,
}

impl Dirty {
    /// For things numbered below `count`.
    pub fn new(count: usize) -> Dirty {
        Dirty { marked: vec![false; count], list: VecDeque::with_capacity(count) }
    }

    /// Notes a change; a number out of range is ignored.
    #[inline]
    pub fn mark(&mut self, number: u32) {
        if let Some(marked) = self.marked.get_mut(number as usize)
            && !*marked
        {
            *marked = true;
            self.list.push_back(number); // Never grows: each number is listed once.
        }
    }

    /// Bytes that a list of `count` takes.
    pub(crate) const fn bytes(count: u64) -> u64 {
        count * (size_of::<bool>() + size_of::<u32>()) as u64
    }

    /// Takes the number noted first.
    pub fn pop(&mut self) -> Option<u32> {
        let number = self.list.pop_front()?;
        if let Some(marked) = self.marked.get_mut(number as usize) {
            *marked = false;
        }
        Some(number)
    }

    /// Calls `each` for the numbers noted first, `most` at the most, and forgets them.
    pub fn take(&mut self, most: usize, mut each: impl FnMut(u32)) {
        for _ in 0..most {
            let Some(number) = self.pop() else { return };
            each(number);
        }
    }

    /// The number noted so many places behind the first.
    pub fn behind(&self, places: usize) -> Option<u32> {
        self.list.get(places).copied()
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        while self.pop().is_some() {}
    }

    /// Whether nothing is noted.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// Records that one input can cause.
const TAPE_PER_ORDER: u64 = 4;
const TAPE_MORE: u64 = 1024;

/// Verdicts that one input can cause: its own, and one of each strategy and trigger.
const JUDGED_MAX: usize = 1024;

/// Messages to the venue that one input can cause: each order's status and cancel, and what is new.
const SENDS_PER_ORDER: usize = 2;
const SENDS_MORE: usize = 1024;

/// What the gate said of an order or of new terms of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The asker's number of the request.
    pub request: u64,
    /// The order, with the terms that were judged.
    pub order: Order,
    /// Whether they were new terms of an order that works.
    pub is_replace: bool,
    /// Whether it is a stop that was triggered; nobody asked for it now.
    pub is_trigger: bool,
    /// What was said.
    pub verdict: Verdict,
    /// The number by which an operator can approve what was refused, or of the approval under which it passed; zero: there
    /// is none.
    pub approval: u32,
}

/// What steps leave behind; accounts and lines keep their own list of changes. One for all steps of an engine: who
/// publishes takes what he publishes.
#[derive(Debug)]
pub struct Output {
    /// What happened, in order.
    pub tape: Vec<TapeRecord>,
    /// Records that found no room on the tape; readers see them as lapped.
    pub tape_lost: u64,
    /// Those of them that were of orders or halts.
    pub orders_lost: u64,
    /// Verdicts of the last step, in the order in which the tape has them.
    pub judged: Vec<Judged>,
    /// Verdicts that found no room there.
    pub judged_lost: u64,
    /// Instruments whose board page changed.
    pub boards: Dirty,
    /// Instruments whose depth changed.
    pub depths: Dirty,
    /// Slots of the order table that changed.
    pub orders: Dirty,
    /// Slots of [`crate::latches::Latches`] that changed. Not forgotten: whoever keeps the latch file takes them.
    pub halts: Dirty,
    /// Slots of [`crate::approvals::Approvals`] that changed. Not forgotten: the operator is shown them.
    pub approvals: Dirty,
    /// The answer to the request that was stepped, if it was one.
    pub answer: Option<Answer>,
    /// What is to be sent to a venue outside, in order.
    pub sends: Vec<Send>,
    /// What became of the resume or approval that was stepped, if it was one.
    pub resumed: Option<Result<(), ResumeRefusal>>,
    /// What became of the rate or split that was stepped, if it was one.
    pub booked: Option<Result<Booked, BooksRefusal>>,
    /// What became of the slice of a limit that was stepped, if it was one.
    pub credited: Option<Credited>,
}

impl Output {
    /// Room for what one input can cause: every order of ours closing at once, with a fill each.
    pub fn new(instruments: usize, own_orders: usize, latches: usize) -> Output {
        Output {
            tape: Vec::with_capacity(TAPE_PER_ORDER as usize * own_orders + TAPE_MORE as usize),
            tape_lost: 0,
            orders_lost: 0,
            judged: Vec::with_capacity(JUDGED_MAX),
            judged_lost: 0,
            boards: Dirty::new(instruments),
            depths: Dirty::new(instruments),
            orders: Dirty::new(own_orders),
            halts: Dirty::new(latches),
            approvals: Dirty::new(APPROVALS_MAX),
            answer: None,
            sends: Vec::with_capacity(SENDS_PER_ORDER * own_orders + SENDS_MORE),
            resumed: None,
            booked: None,
            credited: None,
        }
    }

    /// Bytes that [`Output::new`] takes, but for the lists of halts and approvals.
    pub(crate) fn bytes(instruments: u32, own_orders: u32) -> u64 {
        let (instruments, orders) = (u64::from(instruments), u64::from(own_orders));
        let sends = SENDS_PER_ORDER as u64 * orders + SENDS_MORE as u64;
        (TAPE_PER_ORDER * orders + TAPE_MORE) * size_of::<TapeRecord>() as u64
            + JUDGED_MAX as u64 * size_of::<Judged>() as u64
            + 2 * Dirty::bytes(instruments)
            + Dirty::bytes(orders)
            + sends * size_of::<Send>() as u64
    }

    /// Adds a record to the tape.
    pub fn record(&mut self, record: TapeRecord) {
        if self.tape.len() < self.tape.capacity() {
            self.tape.push(record);
        } else {
            self.tape_lost += 1;
            let is_of_market =
                matches!(record.kind, TapeKind::Trade | TapeKind::State | TapeKind::Integrity);
            self.orders_lost += u64::from(!is_of_market);
        }
    }

    /// Adds something to send. Whoever takes them does so after every step.
    pub fn send(&mut self, send: Send) {
        debug_assert!(self.sends.len() < self.sends.capacity(), "nobody takes what is to be sent");
        self.sends.push(send);
    }

    /// Notes a verdict.
    pub fn judge(&mut self, judged: Judged) {
        if self.judged.len() < self.judged.capacity() {
            self.judged.push(judged);
        } else {
            self.judged_lost += 1;
        }
    }

    /// Forgets everything: nobody is there to read it.
    pub fn forget(&mut self) {
        self.tape.clear();
        self.judged.clear();
        self.boards.clear();
        self.depths.clear();
        self.orders.clear();
        self.sends.clear();
        self.answer = None;
    }

    /// Notes that an instrument's book or facts changed.
    #[inline]
    pub fn touch_book(&mut self, instrument: u32) {
        self.boards.mark(instrument);
        self.depths.mark(instrument);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: each change is listed once until taken, and never allocates. Method: mark twice, take, mark again.
    #[test]
    fn dirty_lists_once() {
        let mut dirty = Dirty::new(3);
        for number in [2, 0, 2, 99] {
            dirty.mark(number);
        }
        let mut seen = Vec::new();
        dirty.take(1, |number| seen.push(number));
        dirty.take(9, |number| seen.push(number));
        assert_eq!(seen, [2, 0]);
        assert!(dirty.is_empty());
        dirty.mark(2);
        assert!(!dirty.is_empty());
    }
}
