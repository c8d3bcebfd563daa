//! The re-request server: a header in, one packet out, or nothing.

use super::{BLOCK, END, HEADER, Published, packet};
use crate::rng::Rng;

/// How re-requests are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestPlan {
    /// The same seed makes the same faults.
    pub seed: u64,
    /// Requests of a thousand that are lost, or their answers.
    pub loss_per_mille: u16,
    /// Answers of a thousand that hold fewer messages than they could.
    pub short_per_mille: u16,
    /// Messages of an answer.
    pub messages_max: u16,
    /// Bytes of an answer.
    pub bytes_max: usize,
}

impl Default for RequestPlan {
    fn default() -> RequestPlan {
        RequestPlan {
            seed: 3,
            loss_per_mille: 0,
            short_per_mille: 0,
            messages_max: 1_024,
            bytes_max: 1_400,
        }
    }
}

/// What came to the server, and what became of it: received = all the others together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestCounters {
    /// Datagrams.
    pub received: u64,
    /// Answered.
    pub answered: u64,
    /// Of those, with fewer messages than asked for.
    pub short: u64,
    /// Lost on purpose.
    pub lost: u64,
    /// For what is not kept any more, or not said yet.
    pub unavailable: u64,
    /// No request, or one for another session.
    pub refused: u64,
}

/// Answers requests.
#[derive(Debug)]
pub struct Requests {
    plan: RequestPlan,
    rng: Rng,
    counters: RequestCounters,
}

impl Requests {
    /// A server that has heard nothing.
    pub fn new(plan: RequestPlan) -> Requests {
        Requests { plan, rng: Rng::new(plan.seed), counters: RequestCounters::default() }
    }

    /// The answer to a datagram, if it has one. The work is that of one packet whatever is asked
    /// for.
    pub fn answer(&mut self, datagram: &[u8], published: &Published) -> Option<Vec<u8>> {
        self.counters.received += 1;
        let request = packet::parse_request(datagram);
        let request = request.filter(|(session, _, count)| {
            *session == published.session() && ![0, END].contains(count)
        });
        let Some((session, first, count)) = request else {
            self.counters.refused += 1;
            return None;
        };
        if self.rng.per_mille(self.plan.loss_per_mille) {
            self.counters.lost += 1;
            return None;
        }
        let mut most = count.min(self.plan.messages_max.max(1));
        if self.rng.per_mille(self.plan.short_per_mille) {
            most = 1 + self.rng.below(most.into()) as u16;
        }
        let mut answer = packet::header(&session, first, 0).to_vec();
        let mut sent = 0_u16;
        for message in published.store().from(first).take(most.into()) {
            // At least one message, whatever the bound, or the asker would ask for ever.
            if sent > 0 && answer.len() + BLOCK + message.len() > self.plan.bytes_max {
                break;
            }
            packet::block(message, &mut answer);
            sent += 1;
        }
        if sent == 0 {
            self.counters.unavailable += 1;
            return None;
        }
        answer[HEADER - 2..HEADER].copy_from_slice(&sent.to_be_bytes());
        self.counters.answered += 1;
        self.counters.short += u64::from(sent < count);
        Some(answer)
    }

    /// What came and what became of it.
    pub const fn counters(&self) -> RequestCounters {
        self.counters
    }
}
