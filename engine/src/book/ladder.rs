//! From a price to its level, and from a level to the next worse one: a radix tree of price steps
//! for each side.
//!
//! The number of a price step is read as digits of six bits. A node holds 64 children and one bit
//! for each that exists; the children of a leaf are levels, 64 neighbouring steps. Any price is
//! found, opened or closed in at most eleven nodes, wherever it lies; the leaf of the best price is
//! remembered, and nearly every price is on it.
//!
//! A step is 100 price units (a cent, for 4 decimals) where the first price of a side is a whole
//! number of them and at least 100 of them, else one unit. Prices within one step hang on one list,
//! best first, so that the choice costs time at worst, never correctness.

use super::levels::{COARSE, FANOUT, Levels, is_better};
use super::record::Level;
use model::Side;

/// Bits of a price step that choose a child.
const DIGIT_BITS: u32 = FANOUT.ilog2();
/// Nodes from the root to a leaf, at most: 63 bits of price.
const HEIGHT_MAX: u32 = 11;

/// One side of one book, half a cache line.
#[derive(Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[repr(C, align(32))]
pub(super) struct Ladder {
    /// The lowest price of the leaf that holds the best price.
    near_px: i64,
    near_leaf: u32,
    /// The best level; 0: the side is empty.
    pub best: u32,
    root: u32,
    /// Levels on this side.
    pub count: u32,
    /// Nodes from the root to a leaf, both included.
    height: u8,
    side: Side,
    /// Price units of a step.
    unit: u8,
}

const _: () = assert!(size_of::<Ladder>() == 32);

/// Where a price belongs.
#[derive(Clone, Copy)]
struct Found {
    step: u64,
    /// The leaf of the step; 0: there is none.
    leaf: u32,
    /// The first level of the step; 0: there is none.
    first: u32,
}

impl Ladder {
    pub const fn new(side: Side) -> Ladder {
        let (near_px, near_leaf, best, root, count, height) = (0, 0, 0, 0, 0, 0);
        Ladder { near_px, near_leaf, best, root, count, height, side, unit: 1 }
    }

    /// The level of a price; 0: none.
    pub fn find(&self, levels: &Levels, px: i64) -> u32 {
        levels.in_step(self.locate(levels, px).first, px)
    }

    /// The level of a price, opened if there is none; `None`: no room for it. Mostly it is there,
    /// and the first of its step on the leaf of the best price.
    #[inline(always)]
    pub fn find_or_open(&mut self, levels: &mut Levels, book: u32, px: i64) -> Option<u32> {
        let away = px.wrapping_sub(self.near_px).cast_unsigned();
        let unit = u64::from(self.unit);
        if away < unit * FANOUT as u64
            && let Some(leaf) = levels.nodes.get(self.near_leaf)
        {
            // In 32 bits the division is one multiplication.
            let digit = if unit == COARSE { u64::from(away as u32 / COARSE as u32) } else { away };
            let level = leaf.kid(digit);
            if levels.records.get(level).is_some_and(|level| level.px == px) {
                return Some(level);
            }
        }
        self.reach(levels, book, px)
    }

    /// The leaf of the best price, and the child of it that is the level of a price near it; of another price, any child.
    #[inline]
    pub fn guess(&self, px: i64) -> (u32, u64) {
        let away = px.wrapping_sub(self.near_px) as u32;
        let digit = if u64::from(self.unit) == COARSE { away / COARSE as u32 } else { away };
        (self.near_leaf, digit.into())
    }

    /// As [`Ladder::find_or_open`], wherever the price is.
    #[cold]
    #[inline(never)]
    fn reach(&mut self, levels: &mut Levels, book: u32, px: i64) -> Option<u32> {
        let found = self.locate(levels, px);
        match levels.in_step(found.first, px) {
            0 => self.open(levels, book, px, found),
            level => Some(level),
        }
    }

