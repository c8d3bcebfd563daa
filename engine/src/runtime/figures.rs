//! What each trigger counts, from the engine thread to housekeeping, for the status: words that each are recent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use model::AccountId;

use super::dead_man::DeadMen;
use super::sinks::{Lag, Sink};
use crate::step::{Counts, Engine};

/// Words of an account: what each of its counts holds, and the upper half of the money.
const OF_ACCOUNT: usize = Counts::ALL.len() + 1;
/// Words of the engine, before those of its desks and accounts.
const OF_ENGINE: usize = 7;

/// Figures of the engine as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EngineFigures {
    /// Books that are not live and may go off, and for how long the first of them is not, nanoseconds.
    pub gaps: u64,
    pub gap_ns: u64,
    /// Inputs that wait for the journal, and for how long, nanoseconds.
    pub behind: u64,
    pub lag_ns: u64,
    /// For how long journal and audit log have taken nothing, nanoseconds.
    pub sink_ns: u64,
    /// One if the session with the venue is gone.
    pub session_down: u64,
    /// Whether the core believes the clock: zero or one.
    pub clock_unsafe: u64,
}

/// Written by the engine thread, read by housekeeping.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    words: Arc<[AtomicU64]>,
    desks: usize,
}

impl Figures {
    pub fn new(accounts: usize, desks: usize) -> Figures {
        let count = OF_ENGINE + desks + accounts * OF_ACCOUNT;
        Figures { words: (0..count).map(|_| AtomicU64::new(0)).collect(), desks }
    }

    /// Writes all of them.
    pub fn show(
        &self,
        engine: &Engine,
        dead_men: &DeadMen,
        lag: &Lag,
        sinks: [&Sink; 2],
        now_ns: u64,
    ) {
        let (gaps, gap_ns) = engine.gaps();
        let sink_ns = sinks.map(|sink| sink.full_ns(now_ns)).into_iter().max().unwrap_or(0);
        let own = [
            gaps,
            gap_ns,
            lag.behind(),
            lag.age_ns(now_ns),
            sink_ns,
            engine.is_session_down().into(),
            engine.is_clock_unsafe().into(),
        ];
        let desks = (0..self.desks).map(|desk| dead_men.silent_ns(desk));
        let accounts = (0..engine.risk().accounts() as u16).flat_map(|account| {
            let used = |counts| {
                engine.counted(AccountId(account), counts).map_or(0, |counted| counted.used)
            };
            let [refusals, rejects, executions, money] = Counts::ALL.map(used);
            [refusals, rejects, executions, money, money >> 64].map(|used| used as u64)
        });
        let words = own.into_iter().chain(desks).chain(accounts);
        self.words.iter().zip(words).for_each(|(place, word)| place.store(word, Relaxed));
    }

    /// Those of the engine.
    pub fn engine(&self) -> EngineFigures {
        let [gaps, gap_ns, behind, lag_ns, sink_ns, session_down, clock_unsafe] =
            std::array::from_fn(|at| self.word(at));
        EngineFigures { gaps, gap_ns, behind, lag_ns, sink_ns, session_down, clock_unsafe }
    }

    /// For how long the desk has said nothing, nanoseconds.
    pub fn silent_ns(&self, desk: usize) -> u64 {
        if desk < self.desks { self.word(OF_ENGINE + desk) } else { 0 }
    }

    /// What a count of an account holds.
    pub fn used(&self, account: usize, counts: Counts) -> i128 {
        let first = OF_ENGINE + self.desks + account * OF_ACCOUNT;
        let low = self.word(first + counts as usize);
        let high = match counts {
            Counts::FillMoney => self.word(first + OF_ACCOUNT - 1),
            Counts::Refusals | Counts::VenueRejects | Counts::Executions => 0,
        };
        (i128::from(high) << 64) | i128::from(low)
    }

    fn word(&self, at: usize) -> u64 {
        self.words.get(at).map_or(0, |word| word.load(Relaxed))
    }
}
