//! The Merkle tree over all records of a log: its head from O(log n) state, and the proof that one record is in it.
//!
//! The tree is that of RFC 9162 section 2.1 with BLAKE3 in the place of SHA-256: leaves and nodes are hashed under
//! different first bytes, so that no node can pass for a leaf.

use crate::chain::Hash;

/// Most hashes of a path: a tree has fewer than 2^64 leaves.
pub const PATH_MAX: usize = 64;

fn hash(parts: &[&[u8]]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// The hash of a leaf.
pub fn leaf(record: &[u8]) -> Hash {
    hash(&[&[0], record])
}

/// The hash of a node over two others.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    hash(&[&[1], left, right])
}

/// A tree that grows at its end. Keeps one hash for each bit that is set in the number of its leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    count: u64,
    /// Heads of the whole subtrees that the leaves form, the largest first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// A tree of `count` leaves whose whole subtrees have these heads; `None` if their number is not that of such a
    /// tree.
    pub fn from_parts(count: u64, peaks: Vec<Hash>) -> Option<Frontier> {
        (peaks.len() == count.count_ones() as usize).then_some(Frontier { count, peaks })
    }

    /// Leaves.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Heads of the whole subtrees, the largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds a leaf, by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut right = leaf;
        for _ in 0..self.count.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            right = node(&left, &right);
        }
        self.peaks.push(right);
        self.count += 1;
    }

    /// The head of the tree; that of no leaves is the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return hash(&[]) };
        peaks.fold(*last, |right, left| node(left, &right))
    }
}

/// Works out the path of one leaf while all leaves of the tree pass by. Keeps O(log² n) hashes.
#[derive(Clone, Debug)]
pub struct PathFinder {
    index: u64,
    next: u64,
    /// The subtrees beside the way from the leaf to the head, nearest first: where each ends, and what is there so far.
    beside: Vec<(u64, u64, Frontier)>,
}

impl PathFinder {
    /// For leaf `index` of `count`; `None` if there is none.
    pub fn new(index: u64, count: u64) -> Option<PathFinder> {
        if index >= count {
            return None;
        }
        let (mut start, mut end) = (0, count);
        let mut beside = Vec::new();
        while end - start > 1 {
            // The largest power of two below the number of leaves: the left part is whole.
            let split = start + (1 << (end - start - 1).ilog2());
            if index < split {
                beside.push((split, end, Frontier::default()));
                end = split;
            } else {
                beside.push((start, split, Frontier::default()));
                start = split;
            }
        }
        beside.reverse();
        Some(PathFinder { index, next: 0, beside })
    }

    /// The leaf that is looked for.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Takes the next leaf, from the first on.
    pub fn push(&mut self, leaf: Hash) {
        let at = self.next;
        self.next += 1;
        let of = self.beside.iter_mut().find(|(start, end, _)| (*start..*end).contains(&at));
        if let Some((_, _, tree)) = of {
            tree.push(leaf);
        }
    }

    /// The path, when all leaves have passed; `None`: they have not.
    pub fn finish(self) -> Option<Vec<Hash>> {
        let through = |(start, end, tree): &(u64, u64, Frontier)| tree.count() == end - start;
        let whole = self.beside.iter().all(through);
        whole.then(|| self.beside.iter().map(|(_, _, tree)| tree.root()).collect())
    }
}

/// Whether a leaf stands at `index` of the tree of `count` leaves with this head: RFC 9162 section 2.1.3.2.
pub fn is_in(leaf: &Hash, index: u64, count: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= count || path.len() > PATH_MAX {
        return false;
    }
    let (mut place, mut last, mut head) = (index, count - 1, *leaf);
    for beside in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            head = node(beside, &head);
            // A last place that is a left one has nothing beside it until it is a right one, or the first.
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            head = node(&head, beside);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && head == *root
}

#[cfg(test)]
mod tests;
