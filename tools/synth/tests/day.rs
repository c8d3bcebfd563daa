//! A synthetic day is what it claims to be: judged by the decoder of `feeds` and by a book of the simplest
//! kind.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use feeds::{FeedOptions, FileFeed, Input, Next};
use model::{Event, Kind, Side, TradingState};
use synth::{Config, Day, Hours, Naming, Summary};

const SMALL: Config = Config {
    seed: 3,
    symbols: 120,
    messages: 300_000,
    hours: Hours::NASDAQ,
    naming: Naming::Tickers,
    ..Config::SAMPLE
};

fn bytes(config: Config) -> (Vec<u8>, Summary) {
    let mut bytes = Vec::new();
    let summary = Day::new(config).write_to(&mut bytes).unwrap();
    (bytes, summary)
}

fn events(bytes: Vec<u8>) -> (Vec<Event>, feeds::Counters) {
    let mut feed =
        FileFeed::from_inputs(vec![Input::Bytes(Arc::from(bytes))], FeedOptions::default())
            .unwrap();
    let mut events = Vec::new();
    while let Next::Event(event) = feed.next().unwrap() {
        events.push(event);
    }
    (events, feed.counters())
}

/// Goal: a seed is a day. Method: the same twice, another once, and the fingerprint of a small one as it
/// was when this was written: whoever changes the generator on purpose changes it here too.
#[test]
fn the_same_seed_is_the_same_day() {
    let small = Config { messages: 20_000, symbols: 10, ..SMALL };
    let (first, summary) = bytes(small);
    assert_eq!(bytes(small), (first.clone(), summary));
    assert_ne!(bytes(Config { seed: 4, ..small }).0, first);
    let fingerprint = first.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    assert_eq!(format!("{fingerprint:016x}"), "39cc9ff1c99e97e2");
}

/// Goal: every size of day is whole. Method: the smallest, one without room for its directory, one with no
/// flow; each has its six session events, its end marker, nothing that the decoder does not know, and time
/// never steps back.
#[test]
fn days_of_every_size_decode() {
    for (symbols, messages, hours) in [
        (0, 0, Hours::NASDAQ),
        (1, 0, Hours::SHORT),
        (3, 500, Hours::SHORT),
        (2_000, 1_000, Hours::NASDAQ),
        (120, 300_000, Hours::NASDAQ),
        (60_000, 10_000, Hours::SHORT),
    ] {
        let (bytes, summary) = bytes(Config { symbols, messages, hours, ..SMALL });
        assert_eq!(bytes.len() as u64, summary.bytes);
        let (events, counters) = events(bytes);
        assert_eq!(counters.messages, summary.messages);
        assert_eq!(counters.bytes, summary.bytes);
        let faults =
            [counters.unknown_total(), counters.bad, counters.backwards, counters.missing_end];
        assert_eq!(faults, [0; 4], "{symbols} symbols, {messages} messages");
        let session = events.iter().filter(|event| event.kind == Kind::Session);
        let session: Vec<u8> = session.map(|event| event.aux as u8).collect();
        assert_eq!(session, b"OSQMEC");
        let directories = events.iter().filter(|event| event.kind == Kind::Directory).count();
        assert_eq!(directories, usize::from(symbols.max(1)));
        if messages >= 300_000 {
            assert!(summary.messages.abs_diff(messages) < messages / 100, "{summary:?}");
        }
    }
}

/// The simplest book there is.
#[derive(Default)]
struct Naive {
    orders: HashMap<u64, (u32, Side, i64, i64)>,
    levels: HashMap<(u32, Side), BTreeMap<i64, Vec<u64>>>,
    state: HashMap<u32, (bool, bool)>,
}

impl Naive {
    fn best(&self, number: u32, side: Side) -> Option<i64> {
        let levels = self.levels.get(&(number, side))?;
        let best = match side {
            Side::Buy => levels.last_key_value(),
            Side::Sell => levels.first_key_value(),
        };
        best.map(|(px, _)| *px)
    }

    fn trading(&self, number: u32) -> bool {
        self.state.get(&number) == Some(&(true, false))
    }

    fn add(&mut self, order: u64, number: u32, side: Side, px: i64, qty: i64) {
        assert!(px > 0 && qty > 0);
        assert!(
            self.orders.insert(order, (number, side, px, qty)).is_none(),
            "reference used twice"
        );
        self.levels.entry((number, side)).or_default().entry(px).or_default().push(order);
    }

    /// Takes `qty` off, or everything; returns side, limit and whether it was first in its level.
    fn take(&mut self, event: &Event, qty: Option<i64>) -> (Side, i64, bool) {
        let order = self.orders.get_mut(&event.order.0).expect("the order rests");
        let (number, side, px, open) = *order;
        assert_eq!(number, event.number.0, "the order is of this stock");
        let left = open - qty.unwrap_or(open);
        assert!(left >= 0 && qty != Some(0), "no more than is open, and something");
        order.3 = left;
        let levels = self.levels.get_mut(&(number, side)).unwrap();
        let queue = levels.get_mut(&px).unwrap();
        let first = queue[0] == event.order.0;
        if left == 0 {
            queue.retain(|other| *other != event.order.0);
            if queue.is_empty() {
                levels.remove(&px);
            }
            self.orders.remove(&event.order.0);
        }
        (side, px, first)
    }

