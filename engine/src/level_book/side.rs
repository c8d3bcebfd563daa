//! One side of a book: a window around the touch, the rest far.
//!
//! A rank belongs to the window if it is a step that the window covers, else to the far levels:
//! which of the two is one subtraction, one multiplication and one comparison. Only the speed hangs
//! on how the window lies; every answer is right wherever it does.
//!
//! The window is laid when [`PATIENCE`] events have found it badly laid: there was none yet, the
//! touch lay outside of it or near its far end, or a price within its reach was off its grid. Then
//! the step is the greatest common divisor of the distances between the touch and its neighbours,
//! and the window starts a little ahead of the touch. Worst case: as many levels move out as a
//! window holds, and as many move in, 16,384 each, at some 25 ns a level, once in [`PATIENCE`] such
//! events. A window whose levels the far ones have no room for stays where it is.

use super::far::{Far, Shelves};
use super::grid::{Grid, gcd};
use super::window::{STEPS, STRIDE, Window, Windows};
use core::hint::cold_path;

/// Events that find the window badly laid before it is laid anew.
pub(super) const PATIENCE: u32 = 256;
/// Levels from the touch on whose distances tell the step.
const NEIGHBOURS: usize = 64;
/// Steps that a fresh window covers ahead of the touch, at least; a stride more at most.
const AHEAD: u64 = STRIDE / 2;
/// A window whose touch has fallen back as far as this is badly laid.
const FAR_BACK: u64 = STEPS - 3 * STRIDE / 2;

/// What all sides of all books share.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Memory {
    pub windows: Windows,
    pub shelves: Shelves,
}

/// One side of one book.
#[derive(Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Side {
    grid: Grid,
    /// Number of the window's first step, a multiple of [`STRIDE`].
    first: u64,
    best: u64,
    /// Zero: the side is empty.
    best_qty: i64,
    far: Far,
    /// 0: none.
    window: u32,
    /// Levels of the window.
    near: u32,
    /// Events that have found the window badly laid.
    strain: u32,
}

impl Side {
    pub const EMPTY: Side = Side {
        grid: Grid::UNIT,
        first: 0,
        best: 0,
        best_qty: 0,
        far: Far::EMPTY,
        window: 0,
        near: 0,
        strain: 0,
    };

    /// Rank and quantity of the best level; zeros: the side is empty.
    #[inline]
    pub const fn best(&self) -> (u64, i64) {
        (self.best, self.best_qty)
    }

    /// Levels.
    pub const fn count(&self) -> u32 {
        self.near + self.far.count
    }

    /// The quantity of a rank; 0: no level.
    pub fn get(&self, memory: &Memory, rank: u64) -> i64 {
        let number = self.grid.number(rank);
        match memory.windows.at(self.window) {
            Some(window) if self.covers(number) => window.get(number),
            _ => self.far.get(&memory.shelves, rank),
        }
    }

    /// Sets the quantity of a rank, 0 removes it. The quantity before; `None`: no room for it.
    #[inline]
    pub fn put(&mut self, memory: &mut Memory, rank: u64, qty: i64) -> Option<i64> {
        let number = self.grid.number(rank);
        match memory.windows.at_mut(self.window) {
            Some(window) if self.covers(number) => {
                let before = window.set(number, qty);
                self.near = self.near + u32::from(qty != 0) - u32::from(before != 0);
                self.see_best(memory, rank, qty);
                Some(before)
            }
            _ => {
                cold_path();
                let before = self.far.put(&mut memory.shelves, rank, qty)?;
                self.see_best(memory, rank, qty);
                self.strain(memory, rank);
                Some(before)
            }
        }
    }

    /// Gives all memory back.
    pub fn clear(&mut self, memory: &mut Memory) {
        memory.windows.release(self.window);
        self.far.clear(&mut memory.shelves);
        *self = Side::EMPTY;
    }

    /// Every level, best first.
    pub fn walk<'a>(&'a self, memory: &'a Memory) -> impl Iterator<Item = (u64, i64)> + 'a {
        let mut near = self.near_from(memory, self.first).peekable();
        let mut far = self.far.walk(&memory.shelves).peekable();
        core::iter::from_fn(move || match (near.peek(), far.peek()) {
            (Some(a), Some(b)) if a.0 > b.0 => far.next(),
            (Some(_), _) => near.next(),
            (None, _) => far.next(),
        })
    }