    /// Where a price belongs.
    #[inline]
    fn locate(&self, levels: &Levels, px: i64) -> Found {
        let step = self.step(px);
        let leaf = self.leaf(levels, step >> DIGIT_BITS);
        Found { step, leaf, first: levels.nodes.at(leaf).kid(step) }
    }

    #[inline]
    fn open(&mut self, levels: &mut Levels, book: u32, px: i64, found: Found) -> Option<u32> {
        let Found { mut step, mut leaf, first } = found;
        if leaf == 0 {
            (step, leaf) = self.build_leaf(levels, px)?;
        }
        let level = levels.records.take()?;
        *levels.records.at_mut(level) = Level::new(book, self.side, px);
        if first == 0 {
            levels.nodes.at_mut(leaf).put(step, level);
        } else {
            self.enlist(levels, leaf, first, level);
        }
        if self.best == 0 || is_better(px, levels.records.at(self.best).px, self.side) {
            self.best = level;
            self.set_near(step >> DIGIT_BITS, leaf);
        }
        self.count += 1;
        Some(level)
    }

    /// Hangs a level on the list of its step, whose first level is there.
    #[cold]
    fn enlist(&mut self, levels: &mut Levels, leaf: u32, first: u32, level: u32) {
        let px = levels.records.at(level).px;
        let before = levels.last_better_in_step(first, px, self.side);
        if before == 0 {
            levels.set_next_in_step(level, first);
            levels.nodes.at_mut(leaf).put(self.step(px), level);
        } else {
            levels.set_next_in_step(level, levels.next_in_step(before));
            levels.set_next_in_step(before, level);
        }
        levels.records.at_mut(first).list();
        levels.records.at_mut(level).list();
    }

    /// Takes a level off the list of its step.
    #[cold]
    fn delist(&mut self, levels: &mut Levels, leaf: u32, first: u32, level: u32) {
        let step = self.step(levels.records.at(level).px);
        let next = levels.next_in_step(level);
        if first != level {
            let px = levels.records.at(level).px;
            let before = levels.last_better_in_step(first, px, self.side);
            levels.set_next_in_step(before, next);
        } else if next != 0 {
            levels.nodes.at_mut(leaf).put(step, next);
        } else {
            levels.nodes.at_mut(leaf).remove(step);
        }
        levels.set_next_in_step(level, 0);
    }

    /// Removes an empty level.
    #[inline(never)]
    pub fn close(&mut self, levels: &mut Levels, level: u32) {
        let closed = levels.records.at(level);
        let is_listed = closed.is_listed();
        let Found { step, leaf, first } = self.locate(levels, closed.px);
        if is_listed {
            self.delist(levels, leaf, first, level);
        } else {
            levels.nodes.at_mut(leaf).remove(step);
        }
        levels.records.release(level);
        self.count -= 1;
        if levels.nodes.at(leaf).bits == 0 {
            self.prune(levels, step >> DIGIT_BITS);
        }
        if self.best == level {
            if levels.nodes.at(self.near_leaf).bits == 0 {
                let (number, leaf) = self.best_leaf(levels);
                self.set_near(number, leaf);
            }
            let leaf = levels.nodes.at(self.near_leaf);
            self.best = leaf.kid(first_digit(leaf.bits, self.side));
        }
    }

    /// Every level, best first.
    pub fn walk<'a>(&'a self, levels: &'a Levels) -> Walk<'a> {
        let bits = levels.nodes.at(self.near_leaf).bits;
        let (leaf_number, leaf) = (self.near(), self.near_leaf);
        Walk { ladder: self, levels, leaf_number, leaf, bits, level: 0, left: self.count }
    }

    #[inline]
    fn step(&self, px: i64) -> u64 {
        let px = px.cast_unsigned();
        if self.is_coarse() { px / COARSE } else { px }
    }

    #[inline]
    const fn is_coarse(&self) -> bool {
        self.unit as u64 == COARSE
    }

