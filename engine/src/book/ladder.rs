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

use super::pool::{Pool, Record};
use super::record::Level;
use model::Side;

const DIGIT_BITS: u32 = 6;
const FANOUT: usize = 1 << DIGIT_BITS;
/// Nodes from the root to a leaf, at most: 63 bits of price.
const HEIGHT_MAX: u32 = 11;
/// Price units of a coarse step.
const COARSE: u64 = 100;

#[derive(Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Node {
    /// One bit for each child that exists.
    bits: u64,
    #[serde(with = "model::snapshot::array")]
    kids: [u32; FANOUT],
}

impl Record for Node {
    const NIL: Node = Node { bits: 0, kids: [0; FANOUT] };

    fn link(&mut self) -> &mut u32 {
        let [first, ..] = &mut self.kids;
        first
    }
}

impl Node {
    #[inline]
    fn kid(&self, digit: u64) -> u32 {
        self.kids.get(digit as usize % FANOUT).copied().unwrap_or(0)
    }

    /// Sets a child; 0 removes it.
    #[inline]
    fn set(&mut self, digit: u64, kid: u32) {
        let bit = 1 << (digit % FANOUT as u64);
        self.bits = if kid == 0 { self.bits & !bit } else { self.bits | bit };
        if let Some(place) = self.kids.get_mut(digit as usize % FANOUT) {
            *place = kid;
        }
    }
}

/// The levels of all books, and the nodes that lead to them.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Levels {
    pub records: Pool<Level>,
    /// By level: the next worse level within the same price step; 0: none.
    #[serde(with = "model::snapshot::table")]
    next_in_step: Vec<u32>,
    nodes: Pool<Node>,
}

impl Levels {
    pub fn new(levels: u32, nodes: u32) -> Levels {
        let mut next_in_step = vec![0; levels as usize + 1];
        host::prefault(&mut next_in_step);
        Levels { records: Pool::new(levels), next_in_step, nodes: Pool::new(nodes) }
    }

    pub fn release_all(&mut self) {
        self.records.release_all();
        self.nodes.release_all();
    }

    #[inline]
    fn next_in_step(&self, level: u32) -> u32 {
        self.next_in_step.get(level as usize).copied().unwrap_or(0)
    }

    fn set_next_in_step(&mut self, level: u32, next: u32) {
        if let Some(place) = self.next_in_step.get_mut(level as usize) {
            *place = next;
        }
    }

    /// The level of exactly this price in the list of its step; 0: none.
    #[inline]
    fn in_step(&self, first: u32, px: i64) -> u32 {
        if first == 0 || self.records.at(first).px == px {
            return first;
        }
        self.behind_in_step(first, px)
    }

    #[cold]
    fn behind_in_step(&self, mut level: u32, px: i64) -> u32 {
        for _ in 0..COARSE {
            level = self.next_in_step(level);
            if level == 0 || self.records.at(level).px == px {
                break;
            }
        }
        level
    }

    /// The last level in the list of a step that is better than `px`; 0: none.
    fn last_better_in_step(&self, mut level: u32, px: i64, side: Side) -> u32 {
        let mut last = 0;
        for _ in 0..COARSE {
            if level == 0 || !is_better(self.records.at(level).px, px, side) {
                break;
            }
            last = level;
            level = self.next_in_step(level);
        }
        last
    }

    #[cfg(test)]
    pub fn nodes_used(&self) -> usize {
        self.nodes.used()
    }

    /// An empty node. The caller has seen to the room.
    fn take_node(&mut self) -> u32 {
        let node = self.nodes.take().unwrap_or(0);
        *self.nodes.at_mut(node) = Node::NIL;
        node
    }
}

/// One side of one book.
#[derive(Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Ladder {
    /// Number of the leaf that holds the best price: step number without its last digit.
    near: u64,
    near_leaf: u32,
    /// The best level; 0: the side is empty.
    pub best: u32,
    root: u32,
    /// Levels on this side.
    pub count: u32,
    /// Nodes from the root to a leaf, both included.
    height: u32,
    side: Side,
    is_coarse: bool,
}

impl Ladder {
    pub const fn new(side: Side) -> Ladder {
        let (near, near_leaf, best, root, count, height) = (0, 0, 0, 0, 0, 0);
        Ladder { near, near_leaf, best, root, count, height, side, is_coarse: false }
    }

    /// The level of a price; 0: none.
    #[inline]
    pub fn find(&self, levels: &Levels, px: i64) -> u32 {
        let step = self.step(px);
        let leaf = self.leaf(levels, step >> DIGIT_BITS);
        levels.in_step(levels.nodes.at(leaf).kid(step), px)
    }

    /// The level of a price, opened if there is none; 0: no room for it.
    #[inline]
    pub fn find_or_open(&mut self, levels: &mut Levels, book: u32, px: i64) -> u32 {
        match self.find(levels, px) {
            0 => self.open(levels, book, px),
            level => level,
        }
    }

