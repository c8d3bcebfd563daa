//! The treasury: moves slices of limits between the engines that share the accounts (`risk/CREDIT.md`).
//!
//! A machine without I/O and without a clock. Its one rule: what all slices can be, whatever an engine has or has not done yet
//! of what it was asked for, never sums up to more than the limit. So less is asked for first; it is free when the engine said
//! what its slice is now *and* the record of that is durable; only then somebody else may have it. What is on its way is in
//! nobody's slice. An engine that does not answer keeps what it has.
//!
//! Flow: each engine is seen now and then ([`Treasury::see`]); [`Treasury::tick`] says what to ask of whom, each of which is an
//! input of that engine ([`Move::control`]); what it answers comes back ([`Treasury::confirm`]), and how far its journal is
//! ([`Treasury::durable`]). What is handed to one engine reaches it in that order, or never.
//!
//! ```
//! use engine::treasury::{Treasury, View};
//! use model::{AccountId, CreditKind, Ts};
//!
//! let (account, limit) = (AccountId(0), CreditKind::Gross);
//! let view = |slice, used| View {
//!     seq: 10, at: Ts(5), version: 1, account, limit, total: 100, slice, used,
//! };
//! let mut treasury = Treasury::new(2, 1);
//! let mut moves = Vec::new();
//! for (shard, used) in [(0, 49), (1, 0)] {
//!     treasury.durable(shard, 10);
//!     treasury.see(shard, &view(50, used));
//! }
//! treasury.tick(&mut moves);
//! let [less] = moves[..] else { panic!() };
//! assert_eq!((less.shard, less.to), (1, 26)); // Of the one that has it to spare; it becomes input 11 there.
//! treasury.confirm(1, 11, account, limit, Some((26, Ts(6))));
//! treasury.tick(&mut moves);
//! assert_eq!(moves.len(), 1); // Its record is not durable: nobody has it.
//! treasury.durable(1, 11);
//! treasury.see(0, &View { at: Ts(6), ..view(50, 49) });
//! treasury.tick(&mut moves);
//! assert_eq!((moves[1].shard, moves[1].to), (0, 74));
//! ```

use model::{AccountId, Control, CreditKind, Ts};

/// Limits that one tick looks at.
const ROWS_PER_TICK: usize = 1024;
/// Moves that one tick asks for.
const MOVES_PER_TICK: usize = 64;
/// Looks at a limit for which it is waited that an engine gives what it was asked for, before others are asked.
const PATIENCE: u32 = 16;

/// An engine, as it was after an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The input.
    pub seq: u64,
    /// Engine time.
    pub at: Ts,
    /// Version of the limits in force within its journal.
    pub version: u32,
    /// Whose slice.
    pub account: AccountId,
    /// Of which limit.
    pub limit: CreditKind,
    /// The whole limit, as this engine knows it.
    pub total: i128,
    /// Its slice.
    pub slice: i128,
    /// What is used of it.
    pub used: i128,
}

/// What is asked of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Of which.
    pub shard: usize,
    /// Whose slice.
    pub account: AccountId,
    /// Of which limit.
    pub limit: CreditKind,
    /// The slice that it shall have.
    pub to: i128,
    /// The limits that it was seen under.
    pub version: u32,
}

impl Move {
    /// The input that asks for it.
    pub fn control(&self) -> Control {
        let Move { account, limit, to, version, .. } = *self;
        Control::Credit { account, limit, to, version }
    }
}

/// All slices of all accounts.
#[derive(Debug)]
pub struct Treasury {
    /// How far the journal of each engine is.
    durable: Vec<u64>,
    /// By account, in the order of [`CreditKind::ALL`].
    rows: Vec<Row>,
    /// The row that the next tick begins with.
    next: usize,
}

