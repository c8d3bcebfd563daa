//! The levels that no window holds: any ranks at all, sorted, in leaves of 64.
//!
//! A side with one leaf has just that; a side with more has a directory of them. Both come from
//! memory that all sides share. A level is found in two binary searches, and put or removed by
//! moving at most a leaf; a leaf that overflows splits, and one that runs low joins a neighbour, so
//! that the leaves of a side stay at least a quarter full on average.

use crate::book::pool::{Pool, Record};

/// Levels of a leaf.
pub(super) const LEAF: usize = 64;
/// Leaves of a directory: at least 8,192 levels a side, and up to 32,768.
pub(super) const LEAVES: usize = 512;
/// A leaf of at most so many levels looks for a neighbour to join.
const LOW: usize = 16;
/// Two leaves join if they have no more than so many levels together: room is left for the next.
const JOINED: usize = 48;

/// Levels, best first.
#[derive(Clone, Copy)]
pub(super) struct Leaf {
    len: u32,
    ranks: [u64; LEAF],
    qty: [i64; LEAF],
}

/// The leaves of a side, best first.
#[derive(Clone, Copy)]
pub(super) struct Directory {
    len: u32,
    leaves: [u32; LEAVES],
    /// No level of a leaf is better than this, nor worse than that of the next leaf. The first
    /// bounds nothing.
    bounds: [u64; LEAVES],
}

impl Record for Leaf {
    const NIL: Leaf = Leaf { len: 0, ranks: [0; LEAF], qty: [0; LEAF] };

    fn link(&mut self) -> &mut u32 {
        &mut self.len
    }
}

impl Record for Directory {
    const NIL: Directory = Directory { len: 0, leaves: [0; LEAVES], bounds: [0; LEAVES] };

    fn link(&mut self) -> &mut u32 {
        &mut self.len
    }
}

/// Puts an item into the first `len` of a list, which has room for it.
fn insert<T: Copy, const N: usize>(list: &mut [T; N], len: usize, at: usize, item: T) {
    if at <= len && len < N {
        list.copy_within(at..len, at + 1);
        if let Some(place) = list.get_mut(at) {
            *place = item;
        }
    }
}

/// Takes an item out of the first `len` of a list.
fn remove<T: Copy, const N: usize>(list: &mut [T; N], len: usize, at: usize) {
    if at < len && len <= N {
        list.copy_within(at + 1..len, at);
    }
}

impl Leaf {
    fn len(&self) -> usize {
        self.len as usize
    }

    fn ranks(&self) -> &[u64] {
        self.ranks.get(..self.len()).unwrap_or_default()
    }

    /// Where a rank is or would be.
    #[inline]
    fn place(&self, rank: u64) -> usize {
        self.ranks().partition_point(|other| *other < rank)
    }

    #[inline]
    fn at(&self, place: usize) -> Option<(u64, i64)> {
        Some((*self.ranks().get(place)?, *self.qty.get(place)?))
    }

    fn insert(&mut self, place: usize, rank: u64, qty: i64) {
        let len = self.len();
        insert(&mut self.ranks, len, place, rank);
        insert(&mut self.qty, len, place, qty);
        self.len += 1;
    }

    fn remove(&mut self, place: usize) {
        let len = self.len();
        remove(&mut self.ranks, len, place);
        remove(&mut self.qty, len, place);
        self.len -= 1;
    }

    /// The levels from `cut` on, which leave.
    fn split_off(&mut self, cut: usize) -> Leaf {
        let mut tail = *self;
        tail.ranks.copy_within(cut.min(LEAF).., 0);
        tail.qty.copy_within(cut.min(LEAF).., 0);
        tail.len = self.len.saturating_sub(cut as u32);
        self.len -= tail.len;
        tail
    }

    /// Adds worse levels behind its own. The caller has seen to the room.
    fn append(&mut self, tail: &Leaf) {
        for place in 0..tail.len() {
            if let Some((rank, qty)) = tail.at(place) {
                self.insert(self.len(), rank, qty);
            }
        }
    }

    /// Keeps what `keep` says, in order.
    fn retain(&mut self, mut keep: impl FnMut(u64, i64) -> bool) {
        let all = *self;
        self.len = 0;
        for place in 0..all.len() {
            if let Some((rank, qty)) = all.at(place)
                && keep(rank, qty)
            {
                self.insert(self.len(), rank, qty);
            }
        }
    }
}

impl Directory {
    fn len(&self) -> usize {
        self.len as usize
    }

    fn insert(&mut self, at: usize, leaf: u32, bound: u64) {
        let len = self.len();
        insert(&mut self.leaves, len, at, leaf);
        insert(&mut self.bounds, len, at, bound);
        self.len += 1;
    }

    fn remove(&mut self, at: usize) {
        let len = self.len();
        remove(&mut self.leaves, len, at);
        remove(&mut self.bounds, len, at);
        self.len -= 1;
    }
}

/// Leaves and directories of all sides.
pub(super) struct Shelves {
    leaves: Pool<Leaf>,
    directories: Pool<Directory>,
}

