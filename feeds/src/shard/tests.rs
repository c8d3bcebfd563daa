use model::{Cause, Integrity, OrderRef};
use proptest::prelude::*;

use super::*;

const COUNT: u16 = 3;
const SILENCE_NS: u64 = 1_000_000_000;

fn filters() -> Vec<ShardFilter> {
    let shards = (0..COUNT).map(|index| Shard::new(index, COUNT).unwrap());
    shards.map(|shard| ShardFilter::new(shard, SILENCE_NS)).collect()
}

fn symbol(number: u32) -> Symbol {
    Symbol::new(&format!("SYM{number}")).unwrap()
}

/// An event of a message, a nanosecond after the last: no pulse is due between them.
fn of(seq: u64, number: u32) -> Event {
    let (number, ts_recv) = (VenueNumber(number), Ts(seq));
    Event { seq, number, ts_recv, order: OrderRef(seq), ..Event::empty(Kind::Add) }
}

fn directory(seq: u64, number: u32, symbol: Symbol) -> Event {
    Event { seq, ts_recv: Ts(seq), ..Event::directory(VenueNumber(number), symbol, 4, 0) }
}

/// What the step makes of the sequence of a feed: `Engine::count`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Step {
    seq: u64,
    holes: Vec<u64>,
}

impl Step {
    fn take(&mut self, event: &Event) {
        if event.kind == Kind::Integrity {
            self.seq = event.seq;
        } else if !event.flags.has(Flags::SNAPSHOT) {
            let missing = event.seq.saturating_sub(self.seq + 1);
            self.seq = event.seq;
            if missing > 0 {
                self.holes.push(missing);
            }
        }
    }
}

/// What happens next on a feed.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// A message with an event of each of these numbers.
    Message([u32; 2], u8),
    /// A message names an instrument, perhaps anew.
    Named(u32, u32),
    /// Messages are lost.
    Lost(u64),
    /// The feed says what it believes of this number, and that it stands so many messages further on.
    Believed(u32, u64),
    /// A message of a snapshot.
    Repeated(u32),
    /// The same message again, or one from before.
    Back(u64),
    /// Another session: the sequence begins again.
    Session,
}

fn next() -> impl Strategy<Value = Next> {
    let number = 0..12_u32;
    prop_oneof![
        12 => ([number.clone(), number.clone()], 0..3_u8).prop_map(|(n, more)| Next::Message(n, more)),
        3 => (1..12_u32, 0..20_u32).prop_map(|(number, symbol)| Next::Named(number, symbol)),
        2 => (1..5_u64).prop_map(Next::Lost),
        2 => (number.clone(), 0..4_u64).prop_map(|(number, on)| Next::Believed(number, on)),
        1 => number.prop_map(Next::Repeated),
        1 => (0..4_u64).prop_map(Next::Back),
        1 => Just(Next::Session),
    ]
}

/// The events of a feed that goes so, without time.
fn feed(steps: &[Next]) -> Vec<Event> {
    let (mut seq, mut events) = (0, Vec::new());
    for step in steps {
        match *step {
            Next::Message(numbers, more) => {
                seq += 1;
                for number in numbers.into_iter().cycle().take(1 + usize::from(more)) {
                    events.push(of(seq, number));
                }
            }
            Next::Named(number, of) => {
                seq += 1;
                events.push(directory(seq, number, symbol(of)));
            }
            Next::Lost(count) => seq += count,
            Next::Believed(number, on) => {
                seq += on;
                let believed = Event::integrity(VenueNumber(number), Integrity::Live, Cause::None);
                events.push(Event { seq, ..believed });
            }
            Next::Repeated(number) => {
                events.push(Event { flags: Flags::SNAPSHOT, ..of(seq, number) })
            }
            Next::Back(by) => {
                seq = seq.saturating_sub(by).max(1);
                events.push(of(seq, 1));
            }
            Next::Session => {
                seq = 0;
                let believed =
                    Event::integrity(VenueNumber(0), Integrity::Incomplete, Cause::SessionEnd);
                events.push(Event { seq, ..believed });
            }
        }
    }
    events
}

/// Whose an event is, worked out slowly: by the last name of its number; nobody's are the first shard's.
fn owner(events: &[Event], at: usize) -> Option<u16> {
    let event = &events[at];
    let names = events[..=at].iter().rev().filter(|e| e.kind == Kind::Directory);
    let name = names.clone().find(|named| named.number == event.number);
    match name.and_then(Event::listing) {
        _ if event.number == VenueNumber(0) => None,
        None => Some(0),
        Some((symbol, ..)) => Some(Shard::of(symbol, COUNT)),
    }
}

