//! From the engine's state to shared memory, and nothing back.

mod rooms;

use model::page::{
    Control, FEEDS, FeedCounters, INDICATOR_SLOTS, IndicatorSlot, Line, STAGES, StageLatency,
};
use model::{AccountId, DeskId, FeedId, HaltLevel, HaltScope, InstrumentId, OrderState, Ts};
use shm::Publisher;

use self::rooms::Turn;
use super::Progress;
use crate::indicator::Indicators;
use crate::journal::writer::Progress as JournalProgress;
use crate::output::{Dirty, Output};
use crate::sequencer::Sequencer;
use crate::step::Engine;

/// By so many levels of each side a walk goes further than the one before.
const WALK: usize = 16;

/// Boards between the one that is written and the one that is asked for.
const FAR: usize = 1;

/// Orders, lines, halt: what an answer may speak of and readers find on the page of the engine.
type Shown = (u32, usize, Option<HaltLevel>);

/// The engine thread's end of shared memory.
pub(super) struct Pages {
    pub publisher: Publisher,
    started: Ts,
    indicators: [IndicatorSlot; INDICATOR_SLOTS],
    /// Latency by stage as the housekeeping thread last worked it out.
    pub stages: [StageLatency; STAGES.len()],
    /// What the page of the engine last said of that which an answer may speak of.
    shown: Shown,
    rooms: Turn,
    in_doubt: InDoubt,
    /// Levels of each side of the next depth that were walked.
    walked: usize,
}

/// Orders of which it is not known where they stand at the venue, counted where their cells change.
struct InDoubt {
    /// Which are not, by slot of the order table.
    known: Vec<bool>,
    count: u64,
}

impl InDoubt {
    fn new(slots: u32) -> InDoubt {
        // Not zeros, whose pages the hot thread would be the first to touch.
        InDoubt { known: vec![true; slots as usize], count: 0 }
    }

    fn set(&mut self, slot: u32, is: bool) {
        let Some(known) = self.known.get_mut(slot as usize) else { return };
        self.count += u64::from(is);
        self.count -= u64::from(!*known);
        *known = !is;
    }
}

impl Pages {
    pub fn new(publisher: Publisher, started: Ts) -> Pages {
        let (indicators, stages) = (Indicators::slots(), [StageLatency::default(); STAGES.len()]);
        let rooms = Turn::new(publisher.capacity().lines);
        let in_doubt = InDoubt::new(publisher.capacity().orders);
        let shown = (0, 0, None);
        Pages { publisher, started, indicators, stages, shown, rooms, in_doubt, walked: 0 }
    }

    /// Writes what the last events changed: boards, orders, accounts, lines, tape.
    pub fn publish_changes(&mut self, sequencer: &mut Sequencer) {
        let Sequencer { engine, out, .. } = sequencer;
        self.publish_tape(out);
        self.publish_boards(engine, &mut out.boards);
        let Pages { publisher, in_doubt, .. } = self;
        out.orders.take(usize::MAX, |slot| {
            if let Some(cell) = engine.order_cell(slot) {
                publisher.publish_order(slot as usize, &cell);
                in_doubt.set(slot, cell.state == OrderState::Unknown);
            }
        });
        let as_of = engine.as_of_now();
        while let Some(account) = engine.risk_mut().take_changed_account() {
            if let Some(page) = engine.account_page(account) {
                publisher.publish_account(account.0.into(), &page);
            }
        }
        while let Some(slot) = engine.risk_mut().take_changed_line() {
            if let Some(page) = engine.risk().line_page(slot, as_of) {
                let headroom = self.rooms.of_line(slot);
                publisher.publish_line(slot as usize, &Line { headroom, ..page });
            }
        }
    }

    /// Writes the boards that changed. With many instruments each lies away from the caches, and so does its cell: both are asked
    /// for while those before them are written, which takes a third off the time.
    fn publish_boards(&mut self, engine: &mut Engine, boards: &mut Dirty) {
        let publisher = &mut self.publisher;
        while let Some(instrument) = boards.pop() {
            if let Some(far) = boards.behind(FAR) {
                engine.prefetch_board(far);
                publisher.prefetch_board(far as usize);
            }
            engine.measure(instrument);
            if let Some(page) = engine.board(instrument) {
                publisher.publish_board(instrument as usize, &page);
            }
        }
    }

    /// Writes the records of the last events alone.
    pub fn publish_tape(&mut self, out: &mut Output) {
        out.tape.drain(..).for_each(|record| self.publisher.push_tape(&record));
    }

