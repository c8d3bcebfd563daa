//! How what is fixed at start goes through serde: tables as runs of equal items, so that an empty one takes a few bytes
//! whatever its size, and every size from the configuration, never from a file.
//!
//! A field says which it is: `#[serde(with = "model::snapshot::table")]` for a `Vec` that never changes its length,
//! [`reserved`] for one whose capacity was taken at start, [`array`] for an array. Sizes come from an empty twin: writing it
//! within [`Sizes::of`] notes them, in the order of the fields; reading within [`Sizes::within`] takes them back in that
//! order. What was written elsewhere with other sizes is an error, and nothing is ever allocated that the twin did not have.
//! The one exception is [`all_or_none`], whose size stands in the program.

use core::fmt;
use core::marker::PhantomData;
use std::cell::RefCell;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeSeq, Serializer};

thread_local! {
    /// Sizes that are being noted, or the rest of those to be taken; `None`: neither.
    static SIZES: RefCell<Option<Noted>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Noted {
    sizes: Vec<usize>,
    /// How many of them were taken.
    taken: usize,
}

/// The sizes of everything within a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizes(Vec<usize>);

impl Sizes {
    /// Notes the sizes of what `write` serialises.
    pub fn of<T>(write: impl FnOnce() -> T) -> (Sizes, T) {
        SIZES.set(Some(Noted::default()));
        let written = write();
        (Sizes(SIZES.take().unwrap_or_default().sizes), written)
    }

    /// Gives the sizes to what `read` deserialises; whether it took all of them comes second.
    pub fn within<T>(&self, read: impl FnOnce() -> T) -> (T, bool) {
        SIZES.set(Some(Noted { sizes: self.0.clone(), taken: 0 }));
        let value = read();
        let noted = SIZES.take().unwrap_or_default();
        (value, noted.taken == noted.sizes.len())
    }
}

/// Notes a size, if anybody wants to know.
fn note(size: usize) {
    SIZES.with_borrow_mut(|noted| {
        if let Some(noted) = noted {
            noted.sizes.push(size);
        }
    });
}

/// The next size.
fn take<E: Error>() -> Result<usize, E> {
    let next = SIZES.with_borrow_mut(|noted| {
        let noted = noted.as_mut()?;
        noted.taken += 1;
        noted.sizes.get(noted.taken - 1).copied()
    });
    next.ok_or_else(|| E::custom("a table that nothing gives a size"))
}

/// Writes runs of equal items: how many, and the item.
fn write_runs<T: Serialize + PartialEq, S: Serializer>(
    items: &[T],
    to: S,
) -> Result<S::Ok, S::Error> {
    let runs = || items.chunk_by(|a, b| a == b);
    let mut seq = to.serialize_seq(Some(runs().count()))?;
    for run in runs() {
        if let Some(item) = run.first() {
            seq.serialize_element(&(run.len() as u64, item))?;
        }
    }
    seq.end()
}

/// Reads as many items as there must be.
struct Runs<T> {
    len: usize,
    may_be_empty: bool,
    items: PhantomData<T>,
}

impl<'de, T: Deserialize<'de> + Clone> Visitor<'de> for Runs<T> {
    type Value = Vec<T>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "runs of {} items", self.len)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some((count, item)) = from.next_element::<(u64, T)>()? {
            items.reserve_exact(self.len - items.len());
            let room = self.len - items.len();
            let count = usize::try_from(count).ok().filter(|count| *count <= room);
            let count = count.ok_or_else(|| A::Error::custom("more items than the table has"))?;
            items.resize(items.len() + count, item);
        }
        let is_full = items.len() == self.len || items.is_empty() && self.may_be_empty;
        is_full.then_some(items).ok_or_else(|| A::Error::custom("fewer items than the table has"))
    }
}

/// A `Vec` whose length is fixed at start.
pub mod table {
    use super::*;

    /// For serde.
    ///
    /// # Errors
    ///
    /// The serialiser's.
    pub fn serialize<T: Serialize + PartialEq, S: Serializer>(
        items: &[T],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        note(items.len());
        write_runs(items, to)
    }

    /// For serde.
    ///
    /// # Errors
    ///
    /// The deserialiser's, and what is no table of the size that it must have.
    pub fn deserialize<'de, T: Deserialize<'de> + Clone, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<T>, D::Error> {
        from.deserialize_seq(Runs { len: take()?, may_be_empty: false, items: PhantomData })
    }
}

/// A `Vec` that has the length that its field names, or is empty: what came to be needed while the engine ran.
pub mod all_or_none {
    use super::*;

    /// For serde.
    ///
    /// # Errors
    ///
    /// The serialiser's.
    pub fn serialize<T: Serialize + PartialEq, S: Serializer>(
        items: &[T],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        write_runs(items, to)
    }

    /// For serde.
    ///
    /// # Errors
    ///
    /// The deserialiser's, and what is neither empty nor of that length.
    pub fn deserialize<'de, T: Deserialize<'de> + Clone, D: Deserializer<'de>, const LEN: usize>(
        from: D,
    ) -> Result<Vec<T>, D::Error> {
        from.deserialize_seq(Runs { len: LEN, may_be_empty: true, items: PhantomData })
    }
}

/// Several [`table`]s.
pub mod tables {
    use super::*;