/// An event without what a filter may change.
fn unnumbered(event: &Event) -> Event {
    Event { seq: 0, ..*event }
}

proptest! {
    /// Goal: each event goes to its shard alone, those of the whole feed to all, in order and with nothing changed but their
    /// numbers; every shard finds the holes that an engine of all finds, each as soon and as large. Method: feeds that lose,
    /// repeat, step back and begin again; a slow owner, and the step's own way of counting.
    #[test]
    fn shards_share_a_feed(steps in proptest::collection::vec(next(), 1..80)) {
        let events = feed(&steps);
        let mut whole = Step::default();
        let mut shards = vec![(Step::default(), Vec::new()); usize::from(COUNT)];
        let (mut filters, mut message) = (filters(), None);
        for (at, event) in events.iter().enumerate() {
            let before = whole.holes.len();
            whole.take(event);
            // Another event of the message that was last counted.
            let counts = event.kind != Kind::Integrity && !event.flags.has(Flags::SNAPSHOT);
            let again = counts && message == Some(event.seq);
            message = if counts { Some(event.seq) } else { message.filter(|seq| *seq == event.seq) };
            for (index, (filter, (step, had))) in (0..).zip(filters.iter_mut().zip(&mut shards)) {
                let had_it = filter.passed;
                let Some(event) = filter.pass(*event) else { continue };
                prop_assert!(!(again && had_it) || event.seq == step.seq, "one message, two numbers");
                step.take(&event);
                // One that only tells of a hole has nothing of the event.
                let own = owner(&events, at).is_none_or(|owner| owner == index);
                prop_assert!(own || (event.kind, event.number) == (Kind::Notice, VenueNumber(0)));
                prop_assert!(own || whole.holes.len() > before, "told of nothing: {event:?}");
                if own {
                    had.push(unnumbered(&event));
                }
            }
            for (step, _) in &shards {
                prop_assert_eq!(&step.holes, &whole.holes, "after {:?}", event);
            }
        }
        for (index, (_, had)) in (0..).zip(&shards) {
            let own = |at: &usize| owner(&events, *at).is_none_or(|owner| owner == index);
            let all = (0..events.len()).filter(own).map(|at| unnumbered(&events[at]));
            prop_assert_eq!(had, &all.collect::<Vec<_>>());
        }
    }

    /// Goal: every symbol is in exactly one shard, whatever their number. Method: any letters.
    #[test]
    fn a_symbol_has_one_shard(text in "[!-~]{1,16}", count in 1..=SHARDS_MAX) {
        let symbol = Symbol::new(&text).unwrap();
        let owners = (0..count).filter(|index| Shard::new(*index, count).unwrap().owns(symbol));
        prop_assert_eq!(owners.collect::<Vec<_>>(), vec![Shard::of(symbol, count)]);
    }
}

/// Goal: who has a symbol never changes: an earlier journal would be filtered otherwise. Method: owners that another
/// program worked out.
#[test]
fn owners_are_for_good() {
    let of = |text: &str, count| Shard::of(Symbol::new(text).unwrap(), count);
    assert_eq!(
        [of("AAPL", 2), of("MSFT", 2), of("SYN001", 64), of("BTC-USDT-SWAP", 7)],
        [0, 0, 27, 0]
    );
    assert_eq!(Shard::new(2, 2), None);
    assert_eq!(Shard::new(0, SHARDS_MAX + 1), None);
    assert_eq!(Shard::new(0, 0), None);
}

/// Goal: a shard of which the feed says nothing learns that time passes and that the feed speaks. Method: messages of another's
/// for a second, a millisecond apart; then silence that is shorter.
#[test]
fn time_passes() {
    let owner = Shard::of(symbol(1), COUNT);
    let other = Shard::new((owner + 1) % COUNT, COUNT).unwrap();
    for (silence_ns, pulses) in [(SILENCE_NS, 100), (8_000_000, 500)] {
        let mut filter = ShardFilter::new(other, silence_ns);
        let named = filter.pass(directory(1, 1, symbol(1)));
        assert_eq!(named.map(|event| event.kind), None);
        let at = |ms: u64| Event { ts_recv: Ts(ms * 1_000_000), ..of(ms + 1, 1) };
        let heard: Vec<Event> = (1..=1_000).filter_map(|ms| filter.pass(at(ms))).collect();
        assert_eq!(heard.len(), pulses);
        assert!(heard.iter().all(|event| (event.kind, event.number.0) == (Kind::Notice, 0)));
        assert!(heard.iter().map(|event| event.seq).eq(1..=pulses as u64), "no hole");
    }
}
