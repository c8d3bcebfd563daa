use std::collections::BTreeMap;

use model::snapshot::Sizes;
use proptest::prelude::*;

use super::*;

const ROOM: u32 = 12;
const FEEDS: usize = 2;

/// What the venues' directories say, kept in the plainest way.
#[derive(Default)]
struct Naive {
    list: Vec<(FeedId, Symbol)>,
    by_number: BTreeMap<(FeedId, VenueNumber), u32>,
}

impl Naive {
    fn list(&mut self, feed: FeedId, symbol: Symbol, number: VenueNumber) -> Option<u32> {
        if usize::from(feed.0) >= FEEDS || number.0 as usize >= NUMBERS {
            return None;
        }
        let known = self.list.iter().position(|listed| *listed == (feed, symbol));
        let id = known.unwrap_or(self.list.len()) as u32;
        if known.is_none() && id == ROOM {
            return None;
        }
        if known.is_none() {
            self.list.push((feed, symbol));
        }
        self.by_number.retain(|_, listed| *listed != id);
        self.by_number.insert((feed, number), id);
        Some(id)
    }
}

/// One thing that a feed says.
#[derive(Clone, Copy, Debug)]
enum Said {
    List(FeedId, Symbol, VenueNumber),
    NewDay(FeedId),
    /// The engine stops and goes on from its snapshot.
    Restart,
}

fn said() -> impl Strategy<Value = Said> {
    let symbol = (0..10_u8).prop_map(|n| Symbol::new(&format!("S{n}")).unwrap());
    let number = prop_oneof![9 => 0..8_u32, 1 => Just(NUMBERS as u32)].prop_map(VenueNumber);
    let feed = || (0..=FEEDS as u8).prop_map(FeedId);
    prop_oneof![
        12 => (feed(), symbol, number).prop_map(|(feed, symbol, number)| Said::List(feed, symbol, number)),
        1 => feed().prop_map(Said::NewDay),
        1 => Just(Said::Restart),
    ]
}

fn restarted(instruments: &Instruments) -> Instruments {
    let (sizes, _) = Sizes::of(|| postcard::to_stdvec(&Instruments::new(ROOM, FEEDS)).unwrap());
    let bytes = postcard::to_stdvec(instruments).unwrap();
    let (read, took_all) = sizes.within(|| postcard::from_bytes(&bytes).unwrap());
    assert!(took_all);
    read
}

proptest! {
    /// Goal: an instrument keeps its number, whatever number the venue gives it and whatever restarts, and the tables never
    /// grow. Method: days of directories, more symbols than there is room for, against a list that is looked through.
    #[test]
    fn listings_equal_a_list_that_is_looked_through(said in prop::collection::vec(said(), 1..80)) {
        let mut instruments = Instruments::new(ROOM, FEEDS);
        let (mut naive, room) = (Naive::default(), instruments.list.by_symbol.capacity());
        for said in said {
            match said {
                Said::List(feed, symbol, number) => prop_assert_eq!(
                    instruments.list(feed, symbol, number, [4, 0], Ts(1)),
                    naive.list(feed, symbol, number)
                ),
                Said::NewDay(feed) => {
                    instruments.new_day(feed, Ts(2));
                    naive.by_number.retain(|(of, _), _| *of != feed);
                }
                Said::Restart => instruments = restarted(&instruments),
            }
            prop_assert_eq!(instruments.list.listed.capacity(), ROOM as usize);
            prop_assert_eq!(instruments.list.by_symbol.capacity(), room);
            for (feed, number) in (0..3).flat_map(|feed| (0..8).map(move |number| (feed, number))) {
                let (feed, number) = (FeedId(feed), VenueNumber(number));
                let found = instruments.find(feed, number);
                prop_assert_eq!(found, naive.by_number.get(&(feed, number)).copied());
            }
        }
        let listed = instruments.iter().map(|l| (l.instrument.feed, l.instrument.symbol));
        prop_assert!(listed.eq(naive.list));
    }
}