    fn apply(&mut self, event: &Event) {
        let number = event.number.0;
        let (px, qty) = (event.px.0, event.qty.0);
        match event.kind {
            Kind::State => {
                let trading = event.aux == u64::from(TradingState::Trading.code());
                self.state.entry(number).or_default().0 = trading;
            }
            Kind::VenueHalt => self.state.entry(number).or_default().1 = event.aux == 1,
            Kind::Add => self.add(event.order.0, number, event.side.unwrap(), px, qty),
            Kind::Execute => {
                assert!(self.trading(number), "nothing trades while halted");
                let (side, px, first) = self.take(event, Some(qty));
                assert!(first, "the queue is served in order");
                assert!(self.best(number, side).is_none_or(|best| match side {
                    Side::Buy => best <= px,
                    Side::Sell => best >= px,
                }));
            }
            Kind::ExecuteAt => {
                let (side, limit, first) = self.take(event, Some(qty));
                assert!(first);
                match side {
                    Side::Buy => assert!(px <= limit, "never worse than the limit"),
                    Side::Sell => assert!(px >= limit),
                }
            }
            Kind::Reduce => {
                self.take(event, Some(qty));
            }
            Kind::Delete => {
                self.take(event, None);
            }
            Kind::Replace => {
                let (side, ..) = self.take(event, None);
                self.add(event.aux, number, side, px, qty);
            }
            _ => return,
        }
        if let (true, Some(bid), Some(ask)) =
            (self.trading(number), self.best(number, Side::Buy), self.best(number, Side::Sell))
        {
            assert!(bid < ask, "crossed while trading: {event:?}");
        }
    }
}