impl Shelves {
    /// Takes the memory.
    pub fn new(leaves: u32, directories: u32) -> Shelves {
        Shelves { leaves: Pool::new(leaves), directories: Pool::new(directories) }
    }

    #[cfg(test)]
    pub fn used(&self) -> (usize, usize) {
        (self.leaves.used(), self.directories.used())
    }
}

/// The far levels of one side.
#[derive(Clone, Copy)]
pub(super) struct Far {
    /// 0: there is at most one leaf.
    directory: u32,
    /// The only leaf; 0: there is none, or a directory.
    leaf: u32,
    /// Levels.
    pub count: u32,
    /// The best rank, if there are levels.
    pub best: u64,
}

impl Far {
    pub const EMPTY: Far = Far { directory: 0, leaf: 0, count: 0, best: 0 };

    /// The quantity of a rank; 0: no level.
    pub fn get(&self, shelves: &Shelves, rank: u64) -> i64 {
        let leaf = shelves.leaves.at(self.leaf_at(shelves, self.locate(shelves, rank)));
        let level = leaf.at(leaf.place(rank));
        level.map_or(0, |(found, qty)| if found == rank { qty } else { 0 })
    }

    /// Sets the quantity of a rank, 0 removes it. The quantity before; `None`: no room.
    #[inline(never)]
    pub fn put(&mut self, shelves: &mut Shelves, rank: u64, qty: i64) -> Option<i64> {
        let at = self.locate(shelves, rank);
        let leaf = shelves.leaves.at_mut(self.leaf_at(shelves, at));
        let place = leaf.place(rank);
        match leaf.at(place) {
            Some((found, before)) if found == rank => {
                if qty == 0 {
                    leaf.remove(place);
                    self.count -= 1;
                    if leaf.len() <= LOW {
                        self.settle(shelves, at);
                    }
                    self.find_best(shelves, rank);
                } else if let Some(held) = leaf.qty.get_mut(place) {
                    *held = qty;
                }
                Some(before)
            }
            _ if qty == 0 => Some(0),
            _ => self.insert(shelves, rank, qty).then_some(0),
        }
    }

    /// Adds a level that is not there; `false`: no room.
    fn insert(&mut self, shelves: &mut Shelves, rank: u64, qty: i64) -> bool {
        let mut at = self.locate(shelves, rank);
        let mut number = self.leaf_at(shelves, at);
        if number == 0 {
            let Some(fresh) = shelves.leaves.take() else { return false };
            shelves.leaves.at_mut(fresh).len = 0;
            (self.leaf, number) = (fresh, fresh);
        } else if shelves.leaves.at(number).len() == LEAF {
            if !self.split(shelves, at, rank) {
                return false;
            }
            at = self.locate(shelves, rank);
            number = self.leaf_at(shelves, at);
        }
        let leaf = shelves.leaves.at_mut(number);
        leaf.insert(leaf.place(rank), rank, qty);
        self.best = if self.count == 0 { rank } else { self.best.min(rank) };
        self.count += 1;
        true
    }

    /// Makes room for a rank beside a full leaf: half of it moves, or, behind the last level,
    /// nothing, so that levels that come best first fill their leaves. `false`: no room.
    fn split(&mut self, shelves: &mut Shelves, at: usize, rank: u64) -> bool {
        let len = self.leaves(shelves);
        if len >= LEAVES || shelves.leaves.room() == 0 {
            return false;
        }
        if self.directory == 0 {
            let Some(directory) = shelves.directories.take() else { return false };
            let record = shelves.directories.at_mut(directory);
            record.len = 0;
            record.insert(0, self.leaf, 0);
            (self.directory, self.leaf) = (directory, 0);
        }
        let Some(fresh) = shelves.leaves.take() else { return false };
        let full = shelves.leaves.at_mut(self.leaf_at(shelves, at));
        let is_behind = at + 1 == len && full.place(rank) == LEAF;
        let tail = full.split_off(if is_behind { LEAF } else { LEAF / 2 });
        let bound = tail.at(0).map_or(rank, |(rank, _)| rank);
        *shelves.leaves.at_mut(fresh) = tail;
        shelves.directories.at_mut(self.directory).insert(at + 1, fresh, bound);
        true
    }

    /// Gives back a leaf that is empty, or lets one that is low join a neighbour.
    fn settle(&mut self, shelves: &mut Shelves, at: usize) {
        let number = self.leaf_at(shelves, at);
        let leaf = *shelves.leaves.at(number);
        if leaf.len == 0 {
            self.drop_leaf(shelves, at);
            return;
        }
        if self.directory == 0 {
            return;
        }
        for left in [Some(at), at.checked_sub(1)].into_iter().flatten() {
            let (head, tail) = (self.leaf_at(shelves, left), self.leaf_at(shelves, left + 1));
            let joined = shelves.leaves.at(head).len() + shelves.leaves.at(tail).len();
            if tail != 0 && joined <= JOINED {
                let worse = *shelves.leaves.at(tail);
                shelves.leaves.at_mut(head).append(&worse);
                self.drop_leaf(shelves, left + 1);
                return;
            }
        }
    }

