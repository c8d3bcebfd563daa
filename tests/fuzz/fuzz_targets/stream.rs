//! Any bytes as the life of a feed: lines that are texts, and lines that open, break and wait.
//!
//! | line | what happens |
//! |---|---|
//! | `o` | the connection opens |
//! | `x` | it breaks |
//! | `w` and a digit d | 2^(2d) ms pass |
//! | `r` and bytes | the last request over HTTP is answered with them |
//! | anything else | it is a text |

use std::collections::BTreeMap;

use feeds::stream::{Action, StreamConfig, StreamFeed, StreamSymbol, Venue};
use model::{Event, FeedId, Integrity, Kind, Symbol, Ts};

/// What the events say.
#[derive(Default)]
struct Reader {
    beliefs: BTreeMap<u32, Integrity>,
    last: u64,
    count: usize,
    /// By reference: whose, and what is open.
    orders: BTreeMap<u64, (u32, i64)>,
}

impl Reader {
    fn read(&mut self, event: Event) {
        assert_eq!(Event::from_words(&event.to_words()), Ok(event));
        assert!(event.seq >= self.last);
        self.last = event.seq;
        self.count += 1;
        let number = event.number.0;
        match event.kind {
            Kind::Directory => {
                assert!(event.listing().is_some());
                self.beliefs.insert(number, Integrity::Incomplete);
            }
            Kind::Integrity => {
                let (integrity, _) = event.believed().unwrap();
                for (known, belief) in &mut self.beliefs {
                    if number == 0 || *known == number {
                        *belief = integrity;
                    }
                }
            }
            Kind::Level | Kind::Trade => {
                assert!(self.beliefs.contains_key(&number) && event.px.0 >= 0 && event.qty.0 >= 0);
            }
            Kind::Clear => self.orders.retain(|_, (whose, _)| number != 0 && *whose != number),
            Kind::Add => {
                assert!(event.px.0 > 0 && event.qty.0 > 0 && event.side.is_some());
                let before = self.orders.insert(event.order.0, (number, event.qty.0));
                assert!(before.is_none(), "a reference twice");
            }
            Kind::Execute | Kind::ExecuteAt | Kind::Reduce => {
                let (whose, open) = self.orders[&event.order.0];
                assert!(whose == number && event.qty.0 > 0 && event.qty.0 <= open);
                self.set(event.order.0, number, open - event.qty.0);
            }
            Kind::Modify => {
                assert!(self.orders[&event.order.0].0 == number && event.px.0 > 0);
                self.set(event.order.0, number, event.qty.0);
            }
            Kind::Delete => {
                let gone = self.orders.remove(&event.order.0);
                assert!(gone.is_some_and(|(whose, _)| whose == number));
            }
            _ => {}
        }
    }

    fn set(&mut self, order: u64, number: u32, qty: i64) {
        match qty {
            0 => self.orders.remove(&order),
            qty => self.orders.insert(order, (number, qty)),
        };
    }
}

/// Plays `data` to a feed of two symbols. No panic; events in order, of symbols that are named; a bound on them and on what is
/// asked for; nothing is live without a connection.
pub fn play<V: Venue>(names: [&str; 2], venue: impl Fn(&StreamConfig) -> V, data: &[u8]) {
    let symbol = |name: &str| StreamSymbol {
        venue_symbol: name.to_owned(),
        symbol: Symbol::new(name).unwrap(),
        px_decimals: 2,
        qty_decimals: 3,
    };
    let symbols = names.map(symbol).to_vec();
    let config =
        StreamConfig { feed: FeedId(1), symbols, depth: 10, seed: 7, ws_url: None, rest_url: None };
    let mut feed = StreamFeed::new(venue(&config), config).unwrap();
    let mut reader = Reader::default();
    let (mut now, mut open, mut request) = (Ts(1 << 60), false, None);
    feed.start(now, &mut |event| reader.read(event));
    for line in data.split(|byte| *byte == b'\n') {
        let before = reader.count;
        let mut emit = |event| reader.read(event);
        match line {
            b"o" => {
                open = true;
                feed.on_open(now, &mut emit);
            }
            b"x" => {
                open = false;
                feed.on_close(now, &mut emit);
            }
            [b'w', digit @ b'0'..=b'9'] => {
                now.0 += 1_000_000 << (2 * (digit - b'0'));
                feed.on_time(now, &mut emit);
            }
            [b'r', body @ ..] => {
                if let Some(request) = request.take() {
                    feed.on_response(request, Ok(body), now, &mut emit);
                }
            }
            text => feed.on_text(text, now, &mut emit),
        }
        assert!(reader.count - before <= 16 + data.len(), "more said than was heard");
        let mut actions = 0;
        while let Some(action) = feed.next_action() {
            actions += 1;
            match action {
                Action::Close => open = false,
                Action::Get { request: number, .. } => request = Some(number),
                Action::Send { .. } | Action::Connect { .. } => {}
            }
        }
        assert!(actions <= 64, "more asked for than a feed of two symbols needs");
        assert!(open || reader.beliefs.values().all(|belief| *belief != Integrity::Live));
    }
}
