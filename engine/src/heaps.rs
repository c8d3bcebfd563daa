//! Which order of ours is next: pairing heaps (Fredman, Sedgewick, Sleator, Tarjan 1986) through one slot for each order.
//!
//! Putting in takes one comparison, taking out O(log n) amortised. Of equal keys the one that came first is first. Nothing
//! allocates after the start.

use model::OrderId;

/// No slot.
const NIL: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize, PartialEq)]
struct Node {
    order: OrderId,
    /// The smaller, the earlier; then by number.
    key: (i64, u64),
    heap: u32,
    child: u32,
    /// The next sibling.
    next: u32,
    /// The sibling before, or the parent of the first child; [`NIL`] at the top.
    prev: u32,
}

/// Heaps that share the slots of the orders; an order is in one of them at most.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Heaps {
    #[serde(with = "model::snapshot::table")]
    nodes: Vec<Option<Node>>,
    #[serde(with = "model::snapshot::table")]
    tops: Vec<u32>,
    inserted: u64,
}

impl Heaps {
    /// So many heaps for orders in `slots` slots.
    pub fn new(heaps: usize, slots: usize) -> Heaps {
        Heaps { nodes: vec![None; slots], tops: vec![NIL; heaps], inserted: 0 }
    }

    /// Bytes that [`Heaps::new`] takes.
    pub fn bytes(heaps: u64, slots: u64) -> u64 {
        heaps * size_of::<u32>() as u64 + slots * size_of::<Option<Node>>() as u64
    }

    /// Whether a heap is empty.
    #[inline]
    pub fn is_empty(&self, heap: usize) -> bool {
        self.top(heap) == NIL
    }

    /// The order with the smallest key, and that.
    pub fn first(&self, heap: usize) -> Option<(OrderId, i64)> {
        self.node(self.top(heap)).map(|node| (node.order, node.key.0))
    }

    /// Puts an order in, once.
    pub fn insert(&mut self, heap: usize, order: OrderId, key: i64) {
        self.remove(order);
        let (slot, top) = (order.slot() as u32, self.top(heap));
        let key = (key, self.inserted);
        let node = Node { order, key, heap: heap as u32, child: NIL, next: NIL, prev: NIL };
        let Some(place) = self.nodes.get_mut(order.slot()) else { return };
        *place = Some(node);
        self.inserted += 1;
        let top = self.meld(top, slot);
        self.set_top(heap, top);
    }

    /// Takes an order out, if it is in.
    pub fn remove(&mut self, order: OrderId) {
        let slot = order.slot() as u32;
        let Some(node) = self.node(slot).filter(|node| node.order == order) else { return };
        let heap = node.heap as usize;
        let children = self.merge_children(node.child);
        let mut top = self.top(heap);
        if top == slot {
            top = children;
        } else {
            self.cut(node);
            top = self.meld(top, children);
        }
        self.set_top(heap, top);
        if let Some(place) = self.nodes.get_mut(order.slot()) {
            *place = None;
        }
    }

    /// Every order that is in, by slot, with its heap and key.
    pub fn iter(&self) -> impl Iterator<Item = (u32, OrderId, (i64, u64))> {
        self.nodes.iter().flatten().map(|node| (node.heap, node.order, node.key))
    }

    fn top(&self, heap: usize) -> u32 {
        self.tops.get(heap).copied().unwrap_or(NIL)
    }

    fn set_top(&mut self, heap: usize, top: u32) {
        if let Some(place) = self.tops.get_mut(heap) {
            *place = top;
        }
        self.change(top, |node| (node.next, node.prev) = (NIL, NIL));
    }

    fn node(&self, slot: u32) -> Option<Node> {
        *self.nodes.get(slot as usize)?
    }

    fn change(&mut self, slot: u32, change: impl FnOnce(&mut Node)) {
        if let Some(Some(node)) = self.nodes.get_mut(slot as usize) {
            change(node);
        }
    }

    /// Joins two heaps whose tops have no siblings.
    fn meld(&mut self, a: u32, b: u32) -> u32 {
        let (Some(first), Some(second)) = (self.node(a), self.node(b)) else {
            return if a == NIL { b } else { a };
        };
        let (top, under) = if second.key < first.key { (b, a) } else { (a, b) };
        let child = if top == b { second.child } else { first.child };
        self.change(under, |node| (node.next, node.prev) = (child, top));
        self.change(child, |node| node.prev = under);
        self.change(top, |node| (node.child, node.next, node.prev) = (under, NIL, NIL));
        top
    }

    /// Takes a node that is not the top out of its row of siblings.
    fn cut(&mut self, node: Node) {
        let (slot, next) = (node.order.slot() as u32, node.next);
        self.change(node.prev, |before| {
            if before.child == slot { before.child = next } else { before.next = next }
        });
        self.change(next, |after| after.prev = node.prev);
    }

    /// Joins a row of siblings in two passes: in pairs from the front, then the pairs from the back.
    fn merge_children(&mut self, first: u32) -> u32 {
        let (mut next, mut pairs) = (first, NIL);
        let after = |heaps: &Heaps, slot| heaps.node(slot).map_or(NIL, |node| node.next);
        while next != NIL {
            let (a, b) = (next, after(self, next));
            next = after(self, b);
            for slot in [a, b] {
                self.change(slot, |node| (node.next, node.prev) = (NIL, NIL));
            }
            let pair = self.meld(a, b);
            self.change(pair, |node| node.next = pairs);
            pairs = pair;
        }
        let mut top = NIL;
        while pairs != NIL {
            let pair = pairs;
            pairs = after(self, pair);
            self.change(pair, |node| node.next = NIL);
            top = self.meld(top, pair);
        }
        top
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Goal: the first of each heap is that of a sorted list, ties by age. Method: random puts, moves and takes
        /// of three heaps in one table, against plain lists.
        #[test]
        fn equals_sorted_lists(ops in prop::collection::vec((0_usize..3, 0_u32..20, -4_i64..4, any::<bool>()), 1..300)) {
            let mut heaps = Heaps::new(3, 20);
            let mut lists: Vec<(usize, i64, usize, OrderId)> = Vec::new();
            for (number, (heap, slot, key, puts)) in ops.into_iter().enumerate() {
                let order = OrderId::new(slot, 1);
                lists.retain(|(.., of)| *of != order);
                if puts {
                    heaps.insert(heap, order, key);
                    lists.push((heap, key, number, order));
                } else {
                    heaps.remove(OrderId::new(slot, 2));
                    heaps.remove(order);
                }
                for heap in 0..3 {
                    let of_heap = lists.iter().filter(|(of, ..)| *of == heap);
                    let first = of_heap.min().map(|(_, key, _, order)| (*order, *key));
                    prop_assert_eq!(heaps.first(heap), first);
                    prop_assert_eq!(heaps.is_empty(heap), first.is_none());
                }
                prop_assert_eq!(heaps.iter().count(), lists.len());
            }
        }
    }
}
