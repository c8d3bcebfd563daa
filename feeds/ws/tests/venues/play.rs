//! A capture over sockets.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use feeds::Venue;
use feeds::stream::{StreamConfig, StreamSymbol};
use model::{Event, FeedId, Symbol, Ts};
use sim::crypto::play::Play;
use sim::crypto::server::{Clock, Server};
use ws::{Counters, Options, Port, drive_venue};

use crate::fold::Fold;

struct Player {
    server: Rc<Server<Play>>,
    fold: Rc<RefCell<Fold>>,
    texts: u64,
    seen: u64,
    began: Instant,
}

impl Port for Player {
    fn now(&self) -> Ts {
        Ts(self.server.clock().now())
    }

    fn push(&mut self, event: &Event) -> bool {
        self.fold.borrow_mut().apply(event);
        true
    }

    fn is_over(&self) -> bool {
        assert!(self.began.elapsed() < Duration::from_secs(60), "{} of {}", self.seen, self.texts);
        self.seen >= self.texts
    }

    fn show(&mut self, counters: &Counters) {
        self.seen = counters.stream.texts;
    }
}

/// Goal: a captured day goes over sockets whole, and makes the book that its last texts say. Method: the Bybit capture, which is
/// one snapshot and what changed; its chain is unbroken, so that the book is live at the end.
#[test]
fn a_capture_is_played() {
    let root = std::env::var_os("TICKGATE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        std::path::PathBuf::from,
    );
    let path = root.join("bybit/xrpusdt-ob500.data.zip");
    let Ok(mut reader) = feeds::source::FileReader::open(&path) else {
        eprintln!("SKIPPED: no capture of Bybit; set TICKGATE_DATA");
        return;
    };
    let mut text = String::new();
    std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
    let lines: String = text.lines().enumerate().map(|(n, line)| format!("{n} {line}\n")).collect();
    let play = Play::read(lines.as_bytes(), false).unwrap();
    let texts = play.len() as u64;
    let server = Rc::new(Server::start(play, Clock::new(1_733_011_200_000_000_000, 1)).unwrap());
    let symbol = StreamSymbol {
        venue_symbol: "XRPUSDT".to_owned(),
        symbol: Symbol::new("XRPUSDT").unwrap(),
        px_decimals: 4,
        qty_decimals: 0,
    };
    let config = StreamConfig {
        feed: FeedId(0),
        symbols: vec![symbol],
        depth: 1_000,
        seed: 1,
        ws_url: Some(server.ws_url()),
        rest_url: None,
    };
    let fold = Rc::new(RefCell::new(Fold::default()));
    let port = Player { server, fold: fold.clone(), texts, seen: 0, began: Instant::now() };
    let counters = drive_venue(Venue::BybitLinear, config, Options::default(), port, ()).unwrap();
    let fold = fold.borrow();
    let book = &fold.books[&1];
    assert_eq!((counters.stream.texts, counters.stream.gaps, counters.stream.bad), (texts, 0, 0));
    assert!(book.is_live, "{}", book.why);
    assert_eq!((book.levels.bids.len(), book.levels.asks.len()), (500, 500));
    assert!(book.levels.bids.keys().next_back() < book.levels.asks.keys().next());
}