/// One limit of one account.
#[derive(Debug)]
struct Row {
    account: AccountId,
    limit: CreditKind,
    /// By engine; `None`: not seen yet.
    leases: Vec<Option<Lease>>,
    /// Engine time of the latest end of a lease, or part of one. Who is behind it gets nothing of it: in a window, or a session,
    /// of his it might be used already.
    freed_at: Ts,
    /// Whether anything of it was heard since it was last looked at.
    is_due: bool,
}

/// What one engine has.
#[derive(Clone, Copy, Debug)]
struct Lease {
    /// Its slice, as its journal has it for good.
    slice: i128,
    /// The whole limit, likewise.
    total: i128,
    /// What it said since, until that is durable as well.
    said: Option<Said>,
    /// The slice that it was asked to have and did not speak of yet.
    asked: Option<i128>,
    /// Looks since then.
    waited: u32,
    /// Whether the first that was seen of it is durable.
    is_sure: bool,
    used: i128,
    at: Ts,
    version: u32,
}

#[derive(Clone, Copy, Debug)]
struct Said {
    seq: u64,
    at: Ts,
    slice: i128,
    total: i128,
}

/// How much room is what, in the units of a limit of which `fair` is an equal part.
#[derive(Clone, Copy, Debug)]
struct Steps {
    /// Whoever has less wants more.
    low: i128,
    /// Whoever gives keeps so much: more than `low`, so that it does not want it back at once.
    keep: i128,
    /// Whoever gets is brought to so much.
    goal: i128,
    /// Less is not worth a move.
    least: i128,
}

impl Steps {
    fn of(fair: i128) -> Steps {
        let part = |of: i128| (fair / of).max(1);
        Steps { low: part(8), keep: part(4), goal: part(2), least: part(16) }
    }
}

impl Lease {
    /// The most that the slice can be, whatever was done of what was asked, and whichever part of the journal is left.
    fn most(&self) -> i128 {
        let said = self.said.map_or(self.slice, |said| said.slice);
        self.slice.max(said).max(self.asked.unwrap_or(0))
    }

    /// What the limit is at least said to be.
    fn total(&self) -> i128 {
        self.said.map_or(self.total, |said| said.total.min(self.total))
    }

    /// It is said to have something else than before. What was said before that may still be what is left of its journal.
    fn say(&mut self, next: Said) {
        if let Some(said) = self.said {
            if (said.slice, said.total) == (next.slice, next.total) {
                return; // The first that says so is durable first.
            }
            self.slice = self.slice.max(said.slice);
            self.total = self.total.min(said.total);
        }
        self.said = Some(next);
    }

    fn is_idle(&self) -> bool {
        self.asked.is_none() && self.said.is_none()
    }

    fn room(&self) -> i128 {
        self.slice - self.used
    }

    /// What is about to become free.
    fn coming(&self) -> i128 {
        if self.waited > PATIENCE {
            return 0;
        }
        let then = self.asked.or(self.said.map(|said| said.slice)).unwrap_or(self.slice);
        (self.slice - then).max(0)
    }
}

impl Row {
    /// Takes what is durable by now for what is.
    fn settle(&mut self, shard: usize, durable: u64) {
        let Some(Some(lease)) = self.leases.get_mut(shard) else { return };
        if let Some(said) = lease.said.filter(|said| said.seq <= durable) {
            if said.slice < lease.slice {
                self.freed_at = self.freed_at.max(said.at);
            }
            (lease.slice, lease.total, lease.said) = (said.slice, said.total, None);
            if !lease.is_sure {
                // Whose the rest was before, and until when, nobody knows.
                self.freed_at = self.freed_at.max(said.at);
                lease.is_sure = true;
            }
            self.is_due = true;
        }
    }

