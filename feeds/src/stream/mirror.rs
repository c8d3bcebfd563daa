//! A small copy of a venue's book, kept where the venue's own rules need one: its checksum, and what falls off its depth.

use std::collections::VecDeque;

use model::{Px, Qty, Side};

/// A side has no room for another level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for another level")]
pub struct Full;

/// One side of a book, best level first. Never allocates after [`Ladder::new`].
///
/// Most changes come near the best price: a deque moves the shorter end, so that they cost little and the worst
/// level falls off for nothing.
#[derive(Debug)]
pub struct Ladder {
    side: Side,
    room: usize,
    levels: VecDeque<(Px, Qty)>,
}

impl Ladder {
    /// An empty side with room for `room` levels.
    pub fn new(side: Side, room: usize) -> Ladder {
        Ladder { side, room, levels: VecDeque::with_capacity(room) }
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.levels.clear();
    }

    /// Sets the total at a price; zero removes it, and removing what is not there is nothing.
    ///
    /// # Errors
    ///
    /// [`Full`] if the level is new and there is no room; nothing has changed then.
    pub fn set(&mut self, px: Px, qty: Qty) -> Result<(), Full> {
        match (self.find(px), qty) {
            (Ok(at), Qty(0)) => {
                self.levels.remove(at);
            }
            (Ok(at), _) => {
                if let Some(level) = self.levels.get_mut(at) {
                    level.1 = qty;
                }
            }
            (Err(_), Qty(0)) => {}
            (Err(_), _) if self.levels.len() >= self.room => return Err(Full),
            (Err(at), _) => self.levels.insert(at, (px, qty)),
        }
        Ok(())
    }

    fn find(&self, px: Px) -> Result<usize, usize> {
        match self.side {
            Side::Buy => self.levels.binary_search_by(|level| px.cmp(&level.0)),
            Side::Sell => self.levels.binary_search_by(|level| level.0.cmp(&px)),
        }
    }

    /// Takes the worst level off if there are more than `depth`.
    pub fn pop_beyond(&mut self, depth: usize) -> Option<(Px, Qty)> {
        if self.levels.len() > depth { self.levels.pop_back() } else { None }
    }

    /// The best level.
    pub fn best(&self) -> Option<(Px, Qty)> {
        self.levels.front().copied()
    }

    /// The levels, best first.
    pub fn iter(&self) -> impl Iterator<Item = (Px, Qty)> {
        self.levels.iter().copied()
    }

    /// How many levels.
    pub fn len(&self) -> usize {
        self.levels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }
}

/// Both sides of one symbol.
#[derive(Debug)]
pub struct Mirror {
    /// The buy side, highest price first.
    pub bids: Ladder,
    /// The sell side, lowest price first.
    pub asks: Ladder,
}

impl Mirror {
    /// An empty book with room for `room` levels a side.
    pub fn new(room: usize) -> Mirror {
        Mirror { bids: Ladder::new(Side::Buy, room), asks: Ladder::new(Side::Sell, room) }
    }

    /// Sets the levels of a message, each side in its order.
    ///
    /// # Errors
    ///
    /// [`Full`]: more levels than there is room for; the rest of the message is not set.
    pub fn set_all(
        &mut self,
        bids: impl Iterator<Item = (Px, Qty)>,
        asks: impl Iterator<Item = (Px, Qty)>,
    ) -> Result<(), Full> {
        for (px, qty) in bids {
            self.bids.set(px, qty)?;
        }
        for (px, qty) in asks {
            self.asks.set(px, qty)?;
        }
        Ok(())
    }

    /// Empties both sides.
    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Goal: the edges of one side. Method: an absent delete, a full side, the depth.
    #[test]
    fn edges() {
        let mut ladder = Ladder::new(Side::Sell, 2);
        assert_eq!((ladder.best(), ladder.set(Px(5), Qty(0))), (None, Ok(())));
        assert!(ladder.is_empty());
        assert_eq!(ladder.set(Px(5), Qty(1)), Ok(()));
        assert_eq!(ladder.set(Px(4), Qty(1)), Ok(()));
        assert_eq!(ladder.set(Px(6), Qty(1)), Err(Full));
        assert_eq!(ladder.set(Px(5), Qty(9)), Ok(()), "an old level needs no room");
        assert_eq!((ladder.pop_beyond(2), ladder.pop_beyond(1)), (None, Some((Px(5), Qty(9)))));
        assert_eq!((ladder.best(), ladder.len()), (Some((Px(4), Qty(1))), 1));
    }

    proptest! {
        /// Goal: a side is a sorted map cut at its depth. Method: random changes against `BTreeMap`.
        #[test]
        fn same_as_a_map(
            buy in any::<bool>(),
            depth in 1_usize..12,
            steps in prop::collection::vec((0_i64..24, 0_i64..4, any::<bool>()), 0..200),
        ) {
            let side = if buy { Side::Buy } else { Side::Sell };
            let mut ladder = Ladder::new(side, 24);
            let mut map = BTreeMap::new();
            let key = |px: i64| if buy { -px } else { px };
            for (px, qty, cut) in steps {
                prop_assert_eq!(ladder.set(Px(px), Qty(qty)), Ok(()));
                if qty == 0 { map.remove(&key(px)); } else { map.insert(key(px), qty); }
                while cut && map.len() > depth {
                    let (px, qty) = map.pop_last().unwrap();
                    prop_assert_eq!(ladder.pop_beyond(depth), Some((Px(key(px)), Qty(qty))));
                }
                prop_assert_eq!(cut.then(|| ladder.pop_beyond(depth)).flatten(), None);
                let levels: Vec<_> = map.iter().map(|(px, qty)| (Px(key(*px)), Qty(*qty))).collect();
                prop_assert_eq!(ladder.best(), levels.first().copied());
                prop_assert_eq!(ladder.iter().collect::<Vec<_>>(), levels);
            }
        }
    }
}