    fn drop_leaf(&mut self, shelves: &mut Shelves, at: usize) {
        shelves.leaves.release(self.leaf_at(shelves, at));
        if self.directory == 0 {
            self.leaf = 0;
            return;
        }
        let directory = shelves.directories.at_mut(self.directory);
        directory.remove(at);
        if directory.len() <= 1 {
            let [only, ..] = directory.leaves;
            self.leaf = if directory.len == 0 { 0 } else { only };
            shelves.directories.release(self.directory);
            self.directory = 0;
        }
    }

    /// The worst level's rank.
    pub fn last(&self, shelves: &Shelves) -> Option<u64> {
        let leaf = shelves.leaves.at(self.leaf_at(shelves, self.leaves(shelves).checked_sub(1)?));
        leaf.ranks().last().copied()
    }

    /// Takes out the levels from one rank to another that `keep` does not keep.
    pub fn sift(
        &mut self,
        shelves: &mut Shelves,
        [from, to]: [u64; 2],
        mut keep: impl FnMut(u64, i64) -> bool,
    ) {
        let leaves = self.locate(shelves, from)..=self.locate(shelves, to);
        for at in leaves.clone() {
            let leaf = shelves.leaves.at_mut(self.leaf_at(shelves, at));
            let before = leaf.len;
            leaf.retain(|rank, qty| rank < from || rank > to || keep(rank, qty));
            self.count -= before - leaf.len;
        }
        for at in leaves.rev() {
            let number = self.leaf_at(shelves, at);
            if number != 0 && shelves.leaves.at(number).len() <= LOW {
                self.settle(shelves, at);
            }
        }
        self.find_best(shelves, self.best);
    }

    /// Whether `count` more levels fit, wherever they lie, as far as can be told without trying:
    /// each leaf there is may have to split once, and again for every half leaf that joins.
    pub fn has_room(&self, shelves: &Shelves, count: u32) -> bool {
        let splits = self.leaves(shelves).min(count as usize) + 1 + count as usize / (LEAF / 2);
        shelves.leaves.room() >= splits
            && self.leaves(shelves) + splits <= LEAVES
            && (self.directory != 0 || shelves.directories.room() > 0)
    }

    /// Gives everything back.
    pub fn clear(&mut self, shelves: &mut Shelves) {
        for at in 0..self.leaves(shelves) {
            shelves.leaves.release(self.leaf_at(shelves, at));
        }
        if self.directory != 0 {
            shelves.directories.release(self.directory);
        }
        *self = Far::EMPTY;
    }

    /// Sees to the best rank after `gone` left.
    fn find_best(&mut self, shelves: &Shelves, gone: u64) {
        if gone == self.best {
            let leaf = shelves.leaves.at(self.leaf_at(shelves, 0));
            self.best = leaf.at(0).map_or(0, |(rank, _)| rank);
        }
    }

    fn leaves(&self, shelves: &Shelves) -> usize {
        match self.directory {
            0 => usize::from(self.leaf != 0),
            directory => shelves.directories.at(directory).len(),
        }
    }

    /// A leaf by its place; 0: there is none.
    #[inline]
    fn leaf_at(&self, shelves: &Shelves, at: usize) -> u32 {
        if self.directory == 0 {
            return if at == 0 { self.leaf } else { 0 };
        }
        let directory = shelves.directories.at(self.directory);
        if at < directory.len() { directory.leaves.get(at).copied().unwrap_or(0) } else { 0 }
    }

    /// The place of the leaf where a rank is or would be.
    #[inline]
    fn locate(&self, shelves: &Shelves, rank: u64) -> usize {
        if self.directory == 0 {
            return 0;
        }
        let directory = shelves.directories.at(self.directory);
        let bounds = directory.bounds.get(1..directory.len()).unwrap_or_default();
        bounds.partition_point(|bound| *bound <= rank)
    }

    /// Every level, best first.
    pub fn walk<'a>(&'a self, shelves: &'a Shelves) -> impl Iterator<Item = (u64, i64)> + 'a {
        (0..self.leaves(shelves)).flat_map(|at| {
            let leaf = shelves.leaves.at(self.leaf_at(shelves, at));
            (0..leaf.len()).map_while(|place| leaf.at(place))
        })
    }
}

#[cfg(test)]
impl Far {
    /// Panics unless the levels are sorted and within the bounds of their leaves. Returns the
    /// numbers of leaves and directories.
    pub fn audit(&self, shelves: &Shelves) -> (usize, usize) {
        let levels: Vec<_> = self.walk(shelves).collect();
        assert!(levels.is_sorted_by(|(a, _), (b, _)| a < b));
        assert!(levels.iter().all(|(_, qty)| *qty > 0));
        assert_eq!(levels.len(), self.count as usize);
        assert!(self.count == 0 || self.best == levels[0].0);
        let leaves = self.leaves(shelves);
        assert!(self.directory == 0 || leaves > 1);
        for at in 0..leaves {
            let leaf = shelves.leaves.at(self.leaf_at(shelves, at));
            assert!(leaf.len > 0);
            assert!(leaf.ranks().iter().all(|rank| self.locate(shelves, *rank) == at));
        }
        (leaves, usize::from(self.directory != 0))
    }
}
