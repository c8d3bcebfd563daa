//! What readers of shared memory see. The engine writes each page whole; a reader copies it and checks every field.
//!
//! | page | one for each | written |
//! |---|---|---|
//! | [`Control`] | engine | every millisecond and when idle |
//! | [`Board`] | instrument | at packet end, when something of it changed |
//! | [`Depth`] | instrument | when idle or each millisecond, when something of it changed |
//! | [`Account`] | account | after an input that changed it |
//! | [`Line`] | account and instrument ever traded, or asked of by a client | the same; what would pass, when idle ([`Rooms`]) |
//! | [`OrderCell`] | slot of the order table | the same |
//! | [`TapeRecord`] | trade, verdict, fill, halt … | as it happens |
//! | [`Answer`] | request of a desk | when its record has reached the durability that the mode demands |

mod account;
mod answer;
mod board;
mod control;
mod depth;
mod order;
mod room;
mod tape;

pub use account::{Account, Line, NoFifo, Permission};
pub use answer::{Answer, AnswerKind, FINDINGS_MAX};
pub use board::{Board, INDICATOR_SLOTS, Last, Quote};
pub use control::{
    Control, FEEDS, FeedCounters, IndicatorSlot, LineCounters, REJECT_SLOTS, STAGES, StageLatency,
};
pub use depth::{DEPTH_LEVELS, Depth, Level};
pub use order::OrderCell;
pub use room::{Room, Rooms};
pub use tape::{TapeKind, TapeRecord, halt_aux, read_halt_aux};

use crate::num::Ts;
use crate::words::{WordReader, WordWriter};

/// The moment that a page describes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AsOf {
    /// Number of the input after which the page was written.
    pub engine_seq: u64,
    /// Venue time of the last event that touched it.
    pub ts_venue: Ts,
    /// Receive time of that event.
    pub ts_recv: Ts,
}

impl AsOf {
    fn write(&self, to: &mut WordWriter<'_>) {
        to.u64(self.engine_seq);
        to.u64(self.ts_venue.0);
        to.u64(self.ts_recv.0);
    }

    fn read(from: &mut WordReader<'_>) -> AsOf {
        AsOf { engine_seq: from.u64(), ts_venue: Ts(from.u64()), ts_recv: Ts(from.u64()) }
    }
}