    /// Looks at what would pass of the next pair in turn, if anything happened since it was looked at.
    pub fn publish_headroom(&mut self, sequencer: &Sequencer) {
        self.rooms.look(&sequencer.engine, &mut self.publisher);
    }

    /// Has a pair looked at from now on although nothing was traded in it.
    pub fn watch(&mut self, account: AccountId, instrument: InstrumentId, engine: &Engine) {
        self.rooms.watch(account, instrument, engine);
    }

    /// How many orders wait for the venue to say where they stand.
    pub fn in_doubt(&self) -> u64 {
        self.in_doubt.count
    }

    /// Goes on with one of the depths that changed: walks more and more of its levels from the best on, and writes it once all
    /// are walked, or `at_once`. `false`: there is none. Each level lies elsewhere in memory, so that all of it together took
    /// 13 us.
    pub fn publish_depth(&mut self, sequencer: &mut Sequencer, at_once: bool) -> bool {
        let Sequencer { engine, out, .. } = sequencer;
        let Some(next) = out.depths.behind(0) else { return false };
        self.walked += WALK;
        if !at_once && engine.walk_depth(next, self.walked) {
            return true;
        }
        self.walked = 0;
        out.depths.take(1, |instrument| {
            self.publisher.publish_depth(instrument as usize, &engine.depth(instrument));
        });
        true
    }

    /// Writes every account, so that readers see those that nothing happened to.
    pub fn publish_accounts(&mut self, sequencer: &Sequencer) {
        let engine = &sequencer.engine;
        for number in 0..engine.risk().accounts() as u16 {
            if let Some(page) = engine.account_page(model::AccountId(number)) {
                self.publisher.publish_account(number.into(), &page);
            }
        }
    }

    /// Whether the page of the engine says all that an answer may speak of.
    pub fn shows_all(&self, sequencer: &Sequencer) -> bool {
        self.shown == shown(&sequencer.engine)
    }

    /// Writes the page of the engine as a whole.
    pub fn publish_control(
        &mut self,
        sequencer: &Sequencer,
        now: Ts,
        loops: u64,
        progress: &Progress,
        journal: Option<&JournalProgress>,
        journal_full: bool,
    ) {
        let engine = &sequencer.engine;
        self.shown = shown(engine);
        let mut feeds = [FeedCounters::default(); FEEDS];
        for (number, (feed, progress)) in feeds.iter_mut().zip(&progress.feeds).enumerate() {
            *feed = progress.counters();
            feed.lost = feed.lost.max(engine.lost_and_unlisted(FeedId(number as u8)).0);
        }
        self.publisher.publish_control(&Control {
            engine_seq: engine.seq(),
            now,
            started: self.started,
            loops,
            mode: engine.mode(),
            halt: engine.risk().halt(HaltScope::All).unwrap_or(HaltLevel::Halted),
            halt_cause: engine.latches().of(HaltScope::All).cause(),
            journal_full,
            audit_full: engine.is_audit_full(),
            reconciling: engine.is_unreconciled(),
            instruments: engine.instruments().len() as u32,
            accounts: engine.risk().accounts() as u32,
            lines: engine.risk().lines() as u32,
            orders: engine.orders().used(),
            journal_written: journal.map_or(0, JournalProgress::written),
            journal_synced: journal.map_or(0, JournalProgress::synced),
            config_digest: engine.config_digest(),
            state_hash: engine.state_hash(),
            live_orders: engine.live_orders() as u64,
            passed: engine.passed(),
            refused: *engine.refused(),
            feeds,
            feed_count: engine.books().len() as u32,
            stages: self.stages,
            indicators: self.indicators,
        });
    }

    /// Desks that can be leased.
    pub fn desks(&self) -> impl Iterator<Item = DeskId> + use<> {
        (0..self.publisher.capacity().desks as u8).map(DeskId)
    }
}

fn shown(engine: &Engine) -> Shown {
    (engine.orders().used(), engine.risk().lines(), engine.risk().halt(HaltScope::All))
}

#[cfg(test)]
mod tests {
    use super::InDoubt;

    /// Goal: each order that is in doubt counts once, and none that was. Method: cells as they are written, some again, one of
    /// no slot.
    #[test]
    fn doubts_are_counted() {
        let mut in_doubt = InDoubt::new(3);
        let mut after = |slot, is| {
            in_doubt.set(slot, is);
            in_doubt.count
        };
        assert_eq!([after(0, false), after(0, true), after(0, true), after(2, true)], [0, 1, 1, 2]);
        assert_eq!(
            [after(3, true), after(0, false), after(0, false), after(2, false)],
            [2, 1, 1, 0]
        );
    }
}