    #[inline(never)]
    fn open(&mut self, levels: &mut Levels, book: u32, px: i64) -> u32 {
        if levels.nodes.room() < 2 * HEIGHT_MAX as usize {
            return 0;
        }
        let Some(level) = levels.records.take() else { return 0 };
        *levels.records.at_mut(level) = Level::new(book, self.side, px);
        if self.count == 0 {
            let px = px.cast_unsigned();
            self.is_coarse = px >= COARSE * COARSE && px.is_multiple_of(COARSE);
        }
        let step = self.step(px);
        let leaf = self.reach_leaf(levels, step >> DIGIT_BITS);
        let first = levels.nodes.at(leaf).kid(step);
        let before = levels.last_better_in_step(first, px, self.side);
        if before == 0 {
            levels.set_next_in_step(level, first);
            levels.nodes.at_mut(leaf).set(step, level);
        } else {
            levels.set_next_in_step(level, levels.next_in_step(before));
            levels.set_next_in_step(before, level);
        }
        if self.best == 0 || is_better(px, levels.records.at(self.best).px, self.side) {
            (self.best, self.near, self.near_leaf) = (level, step >> DIGIT_BITS, leaf);
        }
        self.count += 1;
        level
    }

    /// Removes an empty level.
    #[inline(never)]
    pub fn close(&mut self, levels: &mut Levels, level: u32) {
        let px = levels.records.at(level).px;
        let step = self.step(px);
        let leaf = self.leaf(levels, step >> DIGIT_BITS);
        let first = levels.nodes.at(leaf).kid(step);
        let before = levels.last_better_in_step(first, px, self.side);
        let next = levels.next_in_step(level);
        if before == 0 {
            levels.nodes.at_mut(leaf).set(step, next);
        } else {
            levels.set_next_in_step(before, next);
        }
        levels.records.release(level);
        self.count -= 1;
        if levels.nodes.at(leaf).bits == 0 {
            self.prune(levels, step >> DIGIT_BITS);
        }
        if self.best == level {
            if levels.nodes.at(self.near_leaf).bits == 0 {
                (self.near, self.near_leaf) = self.best_leaf(levels);
            }
            let leaf = levels.nodes.at(self.near_leaf);
            self.best = leaf.kid(first_digit(leaf.bits, self.side));
        }
    }

    /// Every level, best first.
    pub fn walk<'a>(&'a self, levels: &'a Levels) -> Walk<'a> {
        let bits = levels.nodes.at(self.near_leaf).bits;
        let (leaf_number, leaf) = (self.near, self.near_leaf);
        Walk { ladder: self, levels, leaf_number, leaf, bits, level: 0, left: self.count }
    }

    #[inline]
    fn step(&self, px: i64) -> u64 {
        let px = px.cast_unsigned();
        if self.is_coarse { px / COARSE } else { px }
    }

    /// The leaf of a number; 0: none.
    #[inline]
    fn leaf(&self, levels: &Levels, number: u64) -> u32 {
        if number == self.near { self.near_leaf } else { self.far_leaf(levels, number) }
    }

    #[inline(never)]
    fn far_leaf(&self, levels: &Levels, number: u64) -> u32 {
        if height_of(number) > self.height {
            return 0;
        }
        (1..self.height)
            .rev()
            .fold(self.root, |node, height| levels.nodes.at(node).kid(digit(number, height)))
    }

    /// The leaf of a number, built if there is none. The caller has seen to the room.
    fn reach_leaf(&mut self, levels: &mut Levels, number: u64) -> u32 {
        if self.height == 0 {
            self.root = levels.take_node();
            self.height = height_of(number);
        }
        for _ in self.height..height_of(number) {
            let root = levels.take_node();
            levels.nodes.at_mut(root).set(0, self.root);
            self.root = root;
            self.height += 1;
        }
        let mut node = self.root;
        for height in (1..self.height).rev() {
            let digit = digit(number, height);
            let mut kid = levels.nodes.at(node).kid(digit);
            if kid == 0 {
                kid = levels.take_node();
                levels.nodes.at_mut(node).set(digit, kid);
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
        for (place, height) in path.iter_mut().zip((0..self.height).rev()) {
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
            levels.nodes.at_mut(parent).set(digit(number, height), 0);
        }
    }

    /// The leaf of the best price, after its number; zeros if the side is empty.
    fn best_leaf(&self, levels: &Levels) -> (u64, u32) {
        self.descend(levels, self.root, 0, self.height)
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
        for height in (1..self.height).rev() {
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

#[inline]
const fn is_better(px: i64, than: i64, side: Side) -> bool {
    match side {
        Side::Buy => px > than,
        Side::Sell => px < than,
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
        assert_eq!((self.near, self.near_leaf), self.best_leaf(levels));
        let mut nodes = Vec::from_iter((self.root != 0).then_some((self.root, self.height)));
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