    /// Number of the leaf that holds the best price: step number without its last digit.
    #[inline]
    fn near(&self) -> u64 {
        self.step(self.near_px) >> DIGIT_BITS
    }

    fn set_near(&mut self, number: u64, leaf: u32) {
        self.near_px = ((number << DIGIT_BITS) * u64::from(self.unit)).cast_signed();
        self.near_leaf = leaf;
    }

    /// The leaf of a number; 0: none.
    #[inline]
    fn leaf(&self, levels: &Levels, number: u64) -> u32 {
        if number == self.near() { self.near_leaf } else { self.far_leaf(levels, number) }
    }

    #[inline(never)]
    fn far_leaf(&self, levels: &Levels, number: u64) -> u32 {
        if height_of(number) > self.height.into() {
            return 0;
        }
        (1..self.height.into())
            .rev()
            .fold(self.root, |node, height| levels.nodes.at(node).kid(digit(number, height)))
    }

    /// The step of a price and its new leaf; `None`: no room for it.
    #[cold]
    fn build_leaf(&mut self, levels: &mut Levels, px: i64) -> Option<(u64, u32)> {
        if levels.records.room() == 0 || levels.nodes.room() < 2 * HEIGHT_MAX as usize {
            return None;
        }
        if self.count == 0 {
            let px = px.cast_unsigned();
            let is_coarse = px >= COARSE * COARSE && px.is_multiple_of(COARSE);
            self.unit = if is_coarse { COARSE as u8 } else { 1 };
        }
        let step = self.step(px);
        Some((step, self.reach_leaf(levels, step >> DIGIT_BITS)))
    }

    /// The leaf of a number, built if there is none. The caller has seen to the room.
    fn reach_leaf(&mut self, levels: &mut Levels, number: u64) -> u32 {
        if self.height == 0 {
            self.root = levels.take_node();
            self.height = height_of(number) as u8;
        }
        for _ in self.height.into()..height_of(number) {
            let root = levels.take_node();
            levels.nodes.at_mut(root).put(0, self.root);
            self.root = root;
            self.height += 1;
        }
        let mut node = self.root;
        for height in (1..self.height.into()).rev() {
            let digit = digit(number, height);
            let mut kid = levels.nodes.at(node).kid(digit);
            if kid == 0 {
                kid = levels.take_node();
                levels.nodes.at_mut(node).put(digit, kid);
            }
            node = kid;
        }
        node
    }

    /// Gives back an empty leaf and whatever is empty above it.
    #[cold]
    fn prune(&mut self, levels: &mut Levels, number: u64) {
        let mut path = [0; HEIGHT_MAX as usize];
        let mut node = self.root;
        for (place, height) in path.iter_mut().zip((0..self.height.into()).rev()) {
            *place = node;
            node = levels.nodes.at(node).kid(digit(number, height));
        }
        let used = path.get(..self.height as usize).unwrap_or_default();
        for (height, node) in (1..).zip(used.iter().rev()) {
            if levels.nodes.at(*node).bits != 0 {
                return;
            }
            levels.nodes.release(*node);
            let parent = used.iter().rev().nth(height as usize).copied().unwrap_or(0);
            if parent == 0 {
                (self.root, self.height) = (0, 0);
                return;
            }
            levels.nodes.at_mut(parent).remove(digit(number, height));
        }
    }

    /// The leaf of the best price, after its number; zeros if the side is empty.
    fn best_leaf(&self, levels: &Levels) -> (u64, u32) {
        self.descend(levels, self.root, 0, self.height.into())
    }

    /// The best leaf below a node `height` nodes above the leaves' children, whose digits so far
    /// are `number`.
    fn descend(&self, levels: &Levels, mut node: u32, mut number: u64, height: u32) -> (u64, u32) {
        for _ in 1..height {
            let digit = first_digit(levels.nodes.at(node).bits, self.side);
            number = number << DIGIT_BITS | digit;
            node = levels.nodes.at(node).kid(digit);
        }
        (number, node)
    }

