//! What would pass of each pair that readers see, looked at in turn when the engine is idle.

use model::page::{Line, Rooms};
use model::{AccountId, InstrumentId};
use shm::{Publisher, WATCHES};

use crate::step::Engine;

/// It depends on when the engine was idle, so it is no part of the engine's state.
pub(super) struct Turn {
    /// By line: what would pass when it was last looked at.
    lines: Vec<Option<Rooms>>,
    /// Pairs without a line that clients asked of, and the same of them. The newest replaces the oldest.
    watches: Vec<(AccountId, InstrumentId, Option<Rooms>)>,
    /// The watch that is the next to be replaced.
    oldest: usize,
    /// The line, or behind all lines the watch, that was looked at last.
    looked_at: usize,
}

impl Turn {
    /// For as many lines.
    pub fn new(lines: u32) -> Turn {
        // Written once, so that the hot thread is not the first to touch its memory.
        let mut watches = vec![(AccountId(0), InstrumentId(0), None); WATCHES as usize];
        watches.clear();
        Turn { lines: vec![None; lines as usize], watches, oldest: 0, looked_at: 0 }
    }

    /// What was last said of a line.
    pub fn of_line(&self, slot: u32) -> Option<Rooms> {
        self.lines.get(slot as usize).copied().flatten()
    }

    /// Has a pair looked at from now on although it has no line.
    pub fn watch(&mut self, account: AccountId, instrument: InstrumentId, engine: &Engine) {
        let knows = |watch: &(_, _, _)| (watch.0, watch.1) == (account, instrument);
        let exists = engine.risk().pair_page(account, instrument, engine.as_of_now()).is_some();
        if !exists || engine.risk().has_line(account, instrument) || self.watches.iter().any(knows)
        {
            return;
        }
        let watch = (account, instrument, None);
        if self.watches.len() < WATCHES as usize {
            self.watches.push(watch);
        } else if let Some(oldest) = self.watches.get_mut(self.oldest) {
            *oldest = watch;
            self.oldest = (self.oldest + 1) % WATCHES as usize;
        }
    }

    /// Looks at the next in turn, if anything happened since it was looked at.
    pub fn look(&mut self, engine: &Engine, publisher: &mut Publisher) {
        let (lines, next) = (engine.risk().lines(), self.looked_at + 1);
        self.looked_at = if next < lines + self.watches.len() { next } else { 0 };
        match self.looked_at.checked_sub(lines) {
            None => self.look_at_line(engine, publisher),
            Some(place) => self.look_at_watch(place, engine, publisher),
        }
    }

    fn look_at_line(&mut self, engine: &Engine, publisher: &mut Publisher) {
        let slot = self.looked_at;
        let Some(pair) = engine.risk().line_pair(slot as u32) else { return };
        let Some(rooms) = self.lines.get_mut(slot) else { return };
        if let Some(page) = page(engine, pair, rooms) {
            publisher.publish_line(slot, &page);
        }
    }

    fn look_at_watch(&mut self, place: usize, engine: &Engine, publisher: &mut Publisher) {
        let Some((account, instrument, rooms)) = self.watches.get_mut(place) else { return };
        if engine.risk().has_line(*account, *instrument) {
            return;
        }
        if let Some(page) = page(engine, (*account, *instrument), rooms) {
            publisher.publish_watch(place, &page);
        }
    }
}

/// The page of a pair with what would pass now; `None` if nothing happened since `rooms`.
fn page(
    engine: &Engine,
    (account, instrument): (AccountId, InstrumentId),
    rooms: &mut Option<Rooms>,
) -> Option<Line> {
    if rooms.is_some_and(|rooms| rooms.engine_seq == engine.seq()) {
        return None;
    }
    let page = engine.risk().pair_page(account, instrument, engine.as_of_now())?;
    *rooms = Some(engine.rooms(account, instrument, *rooms));
    Some(Line { headroom: *rooms, ..page })
}
