//! The prices at which orders of one owner work: the best of each side and instrument at once, whatever
//! ends.
//!
//! A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986) for each side, its nodes in one pool: putting
//! in takes one comparison, taking out O(log n) amortised.

use model::{Px, Side};

/// No node.
pub(crate) const NIL: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Node {
    /// The price as a rank: the smaller, the better for the other side.
    rank: i64,
    child: u32,
    /// The next sibling; of a free node, the next free one.
    next: u32,
    /// The sibling before, or the parent of the first child; [`NIL`] at the top.
    prev: u32,
}

/// All heaps.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct OwnQuotes {
    #[serde(with = "model::snapshot::table")]
    nodes: Vec<Node>,
    free: u32,
}

/// Sells rank by price, buys by its negative. `i64::MIN` has none, but no order of it passes.
fn rank(side: Side, px: Px) -> i64 {
    match side {
        Side::Buy => px.0.saturating_neg(),
        Side::Sell => px.0,
    }
}

impl OwnQuotes {
    /// Room for so many orders; nothing allocates afterwards.
    pub(crate) fn new(capacity: u32) -> OwnQuotes {
        let node = |number: u32| Node {
            rank: 0,
            child: NIL,
            next: if number + 1 < capacity { number + 1 } else { NIL },
            prev: NIL,
        };
        OwnQuotes {
            nodes: (0..capacity).map(node).collect(),
            free: if capacity > 0 { 0 } else { NIL },
        }
    }

    /// Bytes that [`OwnQuotes::new`] takes.
    pub(crate) fn bytes(capacity: u32) -> u64 {
        u64::from(capacity) * size_of::<Node>() as u64
    }

    /// Whether one more order finds room.
    pub(crate) fn has_room(&self) -> bool {
        self.free != NIL
    }

    /// The best price in a heap.
    pub(crate) fn best(&self, root: u32, side: Side) -> Option<Px> {
        self.nodes.get(root as usize).map(|node| match side {
            Side::Buy => Px(-node.rank),
            Side::Sell => Px(node.rank),
        })
    }

    /// Puts a price in; its node, or [`NIL`] without room.
    pub(crate) fn insert(&mut self, root: &mut u32, side: Side, px: Px) -> u32 {
        let place = self.free;
        let Some(node) = self.nodes.get_mut(place as usize) else { return NIL };
        self.free = node.next;
        *node = Node { rank: rank(side, px), child: NIL, next: NIL, prev: NIL };
        *root = self.meld(*root, place);
        place
    }

    /// Takes a node out.
    pub(crate) fn remove(&mut self, root: &mut u32, place: u32) {
        let Some(Node { child, .. }) = self.nodes.get(place as usize) else { return };
        let children = if *child == NIL { NIL } else { self.merge_children(*child) };
        if place == *root {
            *root = children;
        } else {
            self.cut(place);
            *root = self.meld(*root, children);
        }
        if let Some(node) = self.nodes.get_mut(place as usize) {
            *node = Node { rank: 0, child: NIL, next: self.free, prev: NIL };
            self.free = place;
        }
    }

    fn node(&mut self, place: u32) -> Option<&mut Node> {
        self.nodes.get_mut(place as usize)
    }

    fn of(&self, place: u32) -> Node {
        let none = Node { rank: i64::MAX, child: NIL, next: NIL, prev: NIL };
        self.nodes.get(place as usize).copied().unwrap_or(none)
    }

    /// Joins two heaps whose tops have no siblings.
    fn meld(&mut self, a: u32, b: u32) -> u32 {
        if a == NIL || b == NIL {
            return if a == NIL { b } else { a };
        }
        let (top, under) = if self.of(b).rank < self.of(a).rank { (b, a) } else { (a, b) };
        let first = self.of(top).child;
        if let Some(node) = self.node(under) {
            (node.next, node.prev) = (first, top);
        }
        if let Some(node) = self.node(first) {
            node.prev = under;
        }
        if let Some(node) = self.node(top) {
            (node.child, node.next, node.prev) = (under, NIL, NIL);
        }
        top
    }

    /// Takes a node that is not the top out of its row of siblings.
    fn cut(&mut self, place: u32) {
        let Node { next, prev, .. } = self.of(place);
        if let Some(before) = self.node(prev) {
            if before.child == place { before.child = next } else { before.next = next }
        }
        if let Some(after) = self.node(next) {
            after.prev = prev;
        }
    }

    /// Joins a row of siblings in two passes: in pairs from the front, then the pairs from the back.
    fn merge_children(&mut self, first: u32) -> u32 {
        let (mut next, mut pairs) = (first, NIL);
        while next != NIL {
            let (a, b) = (next, self.of(next).next);
            next = self.of(b).next;
            for place in [a, b] {
                if let Some(node) = self.node(place) {
                    (node.next, node.prev) = (NIL, NIL);
                }
            }
            let pair = self.meld(a, b);
            if let Some(node) = self.node(pair) {
                node.next = pairs;
            }
            pairs = pair;
        }
        let mut root = NIL;
        while pairs != NIL {
            let pair = pairs;
            pairs = self.of(pair).next;
            if let Some(node) = self.node(pair) {
                node.next = NIL;
            }
            root = self.meld(root, pair);
        }
        root
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Goal: the best price is that of a sorted list, and no room is lost. Method: random puts and takes
        /// of two heaps in one pool, each against a plain list.
        #[test]
        fn equals_a_sorted_list(ops in prop::collection::vec((any::<bool>(), any::<bool>(), 0_i64..40, any::<usize>()), 1..300)) {
            let mut pool = OwnQuotes::new(24);
            let mut roots = [NIL; 2];
            let mut lists: [Vec<(i64, u32)>; 2] = Default::default();
            for (buys, puts, px, pick) in ops {
                let side = if buys { Side::Buy } else { Side::Sell };
                let (root, list) = (&mut roots[side.index()], &mut lists[side.index()]);
                if puts {
                    let place = pool.insert(root, side, Px(px));
                    if place != NIL {
                        list.push((px, place));
                    }
                } else if !list.is_empty() {
                    let (_, place) = list.swap_remove(pick % list.len());
                    pool.remove(root, place);
                }
                for side in [Side::Buy, Side::Sell] {
                    let prices = lists[side.index()].iter().map(|(px, _)| *px);
                    let best = if side == Side::Buy { prices.max() } else { prices.min() };
                    prop_assert_eq!(pool.best(roots[side.index()], side), best.map(Px));
                }
                let working = lists.iter().map(Vec::len).sum::<usize>();
                prop_assert_eq!(pool.has_room(), working < 24);
            }
        }
    }
}
