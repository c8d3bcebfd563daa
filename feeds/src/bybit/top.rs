//! Books of one level a side at most, which come whole each time, against those held before.

use model::{Px, Qty};

use crate::json::{JsonCause, Levels};
use crate::stream::Parsed;

type Level = Option<(Px, Qty)>;

/// The best bid and ask, where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Top([Level; 2]);

impl Top {
    /// The book of a whole message; `None`: it has more levels.
    pub(super) fn of(parsed: &Parsed) -> Option<Top> {
        let level = |levels: &Levels| match levels.as_slice() {
            [] => Some(None),
            [level] => Some(Some(*level)),
            _ => None,
        };
        Some(Top([level(&parsed.bids)?, level(&parsed.asks)?]))
    }

    /// Leaves in `parsed` what changes from this book to `next`: of each side first what is gone.
    pub(super) fn changes(&self, next: &Top, parsed: &mut Parsed) -> Result<(), JsonCause> {
        let (Top([bid, ask]), Top([next_bid, next_ask])) = (self, next);
        change(*bid, *next_bid, &mut parsed.bids)?;
        change(*ask, *next_ask, &mut parsed.asks)
    }
}

fn change(was: Level, now: Level, levels: &mut Levels) -> Result<(), JsonCause> {
    levels.clear();
    if let Some((px, _)) = was.filter(|was| now.is_none_or(|now| now.0 != was.0)) {
        levels.push(px, Qty(0))?;
    }
    if let Some((px, qty)) = now.filter(|_| now != was) {
        levels.push(px, qty)?;
    }
    Ok(())
}