    struct Whole<'a, T>(&'a [T]);

    impl<T: Serialize + PartialEq> Serialize for Whole<'_, T> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            table::serialize(self.0, to)
        }
    }

    #[derive(serde::Deserialize)]
    #[serde(bound = "T: Deserialize<'de> + Clone")]
    struct Read<T>(#[serde(with = "table")] Vec<T>);

    /// For serde.
    ///
    /// # Errors
    ///
    /// The serialiser's.
    pub fn serialize<T: Serialize + PartialEq, S: Serializer>(
        tables: &[Vec<T>],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(tables.iter().map(|table| Whole(table)))
    }

    /// For serde.
    ///
    /// # Errors
    ///
    /// The deserialiser's, and what is no table of the size that it must have.
    pub fn deserialize<'de, T: Deserialize<'de> + Clone, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Vec<T>>, D::Error> {
        let read = Vec::<Read<T>>::deserialize(from)?;
        Ok(read.into_iter().map(|Read(table)| table).collect())
    }
}

/// An array of any length.
pub mod array {
    use super::*;

    /// For serde.
    ///
    /// # Errors
    ///
    /// The serialiser's.
    pub fn serialize<T: Serialize + PartialEq, S: Serializer, const N: usize>(
        items: &[T; N],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        write_runs(items, to)
    }

    /// For serde.
    ///
    /// # Errors
    ///
    /// The deserialiser's, and another number of items.
    pub fn deserialize<'de, T: Deserialize<'de> + Clone, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<[T; N], D::Error> {
        let items =
            from.deserialize_seq(Runs { len: N, may_be_empty: false, items: PhantomData })?;
        items.try_into().map_err(|_| D::Error::custom("another number of items"))
    }
}

/// A list that grows within what was reserved at start: a `Vec` or a `VecDeque`.
pub mod reserved {
    use super::*;

    /// A list with room.
    pub trait List: From<Vec<Self::Item>> {
        /// What it holds.
        type Item;

        /// How many it has room for.
        fn room(&self) -> usize;

        /// What it holds, in order.
        fn held(&self) -> impl ExactSizeIterator<Item = &Self::Item>;
    }

    impl<T> List for Vec<T> {
        type Item = T;

        fn room(&self) -> usize {
            self.capacity()
        }

        fn held(&self) -> impl ExactSizeIterator<Item = &T> {
            self.iter()
        }
    }

    impl<T> List for std::collections::VecDeque<T> {
        type Item = T;

        fn room(&self) -> usize {
            self.capacity()
        }

        fn held(&self) -> impl ExactSizeIterator<Item = &T> {
            self.iter()
        }
    }

    /// For serde.
    ///
    /// # Errors
    ///
    /// The serialiser's.
    pub fn serialize<L: List<Item: Serialize>, S: Serializer>(
        list: &L,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        note(list.room());
        to.collect_seq(list.held())
    }

    /// For serde.
    ///
    /// # Errors
    ///
    /// The deserialiser's, and more items than there is room for.
    pub fn deserialize<'de, L: List<Item: Deserialize<'de>>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<L, D::Error> {
        let items = from.deserialize_seq(Items { room: take()?, items: PhantomData })?;
        Ok(L::from(items))
    }

    struct Items<T> {
        room: usize,
        items: PhantomData<T>,
    }

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
        type Value = Vec<T>;

        fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(to, "at most {} items", self.room)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Vec<T>, A::Error> {
            let mut items = Vec::with_capacity(self.room);
            while let Some(item) = from.next_element()? {
                if items.len() == self.room {
                    return Err(A::Error::custom("more items than there is room for"));
                }
                items.push(item);
            }
            // Written to once, so that the memory is there before it is needed.
            items.spare_capacity_mut().fill_with(core::mem::MaybeUninit::zeroed);
            Ok(items)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Held {
        #[serde(with = "table")]
        table: Vec<u64>,
        #[serde(with = "reserved")]
        list: VecDeque<u8>,
        #[serde(with = "tables")]
        tables: Vec<Vec<u16>>,
        #[serde(with = "array")]
        array: [i64; 100],
    }

    fn held(len: usize, room: usize) -> Held {
        let tables = vec![vec![0; len], vec![1; 2]];
        Held { table: vec![0; len], list: VecDeque::with_capacity(room), tables, array: [0; 100] }
    }

    /// Goal: what is held comes back with the room that it had, an empty table takes a few bytes, and what has other sizes is
    /// an error. Method: one of each kind, read by its own sizes and by those of twins with less and more.
    #[test]
    fn sizes_come_from_the_twin() {
        let write = |held: &Held| postcard::to_stdvec(held).unwrap();
        let (sizes, empty) = Sizes::of(|| write(&held(1_000_000, 50)));
        assert!(empty.len() < 40, "{} bytes", empty.len());
        let mut full = held(1_000_000, 50);
        full.table[999_999] = 7;
        (full.array[99], full.tables[0][3]) = (-1, 2);
        full.list.extend(0..50);
        full.list.rotate_left(7);
        let bytes = write(&full);
        let read = |sizes: &Sizes, bytes| sizes.within(|| postcard::from_bytes::<Held>(bytes));
        let (back, took_all) = read(&sizes, &bytes);
        let back = back.unwrap();
        assert!(took_all && back == full && back.list.capacity() == full.list.capacity());
        for (len, room) in [(999_999, 50), (1_000_001, 50), (1_000_000, 49)] {
            let (other, _) = Sizes::of(|| write(&held(len, room)));
            assert!(read(&other, &bytes).0.is_err(), "{len} {room}");
        }
        assert!(postcard::from_bytes::<Held>(&bytes).is_err(), "nothing gives sizes");
    }

    /// Goal: hostile counts are an error before they are memory. Method: a run of 2^60 items, and none at all.
    #[test]
    fn counts_are_bounded() {
        let sizes = Sizes(vec![8, 8, 8, 8]);
        for runs in [vec![(1_u64 << 60, 0_u64)], vec![], vec![(8, 0), (1, 0)]] {
            let bytes = postcard::to_stdvec(&runs).unwrap();
            assert!(sizes.within(|| postcard::from_bytes::<Held>(&bytes)).0.is_err());
        }
    }
}