    /// Asks for what is wanted, where every engine was seen. If they know different limits, the least is the one.
    fn plan(&mut self, moves: &mut Vec<Move>, most: usize) {
        for lease in self.leases.iter_mut().flatten().filter(|lease| lease.asked.is_some()) {
            lease.waited = lease.waited.saturating_add(1);
        }
        let known: Vec<Lease> = self.leases.iter().flatten().copied().collect();
        let totals = || known.iter().map(Lease::total);
        let (Some(total), count) = (totals().min(), self.leases.len()) else { return };
        if known.len() < count || !known.iter().all(|lease| lease.is_sure) {
            return;
        }
        let free = total - known.iter().map(Lease::most).sum::<i128>();
        let coming: i128 = known.iter().map(Lease::coming).sum();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|shard| known.get(*shard).map_or(0, Lease::room));
        let room_for = |moves: &Vec<Move>| moves.len() < most;
        if free < 0 {
            let mut missing = -free - coming;
            for shard in order.into_iter().rev() {
                let room = known.get(shard).filter(|lease| lease.is_idle()).map_or(0, Lease::room);
                let less = room.min(missing);
                if less > 0 && room_for(moves) {
                    missing -= less;
                    self.ask(shard, -less, moves);
                }
            }
            return;
        }
        let steps = Steps::of(total / count as i128);
        let missing = self.give(&order, free, total, steps, moves, most) - coming;
        self.recall(&order, missing, steps, moves, most);
    }

    /// Gives to whoever has too little, the one with the least first; how much is missing after that.
    fn give(
        &mut self,
        order: &[usize],
        mut free: i128,
        total: i128,
        steps: Steps,
        moves: &mut Vec<Move>,
        most: usize,
    ) -> i128 {
        let mut missing = 0;
        for shard in order {
            let Some(Some(lease)) = self.leases.get(*shard) else { continue };
            if !lease.is_idle() || lease.room() >= steps.low {
                continue;
            }
            let wanted = (lease.used + steps.goal).min(total) - lease.slice;
            if wanted <= 0 {
                continue;
            }
            let more = wanted.min(free);
            let is_worth_it = more >= steps.least.min(wanted) && more > 0;
            if is_worth_it && lease.at >= self.freed_at && moves.len() < most {
                free -= more;
                missing += wanted - more;
                self.ask(*shard, more, moves);
            } else {
                missing += wanted - more.max(0);
                free -= more.max(0); // It waits until that engine's time has come, or for more.
            }
        }
        missing
    }

    /// Asks those with the most room for what is missing.
    fn recall(
        &mut self,
        order: &[usize],
        mut missing: i128,
        steps: Steps,
        moves: &mut Vec<Move>,
        most: usize,
    ) {
        for shard in order.iter().rev() {
            let Some(Some(lease)) = self.leases.get(*shard) else { continue };
            let less = (lease.room() - steps.keep).min(missing);
            if lease.is_idle() && less >= steps.least && moves.len() < most {
                missing -= less;
                self.ask(*shard, -less, moves);
            }
        }
    }

    fn ask(&mut self, shard: usize, more: i128, moves: &mut Vec<Move>) {
        let (account, limit) = (self.account, self.limit);
        let Some(Some(lease)) = self.leases.get_mut(shard) else { return };
        let to = lease.slice + more;
        (lease.asked, lease.waited) = (Some(to), 0);
        moves.push(Move { shard, account, limit, to, version: lease.version });
    }
}

impl Treasury {
    /// Of so many engines and accounts. It gives nothing before it has seen every engine.
    pub fn new(shards: usize, accounts: u16) -> Treasury {
        let row = |account| {
            let row = move |limit: &CreditKind| Row {
                account: AccountId(account),
                limit: *limit,
                leases: vec![None; shards],
                freed_at: Ts(0),
                is_due: false,
            };
            CreditKind::ALL.iter().map(row)
        };
        let rows = (0..accounts).flat_map(row).collect();
        Treasury { durable: vec![0; shards], rows, next: 0 }
    }