    /// The levels of the window from a number on.
    fn near_from<'a>(
        &'a self,
        memory: &'a Memory,
        mut from: u64,
    ) -> impl Iterator<Item = (u64, i64)> + 'a {
        let window = memory.windows.at(self.window);
        core::iter::from_fn(move || {
            let number = window?.next(self.first, from)?;
            from = number.wrapping_add(1);
            Some((self.grid.rank(number), window?.get(number)))
        })
    }

    #[inline]
    const fn covers(&self, number: u64) -> bool {
        number.wrapping_sub(self.first) < STEPS
    }

    /// Sees to the best level after one has changed.
    #[inline]
    fn see_best(&mut self, memory: &Memory, rank: u64, qty: i64) {
        if qty != 0 {
            if rank <= self.best || self.best_qty == 0 {
                (self.best, self.best_qty) = (rank, qty);
            }
        } else if rank == self.best {
            self.find_best(memory);
        }
    }

    fn find_best(&mut self, memory: &Memory) {
        let window = memory.windows.at(self.window);
        let near = window.and_then(|window| {
            let number = window.next(self.first, self.first)?;
            Some((self.grid.rank(number), window.get(number)))
        });
        (self.best, self.best_qty) = match near {
            Some(level) if self.far.count == 0 || level.0 < self.far.best => level,
            _ if self.far.count == 0 => (0, 0),
            _ => (self.far.best, self.far.get(&memory.shelves, self.far.best)),
        };
    }

    /// Counts an event that passed the window by, if the window is to blame.
    fn strain(&mut self, memory: &mut Memory, rank: u64) {
        let low = self.grid.rank(self.first);
        let [back, high] = [FAR_BACK, STEPS - 1].map(|steps| self.grid.rank(self.first + steps));
        let is_off_grid = self.window != 0 && low <= rank && rank <= high;
        let is_well_laid = self.window != 0 && low <= self.best && self.best <= back;
        if is_off_grid || !is_well_laid {
            self.strain += 1;
        }
        if self.strain >= PATIENCE {
            self.strain = 0;
            self.lay(memory, if is_off_grid { rank } else { self.best });
        }
    }

    /// Lays the window around the touch, on a grid that also holds the rank `with`.
    #[cold]
    fn lay(&mut self, memory: &mut Memory, with: u64) {
        if self.best_qty == 0 {
            return;
        }
        if self.window == 0 {
            self.window = memory.windows.take();
        }
        let reach = [self.first, self.first + (STEPS - 1)].map(|number| self.grid.rank(number));
        if self.window == 0 || !self.far.has_room(&memory.shelves, reach, self.near) {
            return;
        }
        let grid = self.learn(memory, with);
        let furthest = grid.last() - (STEPS - 1);
        let first = grid.number(self.best).saturating_sub(AHEAD).min(furthest);
        let first = first - first % STRIDE;
        if (grid, first) != (self.grid, self.first) || self.near == 0 {
            self.move_out(memory, grid, first);
            (self.grid, self.first) = (grid, first);
            self.move_in(memory);
        }
    }

    /// The grid of the levels next to the touch; the old step if the touch is alone.
    fn learn(&self, memory: &Memory, with: u64) -> Grid {
        let neighbours = self.walk(memory).take(NEIGHBOURS).map(|(rank, _)| rank);
        let step = neighbours.fold(self.best.abs_diff(with), |step, rank| {
            if step == 1 { 1 } else { gcd(step, rank - self.best) }
        });
        Grid::through(self.best, if step == 0 { self.grid.step() } else { step })
    }

    /// Moves to the far levels what a window on `grid` from `first` on will not hold. The caller
    /// has seen to the room.
    fn move_out(&mut self, memory: &mut Memory, grid: Grid, first: u64) {
        let Memory { windows, shelves } = memory;
        let Some(window) = windows.at_mut(self.window) else { return };
        let stays = |number: u64| grid == self.grid && number.wrapping_sub(first) < STEPS;
        let mut from = self.first;
        while let Some(number) = Window::next(window, self.first, from) {
            from = number.wrapping_add(1);
            if !stays(number) {
                let qty = window.set(number, 0);
                let moved = self.far.put(shelves, self.grid.rank(number), qty);
                debug_assert!(moved.is_some(), "there was room");
                self.near -= 1;
            }
        }
    }

    /// Moves into the window what it covers.
    fn move_in(&mut self, memory: &mut Memory) {
        let Memory { windows, shelves } = memory;
        let Some(window) = windows.at_mut(self.window) else { return };
        let (grid, first) = (self.grid, self.first);
        let reach = [grid.rank(first), grid.rank(first + (STEPS - 1))];
        let mut near = self.near;
        self.far.sift(shelves, reach, |rank, qty| {
            let number = grid.number(rank);
            let is_near = number.wrapping_sub(first) < STEPS;
            if is_near {
                window.set(number, qty);
                near += 1;
            }
            !is_near
        });
        self.near = near;
    }
}

#[cfg(test)]
impl Side {
    /// Panics unless every level is where it is looked for, and counted. Returns the windows,
    /// leaves and directories that the side has.
    pub fn audit(&self, memory: &Memory) -> [usize; 3] {
        let window = memory.windows.at(self.window);
        assert_eq!(window.map_or(0, Window::audit), self.near as usize);
        let levels: Vec<_> = self.walk(memory).collect();
        assert!(levels.is_sorted_by(|(a, _), (b, _)| a < b));
        assert_eq!(levels.len(), self.count() as usize);
        assert_eq!(levels.first().copied().unwrap_or_default(), self.best());
        assert!(levels.iter().all(|(rank, qty)| self.get(memory, *rank) == *qty));
        assert_eq!(self.first % STRIDE, 0);
        assert!(self.window == 0 || self.first + (STEPS - 1) <= self.grid.last());
        let (leaves, directories) = self.far.audit(&memory.shelves);
        [usize::from(self.window != 0), leaves, directories]
    }

    /// Levels in the window, and the step of its grid.
    pub fn layout(&self) -> (u32, u64) {
        (self.near, self.grid.step())
    }
}