/// Goal: a possible market. Method: the naive book refuses unknown orders, too much taken, executions out
/// of turn or while halted, limits broken, and a crossed book while trading; at the end its touch gives the
/// day's own digest.
#[test]
fn the_book_is_possible() {
    for config in [SMALL, Config::SAMPLE] {
        let (bytes, summary) = bytes(config);
        let (events, _) = events(bytes);
        let mut book = Naive::default();
        events.iter().for_each(|event| book.apply(event));
        assert_eq!(book.orders.len() as u64, summary.live_orders);
        let mut digest = 0xCBF2_9CE4_8422_2325_u64;
        for number in 1..=u32::from(config.symbols) {
            for side in [Side::Buy, Side::Sell] {
                let px = book.best(number, side).unwrap_or(0);
                let queue = book.levels.get(&(number, side)).and_then(|levels| levels.get(&px));
                let qty: i64 = queue.into_iter().flatten().map(|order| book.orders[order].3).sum();
                for byte in [px, qty].into_iter().flat_map(i64::to_le_bytes) {
                    digest = (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
                }
            }
        }
        assert_eq!(digest, summary.digest);
    }
}

/// Goal: it looks like a market. Method: measured on a day: the mix of types, how far from the touch orders
/// are put, how wide the spread is, how activity is spread over symbols and time; every type of message but
/// a market-wide halt occurs.
#[test]
fn it_looks_like_a_market() {
    let (bytes, summary) = bytes(SMALL);
    let (events, _) = events(bytes);
    let mut book = Naive::default();
    let (mut distance, mut spread) = ([0_u32; 4], Vec::new());
    let mut by_symbol: HashMap<u32, u32> = HashMap::new();
    let mut close_gaps = 0_usize;
    for (event, before) in events.iter().zip([&events[0]].into_iter().chain(&events)) {
        let number = event.number.0;
        let (bid, ask) = (book.best(number, Side::Buy), book.best(number, Side::Sell));
        if let (Kind::Add, true, Some(bid), Some(ask)) =
            (event.kind, book.trading(number), bid, ask)
        {
            let step = if event.px.0 % 100 == 0 { 100 } else { 1 };
            let away = match event.side.unwrap() {
                Side::Buy => bid - event.px.0,
                Side::Sell => event.px.0 - ask,
            };
            distance[match away / step {
                ..=0 => 0,
                1..=5 => 1,
                6..=10 => 2,
                _ => 3,
            }] += 1;
            spread.push((ask - bid) / step);
        }
        *by_symbol.entry(number).or_default() += 1;
        close_gaps += usize::from(event.ts_venue.0 - before.ts_venue.0 < 20_000);
        book.apply(event);
    }
    let adds: u32 = distance.iter().sum();
    let share = distance.map(|n| 100 * n / adds);
    spread.sort_unstable();
    let (median, wide) = (spread[spread.len() / 2], spread[spread.len() * 99 / 100]);
    let mut busy: Vec<u32> = by_symbol.into_values().collect();
    busy.sort_unstable_by(|a, b| b.cmp(a));
    println!("{:?}", summary.types);
    println!("adds by ticks from the touch: {share:?} %; spread median {median}, 99 %: {wide}");
    println!("busiest symbols: {:?}; {close_gaps} gaps below 20 us", &busy[..5]);
    for (share, aim) in share.into_iter().zip([26, 37, 17, 20_u32]) {
        assert!(share.abs_diff(aim) <= 6, "{share} % instead of {aim} %");
    }
    assert!((1..=5).contains(&median) && wide < 100, "spread {median} and {wide} steps");
    assert!(busy[0] > 10 * busy[20], "Zipf");
    assert!(close_gaps > events.len() / 2, "bursts");
    for kind in "SRHYLVKJhAFECXDUPQINO".chars() {
        assert!(summary.types.contains_key(&kind), "no {kind}");
    }
    let part = |kinds: &str| -> u64 {
        100 * kinds.chars().map(|kind| summary.types[&kind]).sum::<u64>() / summary.messages
    };
    assert!((38..=52).contains(&part("AF")) && (30..=48).contains(&part("D")));
    assert!((5..=14).contains(&part("E")) && (3..=8).contains(&part("U")));
}

/// Goal: the day of full size has the messages, the live orders and the references that it promises, and most of its orders die
/// young. Method: a two-hundredth of it in everything; counted from its messages, and compared with what the generator says.
#[test]
fn the_full_day_is_what_it_promises() {
    const PART: u64 = 200;
    let full = Config::FULL;
    let config = Config {
        symbols: full.symbols / PART as u16,
        messages: full.messages / PART,
        live_orders: full.live_orders.map(|live| live / PART),
        ..full
    };
    let (bytes, summary) = bytes(config);
    let (events, _) = events(bytes);
    let (mut born, mut lives) = (HashMap::new(), Vec::new());
    let (mut open, mut most, mut highest) = (HashMap::<u64, i64>::new(), 0, 0);
    let mut made = 0_u64;
    for event in &events {
        let (order, qty) = (event.order.0, event.qty.0);
        let added = match event.kind {
            Kind::Add => Some(order),
            Kind::Replace => Some(event.aux),
            _ => None,
        };
        let left = match event.kind {
            Kind::Execute | Kind::ExecuteAt | Kind::Reduce => open[&order] - qty,
            _ => 0,
        };
        if left > 0 {
            open.insert(order, left);
        } else if event.kind != Kind::Add && open.remove(&order).is_some() {
            lives.push(made - born[&order]);
        }
        if let Some(order) = added {
            open.insert(order, qty);
            born.insert(order, made);
            (made, highest) = (made + 1, highest.max(order));
            most = most.max(open.len() as u64);
        }
    }
    assert_eq!((summary.live_orders_max, summary.reference_max), (most, highest));
    assert!(summary.messages >= 100_000_000 / PART, "{} messages", summary.messages);
    assert!(most >= 1_500_000 / PART, "{most} live orders");
    assert!(highest >= 500_000_000 / PART, "references to {highest}");
    lives.sort_unstable();
    let (median, mean) = (lives[lives.len() / 2], lives.iter().sum::<u64>() / lives.len() as u64);
    println!(
        "{most} live orders, references to {highest}, lives: median {median}, mean {mean} orders"
    );
    assert!(3 * median < mean, "half of them live for {median} orders or less, the mean is {mean}");
}

/// Goal: the sample is fit for the demo. Method: at least ten minutes, at the pace promised, labelled, and
/// the same feed takes it again as a new day.
#[test]
fn the_sample() {
    let sample: Arc<[u8]> = synth::sample().into();
    let options = FeedOptions { repeat: true, ..FeedOptions::default() };
    let mut feed = FileFeed::from_inputs(vec![Input::Bytes(sample)], options).unwrap();
    let mut first_day = Vec::new();
    let second_start = loop {
        let Next::Event(event) = feed.next().unwrap() else { panic!("a repeated feed has no end") };
        if event.ts_venue.0 >= model::DAY_NS {
            break event;
        }
        first_day.push(event);
    };
    let seconds = (first_day.last().unwrap().ts_venue.0 - first_day[0].ts_venue.0) / 1_000_000_000;
    let rate = first_day.len() as u64 / seconds;
    assert!(
        (600..=720).contains(&seconds) && (1_000..=3_000).contains(&rate),
        "{seconds} s, {rate}/s"
    );
    assert_eq!((second_start.kind, second_start.aux), (Kind::Session, u64::from(b'O')));
    assert_eq!(second_start.seq, first_day.len() as u64 + 1);
    let mut symbols = first_day.iter().filter(|event| event.kind == Kind::Directory);
    assert!(symbols.all(|event| event.aux.to_le_bytes().starts_with(b"SYN")));
    let mut per_second: BTreeMap<u64, u64> = BTreeMap::new();
    for event in &first_day {
        *per_second.entry(event.ts_venue.0 / 1_000_000_000).or_default() += 1;
    }
    let silent = (first_day[0].ts_venue.0 / 1_000_000_000..).take(seconds as usize - 20);
    let silent = silent.filter(|second| per_second.get(second).is_none_or(|n| *n < 50)).count();
    assert!(silent < 30, "{silent} seconds of silence");
    println!("{rate}/s, busiest second {:?}", per_second.values().max());
}
