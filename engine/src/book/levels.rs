//! The levels of all books, and the nodes of the trees that lead to them.

use super::pool::{Pool, Record};
use super::record::Level;
use model::Side;

/// Children of a node.
pub(super) const FANOUT: usize = 64;
/// Price units of a coarse step, and the most levels on the list of a step.
pub(super) const COARSE: u64 = 100;

#[derive(Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Node {
    /// One bit for each child that exists.
    pub bits: u64,
    #[serde(with = "model::snapshot::array")]
    kids: [u32; FANOUT],
}

impl Record for Node {
    const NIL: Node = Node { bits: 0, kids: [0; FANOUT] };
}

impl Node {
    #[inline]
    pub fn kid(&self, digit: u64) -> u32 {
        self.kids.get(digit as usize % FANOUT).copied().unwrap_or(0)
    }

    /// Hints the cache at a child.
    #[inline]
    pub fn prefetch(&self, digit: u64) {
        host::prefetch(&self.kids, digit as usize % FANOUT);
    }

    /// Sets a child.
    #[inline]
    pub fn put(&mut self, digit: u64, kid: u32) {
        self.bits |= 1 << (digit % FANOUT as u64);
        if let Some(place) = self.kids.get_mut(digit as usize % FANOUT) {
            *place = kid;
        }
    }

    #[inline]
    pub fn remove(&mut self, digit: u64) {
        self.bits &= !(1 << (digit % FANOUT as u64));
        if let Some(place) = self.kids.get_mut(digit as usize % FANOUT) {
            *place = 0;
        }
    }
}

/// The levels of all books, and the nodes that lead to them.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Levels {
    pub records: Pool<Level>,
    /// By level: the next worse level within the same price step; 0: none, and of a level that is
    /// not in use.
    #[serde(with = "model::snapshot::table")]
    next_in_step: Vec<u32>,
    pub nodes: Pool<Node>,
}

impl Levels {
    pub fn new(levels: u32, nodes: u32) -> Levels {
        let mut next_in_step = vec![0; levels as usize + 1];
        host::prefault(&mut next_in_step);
        Levels { records: Pool::new(levels), next_in_step, nodes: Pool::new(nodes) }
    }

    pub fn release_all(&mut self) {
        self.next_in_step.fill(0);
        self.records.release_all();
        self.nodes.release_all();
    }

    /// A child of a leaf.
    #[inline]
    pub fn guessed(&self, (leaf, digit): (u32, u64)) -> u32 {
        self.nodes.at(leaf).kid(digit)
    }

    /// Hints the cache at a child of a leaf.
    #[inline]
    pub fn prefetch_guess(&self, (leaf, digit): (u32, u64)) {
        self.nodes.at(leaf).prefetch(digit);
    }

    #[inline]
    pub fn next_in_step(&self, level: u32) -> u32 {
        self.next_in_step.get(level as usize).copied().unwrap_or(0)
    }

    pub fn set_next_in_step(&mut self, level: u32, next: u32) {
        if let Some(place) = self.next_in_step.get_mut(level as usize) {
            *place = next;
        }
    }

    /// The level of exactly this price in the list of its step; 0: none.
    #[inline]
    pub fn in_step(&self, first: u32, px: i64) -> u32 {
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
    pub fn last_better_in_step(&self, mut level: u32, px: i64, side: Side) -> u32 {
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
    pub fn take_node(&mut self) -> u32 {
        let node = self.nodes.take().unwrap_or(0);
        *self.nodes.at_mut(node) = Node::NIL;
        node
    }
}

#[inline]
pub(super) const fn is_better(px: i64, than: i64, side: Side) -> bool {
    match side {
        Side::Buy => px > than,
        Side::Sell => px < than,
    }
}
