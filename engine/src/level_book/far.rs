//! The levels that no window holds: any ranks at all, sorted, in leaves of 64.
//!
//! A side with one leaf has just that; a side with more has a directory of them. Both come from
//! memory that all sides share. A level is found in two binary searches, and put or removed by
//! moving at most a leaf; a leaf that overflows splits, and one that runs low joins a neighbour, so
//! that the leaves of a side stay at least a quarter full on average.

use crate::book::pool::{Pool, Record};

/// Levels of a leaf.
pub(super) const LEAF: usize = 64;
/// Leaves of a directory: at least 16,384 levels a side, and up to 65,536.
pub(super) const LEAVES: usize = 1_024;
/// A leaf of at most so many levels looks for a neighbour to join.
const LOW: usize = 16;
/// Two leaves join if they have no more than so many levels together: room is left for the next.
const JOINED: usize = 48;

/// Levels, best first.
#[derive(Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Leaf {
    len: u32,
    /// Ranks and quantities.
    #[serde(with = "model::snapshot::array")]
    levels: [(u64, i64); LEAF],
}

/// The leaves of a side, best first.
#[derive(Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Directory {
    len: u32,
    #[serde(with = "model::snapshot::array")]
    leaves: [u32; LEAVES],
    /// No level of a leaf is better than this, nor worse than that of the next leaf. The first
    /// bounds nothing.
    #[serde(with = "model::snapshot::array")]
    bounds: [u64; LEAVES],
}

impl Record for Leaf {
    const NIL: Leaf = Leaf { len: 0, levels: [(0, 0); LEAF] };
}

impl Record for Directory {
    const NIL: Directory = Directory { len: 0, leaves: [0; LEAVES], bounds: [0; LEAVES] };
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

    fn levels(&self) -> &[(u64, i64)] {
        self.levels.get(..self.len()).unwrap_or_default()
    }

    /// Where a rank is or would be: at the end, if levels come best first.
    #[inline]
    fn place(&self, rank: u64) -> usize {
        match self.levels() {
            [.., (last, _)] if *last >= rank => {
                self.levels().partition_point(|(other, _)| *other < rank)
            }
            levels => levels.len(),
        }
    }

    #[inline]
    fn at(&self, place: usize) -> Option<(u64, i64)> {
        self.levels().get(place).copied()
    }

    fn insert(&mut self, place: usize, level: (u64, i64)) {
        insert(&mut self.levels, self.len as usize, place, level);
        self.len += 1;
    }

    fn remove(&mut self, place: usize) {
        remove(&mut self.levels, self.len as usize, place);
        self.len -= 1;
    }

    /// The levels from `cut` on, which leave.
    fn split_off(&mut self, cut: usize) -> Leaf {
        let mut tail = *self;
        tail.levels.copy_within(cut.min(LEAF).., 0);
        tail.len = self.len.saturating_sub(cut as u32);
        self.len -= tail.len;
        tail
    }

    /// Adds worse levels behind its own. The caller has seen to the room.
    fn append(&mut self, tail: &Leaf) {
        for level in tail.levels() {
            self.insert(self.len(), *level);
        }
    }

