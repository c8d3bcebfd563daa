//! What carries slices of limits between the engine threads of shards and the treasury, which is on the thread that polls the
//! shards. Two rings for each engine: moves that are asked of it, and what it says, in order.

use std::sync::Arc;

use crate::config::{Config, Durability};
use crate::journal::writer::Progress as JournalProgress;
use crate::step::Credited;
use crate::treasury::{Move, Treasury, View};
use model::{AccountId, CreditKind};

/// Slices that an engine shows in one look: so much of a millisecond it can spare.
const SHOWN_PER_LOOK: usize = 8;
/// Room for what an engine says between two polls of the treasury, several milliseconds apart.
const SAID: usize = 1024;

/// What an engine says.
#[derive(Clone, Copy, Debug)]
enum Said {
    Seen(View),
    Done { seq: u64, credited: Credited },
    Off { account: AccountId, limit: CreditKind },
}

/// The engine thread's ends.
pub(super) struct CreditPost {
    asked: rtrb::Consumer<Move>,
    said: rtrb::Producer<Said>,
    /// Accounts that it has.
    accounts: usize,
    /// The slice that is shown next.
    next: usize,
    /// Which of them were shown last time.
    shown: Vec<bool>,
}

/// The treasury's ends of the same, and what says how far the engine's journal is.
pub(super) struct Teller {
    asked: rtrb::Producer<Move>,
    said: rtrb::Consumer<Said>,
    journal: Option<(Arc<JournalProgress>, Durability)>,
}

/// The treasury and its way to every shard. Dropped with the first engine that ends: what is left keeps its slices.
pub(super) struct Bank {
    treasury: Treasury,
    tellers: Vec<Teller>,
    moves: Vec<Move>,
}

/// Makes both ends for an engine that shares its accounts; `None`: it has them alone.
pub(super) fn post(
    config: &Config,
    journal: Option<&(Arc<JournalProgress>, Durability)>,
) -> Option<(CreditPost, Teller)> {
    if config.engine.share().is_whole() {
        return None;
    }
    let accounts = config.rules.accounts.len();
    // The treasury asks for nothing of a slice while something of it is on its way: there is always room.
    let (to_engine, asked) = rtrb::RingBuffer::new(accounts * CreditKind::ALL.len());
    let (to_treasury, said) = rtrb::RingBuffer::new(SAID);
    let shown = vec![false; accounts * CreditKind::ALL.len()];
    let post = CreditPost { asked, said: to_treasury, accounts, next: 0, shown };
    Some((post, Teller { asked: to_engine, said, journal: journal.cloned() }))
}

impl CreditPost {
    /// The next move that is asked for, if there is room to say what became of it.
    pub fn take(&mut self) -> Option<Move> {
        if self.said.is_full() { None } else { self.asked.pop().ok() }
    }

    /// Says what became of a move, as input `seq`.
    pub fn done(&mut self, seq: u64, credited: Credited) {
        let _ = self.said.push(Said::Done { seq, credited }); // There was room when it was taken.
    }

    /// Shows some slices. Half of the room is left for what must be said.
    pub fn show(&mut self, view: impl Fn(AccountId, CreditKind) -> Option<View>) {
        let kinds = CreditKind::ALL;
        for _ in 0..SHOWN_PER_LOOK.min(self.accounts * kinds.len()) {
            if self.said.slots() <= SAID / 2 {
                return;
            }
            let account = AccountId((self.next / kinds.len()) as u16);
            let (Some(limit), Some(shown)) =
                (kinds.get(self.next % kinds.len()).copied(), self.shown.get_mut(self.next))
            else {
                return;
            };
            self.next = (self.next + 1) % (self.accounts * kinds.len());
            let view = view(account, limit);
            let was_shown = std::mem::replace(shown, view.is_some());
            let off = was_shown.then_some(Said::Off { account, limit });
            if let Some(said) = view.map(Said::Seen).or(off) {
                let _ = self.said.push(said);
            }
        }
    }
}

impl Teller {
    /// The last input of its engine that is as durable as its answers wait for.
    fn durable(&self) -> u64 {
        match &self.journal {
            None => u64::MAX, // Nothing of it outlives the run.
            Some((journal, Durability::Written)) => journal.written(),
            Some((journal, Durability::Synced)) => journal.synced(),
        }
    }
}

impl Bank {
    /// Of all shards of a run, in the order of their numbers.
    pub fn new(tellers: Vec<Teller>, accounts: usize) -> Bank {
        let treasury = Treasury::new(tellers.len(), accounts as u16);
        Bank { treasury, tellers, moves: Vec::new() }
    }

    /// Hears every engine, and asks for what is to be moved.
    pub fn poll(&mut self) {
        for (shard, teller) in self.tellers.iter_mut().enumerate() {
            for _ in 0..SAID {
                match teller.said.pop() {
                    Err(_) => break,
                    Ok(Said::Seen(view)) => self.treasury.see(shard, &view),
                    Ok(Said::Off { account, limit }) => self.treasury.off(shard, account, limit),
                    Ok(Said::Done { seq, credited }) => {
                        let Credited { account, limit, slice, at } = credited;
                        let slice = slice.map(|slice| (slice, at));
                        self.treasury.confirm(shard, seq, account, limit, slice);
                    }
                }
            }
            self.treasury.durable(shard, teller.durable());
        }
        self.treasury.tick(&mut self.moves);
        for asked in self.moves.drain(..) {
            if let Some(teller) = self.tellers.get_mut(asked.shard) {
                let _ = teller.asked.push(asked);
            }
        }
    }
}
