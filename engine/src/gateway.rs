//! What stands between the step and a venue: orders that passed wait here until their record is durable, and are looked at
//! once more before each is sent.
//!
//! A queue without I/O: whoever owns the connection asks it what to send next, and tells the engine what it gives back. Its
//! rules:
//!
//! - an order or a change goes out when its input is recorded as durably as the mode demands, and nothing is halted;
//! - what is still here when a halt, a cancel or the end of the session comes is never sent: the engine hears
//!   [`ReportKind::NotSent`], which is certain;
//! - a cancel goes before everything else, and waits for nothing. With no session it is dropped: the orders of a lost
//!   session are reconciled, and what should be cancelled is asked again.
//!
//! What was sent is not known here any more. Nothing is ever sent twice.
//!
//! [`ouch`] speaks to a venue; `GATEWAYS.md` beside it says which orders each gateway takes.

pub mod ends;
pub mod ouch;

use std::collections::VecDeque;

use model::{HaltLevel, OrderId, Report, ReportKind};
use risk::{Cleared, ClearedReplace};

/// Something for the venue.
#[derive(Debug, PartialEq, Eq)]
pub enum Send {
    /// A new order. One of type market is sent as a limit order at its price that is cancelled where it does not fill; what
    /// the engine does of an order, the list in `risk/CHECKS.md` says, and what a venue cannot do its gateway gives back.
    New(Cleared),
    /// New terms of an order, its change of this number.
    Replace(ClearedReplace, u16),
    /// Cancel an order, as its change of this number.
    Cancel(OrderId, u16),
    /// Where does an order stand? The venue answers with its executions and a restatement, or with how it ended.
    Status(OrderId),
    /// Where does everything stand? Behind whatever was sent before, so that what the venue does not speak of cannot come
    /// after its answer. Its number is in each restatement that belongs to it.
    Reconcile(u32),
}

/// The queue before a venue.
#[derive(Debug, Default)]
pub struct Gateway {
    /// Cancels; they overtake.
    cancels: VecDeque<(OrderId, u16)>,
    /// Everything else, with the number of its input.
    waiting: VecDeque<(u64, Send)>,
    /// What was not sent.
    back: VecDeque<Report>,
}

impl Gateway {
    /// Room for `orders` orders of ours, each of which has at most a handful of messages under way.
    pub fn new(orders: usize) -> Gateway {
        Gateway {
            cancels: VecDeque::with_capacity(2 * orders),
            waiting: VecDeque::with_capacity(4 * orders),
            back: VecDeque::with_capacity(4 * orders),
        }
    }

    /// Takes what the step of input `seq` wants sent.
    pub fn push(&mut self, seq: u64, send: Send) {
        match send {
            Send::Cancel(order, change) => {
                let waits = self.waiting.len();
                self.give_back(|send| send.order() == Some(order) && send.change().is_some());
                let was_new = self.back.back().is_some_and(|report| {
                    self.waiting.len() < waits && (report.order, report.change) == (order, 0)
                });
                if !was_new {
                    self.cancels.push_back((order, change));
                }
            }
            send => self.waiting.push_back((seq, send)),
        }
    }

    /// What to send now, if anything may be: inputs up to `recorded` are durable, everything is halted as far as `halt`
    /// says. The caller has a session, and sends it or loses the session.
    pub fn next(&mut self, recorded: u64, halt: HaltLevel) -> Option<Send> {
        if halt >= HaltLevel::CancelOnly {
            self.give_back(|send| send.change().is_some());
        }
        if let Some((order, change)) = self.cancels.pop_front() {
            return Some(Send::Cancel(order, change));
        }
        // A question needs no record: after a journal has failed the venue must still say where orders stand.
        self.waiting.front().filter(|(seq, send)| send.change().is_none() || *seq <= recorded)?;
        self.waiting.pop_front().map(|(_, send)| send)
    }

    /// There is no session: nothing that waits is ever sent.
    pub fn drop_all(&mut self) {
        self.cancels.clear();
        self.give_back(|_| true);
    }

    /// The next report of something that was not sent.
    pub fn take_report(&mut self) -> Option<Report> {
        self.back.pop_front()
    }

    /// How much waits to be sent.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.cancels.len()
    }

    /// Whether nothing waits, nor is to be given back.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.cancels.is_empty() && self.back.is_empty()
    }

    /// Gives back what `chosen` names.
    fn give_back(&mut self, chosen: impl Fn(&Send) -> bool) {
        let back = &mut self.back;
        self.waiting.retain(|(_, send)| {
            let goes = chosen(send);
            if goes && let (Some(order), Some(change)) = (send.order(), send.change()) {
                back.push_back(Report { change, ..Report::of(ReportKind::NotSent, order) });
            }
            !goes
        });
    }
}

impl Send {
    /// Which order it is about.
    pub fn order(&self) -> Option<OrderId> {
        match self {
            Send::New(cleared) => Some(cleared.order().id),
            Send::Replace(cleared, _) => Some(cleared.order().id),
            Send::Cancel(order, _) | Send::Status(order) => Some(*order),
            Send::Reconcile(_) => None,
        }
    }

    /// The number of the change that it asks for; `None`: it changes nothing.
    fn change(&self) -> Option<u16> {
        match self {
            Send::New(_) => Some(0),
            Send::Replace(_, change) | Send::Cancel(_, change) => Some(*change),
            Send::Status(_) | Send::Reconcile(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what asks and changes nothing waits for no record, and keeps its place. Method: questions behind a journal that
    /// records nothing more, and a cancel, which comes first.
    #[test]
    fn questions_need_no_record() {
        let mut queue = Gateway::new(4);
        let order = OrderId(1 << 20);
        queue.push(8, Send::Status(order));
        queue.push(9, Send::Reconcile(3));
        queue.push(9, Send::Cancel(order, 1));
        let sent: Vec<_> = std::iter::from_fn(|| queue.next(7, HaltLevel::Halted)).collect();
        assert_eq!(sent, [Send::Cancel(order, 1), Send::Status(order), Send::Reconcile(3)]);
    }
}