    /// Keeps what `keep` says, in order.
    fn retain(&mut self, mut keep: impl FnMut(u64, i64) -> bool) {
        let all = *self;
        self.len = 0;
        for level in all.levels().iter().filter(|(rank, qty)| keep(*rank, *qty)) {
            self.insert(self.len(), *level);
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
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Shelves {
    leaves: Pool<Leaf>,
    directories: Pool<Directory>,
}

impl Shelves {
    /// Bytes of a leaf, and of a directory.
    pub const LEAF_BYTES: usize = size_of::<Leaf>();
    pub const DIRECTORY_BYTES: usize = size_of::<Directory>();

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
#[derive(Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
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
        let number = self.leaf_at(shelves, at);
        let leaf = shelves.leaves.at_mut(number);
        let place = leaf.place(rank);
        match leaf.at(place) {
            Some((found, before)) if found == rank => {
                if qty == 0 {
                    self.remove(shelves, [at, number as usize, place], rank);
                } else if let Some(level) = leaf.levels.get_mut(place) {
                    level.1 = qty;
                }
                return Some(before);
            }
            _ if qty == 0 => return Some(0),
            _ if number == 0 => {
                self.leaf = shelves.leaves.take()?;
                let fresh = shelves.leaves.at_mut(self.leaf);
                fresh.len = 0;
                fresh.insert(0, (rank, qty));
            }
            _ if leaf.len() < LEAF => leaf.insert(place, (rank, qty)),
            _ => {
                let (number, place) = self.split(shelves, at, rank)?;
                shelves.leaves.at_mut(number).insert(place, (rank, qty));
            }
        }
        self.best = if self.count == 0 { rank } else { self.best.min(rank) };
        self.count += 1;
        Some(0)
    }

    /// Takes the level of a rank out of its leaf.
    fn remove(&mut self, shelves: &mut Shelves, [at, number, place]: [usize; 3], rank: u64) {
        let leaf = shelves.leaves.at_mut(number as u32);
        leaf.remove(place);
        self.count -= 1;
        if leaf.len() <= LOW {
            self.settle(shelves, at);
        }
        self.find_best(shelves, rank);
    }

    /// Makes room for a rank beside a full leaf: half of it moves, or, behind the last level,
    /// nothing, so that levels that come best first fill their leaves. The leaf that the rank belongs
    /// to now, and the place; `None`: no room.
    #[cold]
    fn split(&mut self, shelves: &mut Shelves, at: usize, rank: u64) -> Option<(u32, usize)> {
        let len = self.leaves(shelves);
        if len >= LEAVES || shelves.leaves.room() == 0 {
            return None;
        }
        if self.directory == 0 {
            let directory = shelves.directories.take()?;
            let record = shelves.directories.at_mut(directory);
            record.len = 0;
            record.insert(0, self.leaf, 0);
            (self.directory, self.leaf) = (directory, 0);
        }
        let fresh = shelves.leaves.take()?;
        let number = self.leaf_at(shelves, at);
        let full = shelves.leaves.at_mut(number);
        let is_behind = at + 1 == len && full.place(rank) == LEAF;
        let tail = full.split_off(if is_behind { LEAF } else { LEAF / 2 });
        let bound = tail.at(0).map_or(rank, |(rank, _)| rank);
        *shelves.leaves.at_mut(fresh) = tail;
        shelves.directories.at_mut(self.directory).insert(at + 1, fresh, bound);
        let number = if rank < bound { number } else { fresh };
        Some((number, shelves.leaves.at(number).place(rank)))
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

    /// Whether `count` more levels from one rank to another fit, as far as can be told without
    /// trying: each leaf in between may have to split once, and again for every half leaf that joins.
    pub fn has_room(&self, shelves: &Shelves, [from, to]: [u64; 2], count: u32) -> bool {
        let between = self.locate(shelves, to) + 1 - self.locate(shelves, from);
        let splits = between.min(count as usize) + 1 + count as usize / (LEAF / 2);
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
        match directory.bounds.get(1..directory.len()).unwrap_or_default() {
            bounds @ [.., last] if *last > rank => bounds.partition_point(|bound| *bound <= rank),
            bounds => bounds.len(),
        }
    }

    /// Every level, best first.
    pub fn walk<'a>(&'a self, shelves: &'a Shelves) -> impl Iterator<Item = (u64, i64)> + 'a {
        (0..self.leaves(shelves)).flat_map(|at| {
            let leaf = shelves.leaves.at(self.leaf_at(shelves, at));
            leaf.levels().iter().copied()
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
            assert!(leaf.levels().iter().all(|(rank, _)| self.locate(shelves, *rank) == at));
        }
        (leaves, usize::from(self.directory != 0))
    }
}