    fn row(&mut self, account: AccountId, limit: CreditKind) -> Option<&mut Row> {
        let kinds = CreditKind::ALL.len();
        let place = CreditKind::ALL.iter().position(|kind| *kind == limit)?;
        self.rows.get_mut(usize::from(account.0) * kinds + place)
    }

    /// Takes what was seen of an engine. Not older than what was seen or confirmed of it before.
    pub fn see(&mut self, shard: usize, view: &View) {
        let durable = self.durable.get(shard).copied().unwrap_or(0);
        let Some(row) = self.row(view.account, view.limit) else { return };
        let &View { seq, at, version, total, slice, used, .. } = view;
        row.is_due = true;
        let said = Said { seq, at, slice, total };
        match row.leases.get_mut(shard) {
            None => return,
            Some(place @ None) => {
                let (said, asked, waited, is_sure) = (Some(said), None, 0, false);
                let lease = Lease { slice, total, said, asked, waited, is_sure, used, at, version };
                *place = Some(lease);
            }
            Some(Some(lease)) => {
                (lease.used, lease.at, lease.version) = (used, at, version);
                // While something is on its way, what is seen may be from before it.
                let is_news = lease.said.is_some() || (slice, total) != (lease.slice, lease.total);
                if lease.asked.is_none() && is_news {
                    lease.say(said);
                }
            }
        }
        row.settle(shard, durable);
    }

    /// An engine no longer has the limit. If it comes to have it again its slice is another: nothing is given until that is seen.
    pub fn off(&mut self, shard: usize, account: AccountId, limit: CreditKind) {
        let row = self.row(account, limit);
        row.and_then(|row| row.leases.get_mut(shard)).into_iter().for_each(|lease| *lease = None);
    }

    /// An engine did as input `seq` what it was asked: its slice since, and the engine time. `None`: nothing changed.
    pub fn confirm(
        &mut self,
        shard: usize,
        seq: u64,
        account: AccountId,
        limit: CreditKind,
        slice: Option<(i128, Ts)>,
    ) {
        let durable = self.durable.get(shard).copied().unwrap_or(0);
        let Some(row) = self.row(account, limit) else { return };
        let Some(place) = row.leases.get_mut(shard) else { return };
        match (place.as_mut(), slice) {
            (None, _) => return,
            (_, None) => *place = None, // Its limits are others. It is to be seen anew.
            (Some(lease), Some((slice, at))) => {
                let total = lease.said.map_or(lease.total, |said| said.total);
                (lease.asked, lease.waited) = (None, 0);
                lease.say(Said { seq, at, slice, total });
            }
        }
        row.is_due = true;
        row.settle(shard, durable);
    }

    /// Every input of an engine up to this one is as durable as its answers wait for.
    pub fn durable(&mut self, shard: usize, seq: u64) {
        let Some(durable) = self.durable.get_mut(shard).filter(|durable| **durable < seq) else {
            return;
        };
        *durable = seq;
        self.rows.iter_mut().for_each(|row| row.settle(shard, seq));
    }

    /// An engine ended, and what it was asked for and did not do is lost. Nothing is given until it was seen again.
    pub fn forget(&mut self, shard: usize) {
        self.durable.get_mut(shard).into_iter().for_each(|durable| *durable = 0);
        for row in &mut self.rows {
            row.leases.get_mut(shard).into_iter().for_each(|lease| *lease = None);
        }
    }

    /// Adds what is to be asked of the engines now; bounded, and the next tick goes on behind it.
    pub fn tick(&mut self, moves: &mut Vec<Move>) {
        let most = moves.len() + MOVES_PER_TICK;
        for _ in 0..ROWS_PER_TICK.min(self.rows.len()) {
            if moves.len() >= most {
                return;
            }
            self.next = (self.next + 1) % self.rows.len();
            if let Some(row) = self.rows.get_mut(self.next).filter(|row| row.is_due) {
                row.is_due = false;
                row.plan(moves, most);
            }
        }
    }
}

#[cfg(test)]
mod tests;