    /// The next leaf worse than that of a number.
    fn worse_leaf(&self, levels: &Levels, number: u64) -> Option<(u64, u32)> {
        let mut turn = None;
        let mut node = self.root;
        for height in (1..self.height.into()).rev() {
            let digit = digit(number, height);
            let worse = worse_digits(levels.nodes.at(node).bits, digit, self.side);
            if worse != 0 {
                turn = Some((height, node, first_digit(worse, self.side)));
            }
            node = levels.nodes.at(node).kid(digit);
        }
        let (height, node, digit) = turn?;
        let above = number >> (DIGIT_BITS * height);
        let kid = levels.nodes.at(node).kid(digit);
        Some(self.descend(levels, kid, above << DIGIT_BITS | digit, height))
    }
}

/// The levels of one side, best first.
pub(super) struct Walk<'a> {
    ladder: &'a Ladder,
    levels: &'a Levels,
    leaf_number: u64,
    leaf: u32,
    /// Steps of the leaf not visited yet.
    bits: u64,
    /// The next level of the step; 0: go on to the next step.
    level: u32,
    left: u32,
}

impl Iterator for Walk<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        if self.level == 0 {
            if self.bits == 0 {
                (self.leaf_number, self.leaf) =
                    self.ladder.worse_leaf(self.levels, self.leaf_number)?;
                self.bits = self.levels.nodes.at(self.leaf).bits;
            }
            let digit = first_digit(self.bits, self.ladder.side);
            self.bits &= !(1 << digit);
            self.level = self.levels.nodes.at(self.leaf).kid(digit);
        }
        let level = self.level;
        self.level = self.levels.next_in_step(level);
        Some(level)
    }
}

/// The digit of a leaf's number that a node `height` nodes above the leaf is indexed by.
const fn digit(number: u64, height: u32) -> u64 {
    let shifted = number >> (DIGIT_BITS * (height.saturating_sub(1)));
    shifted % FANOUT as u64
}

/// Nodes needed from root to leaf for a leaf's number.
const fn height_of(number: u64) -> u32 {
    1 + (u64::BITS - number.leading_zeros()).div_ceil(DIGIT_BITS)
}

/// The best digit of those whose bits are set.
#[inline]
const fn first_digit(bits: u64, side: Side) -> u64 {
    let digit = match side {
        Side::Buy => 63 - (bits | 1).leading_zeros(),
        Side::Sell => (bits | 1 << 63).trailing_zeros(),
    };
    digit as u64
}

/// The bits of those digits that are worse than `digit`.
const fn worse_digits(bits: u64, digit: u64, side: Side) -> u64 {
    match side {
        Side::Buy => bits & !(u64::MAX << digit),
        Side::Sell => bits & (u64::MAX << digit << 1),
    }
}

#[cfg(test)]
impl Ladder {
    /// Panics unless bits and children agree, no node is empty, and the remembered leaf is the one
    /// of the best price. Returns the number of nodes.
    pub fn audit(&self, levels: &Levels) -> usize {
        assert_eq!(self.best, self.walk(levels).next().unwrap_or(0));
        assert_eq!(self.count as usize, self.walk(levels).count());
        assert_eq!((self.near(), self.near_leaf), self.best_leaf(levels));
        let mut nodes =
            Vec::from_iter((self.root != 0).then_some((self.root, u32::from(self.height))));
        let mut count = 0;
        while let Some((number, height)) = nodes.pop() {
            let node = levels.nodes.at(number);
            assert_ne!(node.bits, 0);
            for digit in 0..FANOUT as u64 {
                assert_eq!(node.kid(digit) != 0, node.bits >> digit & 1 == 1);
                if height > 1 && node.kid(digit) != 0 {
                    nodes.push((node.kid(digit), height - 1));
                }
            }
            count += 1;
        }
        count
    }
}
