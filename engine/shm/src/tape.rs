//! What happened, in order: one writer that never waits, readers that may fall behind and then know
//! how far.

use crate::ring::Ring;

/// What a reader finds at its place on the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<T> {
    /// The next record.
    Record(T),
    /// The writer overtook the reader: this many records are lost to it. Reading goes on behind
    /// them.
    Lost(u64),
    /// Nothing new.
    Empty,
}

/// A reader's place on a tape; by default, at its very start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TapeCursor(u64);

impl TapeCursor {
    /// In front of the oldest record that can be read.
    pub fn oldest<const W: usize>(tape: &Ring<'_, W>) -> TapeCursor {
        TapeCursor(tape.head().saturating_sub(readable(tape)))
    }

    /// Behind the newest record.
    pub fn newest<const W: usize>(tape: &Ring<'_, W>) -> TapeCursor {
        TapeCursor(tape.head())
    }

    /// Reads the record at this place and moves on. One attempt, no loop.
    pub fn next<const W: usize>(&mut self, tape: &Ring<'_, W>) -> Next<[u64; W]> {
        let head = tape.head();
        let behind = head.saturating_sub(self.0);
        if behind == 0 {
            return Next::Empty;
        }
        if behind <= readable(tape)
            && let Some(record) = tape.get(self.0)
        {
            self.0 += 1;
            return Next::Record(record);
        }
        // An eighth of the tape ahead of the writer, or the next record would be lost as well.
        let head = tape.head();
        let safe = head.saturating_sub(readable(tape)) + tape.slots() / 8;
        let next = safe.clamp(self.0 + 1, head.max(self.0 + 1));
        let lost = next - self.0;
        self.0 = next;
        Next::Lost(lost)
    }
}

/// Records that can be read: all slots but the one that the writer may be in, so that a writer that
/// died there is no harm.
fn readable<const W: usize>(tape: &Ring<'_, W>) -> u64 {
    tape.slots() - 1
}

#[cfg(all(test, not(loom)))]
mod tests;
