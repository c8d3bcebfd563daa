use feeds::Venue;
use model::{
    Body, Control, Event, FeedId, HaltCause, HaltLevel, HaltScope, Input, Kind, OrderRef, Px, Qty,
    Side, Symbol, TradingState, Ts, VenueNumber, Why,
};

use super::*;
use crate::config::FeedConfig;
use crate::journal::reader::Tail;

struct Fixture {
    folder: tempfile::TempDir,
    config: Config,
}

impl Fixture {
    fn new() -> Fixture {
        let files = [
            ("engine.toml", include_str!("../../../deploy/engine.toml")),
            ("instruments.toml", include_str!("../../../deploy/instruments.toml")),
            ("limits.toml", include_str!("../../../deploy/limits.toml")),
        ];
        let files = files.map(|(name, text)| (name.into(), text.to_owned()));
        let config = Config::from_texts(files.into()).unwrap();
        let mut engine = config.engine.clone();
        engine.capacity.instruments = 4;
        engine.capacity.book_orders = 256;
        engine.capacity.levels = 256;
        engine.capacity.ref_pages = 1;
        engine.capacity.own_orders = 16;
        engine.capacity.client_ids = 64;
        engine.strategies[0].every = 2;
        let levels = FeedConfig { venue: Venue::BybitLinear, ..engine.feeds[0].clone() };
        engine.feeds.push(levels);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(crate::journal::path_of(folder.path(), 0), [7; 100]).unwrap();
        Fixture { folder, config: config.with_engine(engine) }
    }

    fn snapshots(&self) -> Snapshots {
        Snapshots::new(self.folder.path(), &self.config).unwrap()
    }

    /// An engine with a book of each kind, orders of the probe, and a halt.
    fn engine(&self) -> Engine {
        let mut engine = Engine::new(&self.config).unwrap();
        let mut out = engine.output();
        let (scope, level) = (HaltScope::Desk(model::DeskId(3)), HaltLevel::CancelOnly);
        let halt = Control::Halt { scope, level, why: Why::of(HaltCause::Human) };
        let events = events().into_iter().map(Body::Event);
        let bodies = [Body::Timer, Body::Control(halt)].into_iter().chain(events);
        for (seq, body) in (1..).zip(bodies) {
            engine.step(&Input { seq, now: Ts(1_000 * seq), body }, &mut out, &mut ());
            out.forget();
        }
        assert!(engine.passed() > 0, "{:?}", engine.refused());
        engine
    }

    fn place(&self) -> Place {
        let tail = Tail { segment: 0, offset: 60, records: 3, torn: false };
        Place::closed(tail, vec![5], 1, 0)
    }
}

/// Two listed instruments, orders and levels around a touch, trades.
fn events() -> Vec<Event> {
    let mut events = Vec::new();
    for (feed, symbol) in [(FeedId(0), "AAPL"), (FeedId(1), "BTCUSDT")] {
        let number = VenueNumber(1);
        let of_feed = |event: Event| Event { feed, number, ts_recv: Ts(1), ..event };
        events.push(of_feed(Event::directory(number, Symbol::new(symbol).unwrap(), 4, 0)));
        let aux = TradingState::Trading.code().into();
        events.push(of_feed(Event { aux, ..Event::empty(Kind::State) }));
        events.push(of_feed(Event::empty(Kind::Clear)));
        for n in 0..20 {
            let side = if n % 2 == 0 { Side::Buy } else { Side::Sell };
            let px = Px(if n % 2 == 0 { 1_000_000 - 100 * n } else { 1_000_100 + 100 * n });
            let (order, qty) = (OrderRef(n as u64 + 1), Qty(100 + n));
            let event = match feed {
                FeedId(0) => Event { order, qty, px, side: Some(side), ..Event::empty(Kind::Add) },
                _ => Event::level(number, side, px, qty),
            };
            events.push(of_feed(event));
        }
        for n in 0..6 {
            let (px, qty) = (Px(1_000_100), Qty(1));
            let kind = if feed == FeedId(0) { Kind::Execute } else { Kind::Trade };
            events.push(of_feed(Event {
                order: OrderRef(2 + n % 2),
                qty,
                px,
                ..Event::empty(kind)
            }));
        }
    }
    let mut seqs = [0; 2];
    for event in &mut events {
        let seq = &mut seqs[usize::from(event.feed.0)];
        *seq += 1;
        event.seq = *seq;
    }
    events
}

/// Goal: what is read back is what was written, byte for byte when it is written again; the file is nobody else's.
/// Method: an engine after some inputs, on the disk and back.
#[test]
fn reads_what_it_wrote() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new();
    let (snapshots, engine) = (fixture.snapshots(), fixture.engine());
    let written = snapshots.write(&engine, &fixture.place()).unwrap();
    assert_eq!(std::fs::metadata(&written.path).unwrap().permissions().mode() & 0o777, 0o600);
    let (read, place) = snapshots.load(&written.path).unwrap();
    assert_eq!((read.seq(), read.full_hash()), (engine.seq(), engine.full_hash()));
    assert_eq!((place.tail, place.events.as_slice()), (fixture.place().tail, &[5][..]));
    assert_eq!(snapshots.to_bytes(&read, &place).unwrap(), std::fs::read(&written.path).unwrap());
    let (sizes, _) = Sizes::of(|| postcard::to_stdvec(&read));
    assert_eq!(sizes, snapshots.sizes, "all room is there again");
}

/// Goal: nothing that differs by a bit, is cut off or has more behind it is taken. Method: flip a bit of every byte, every
/// bit of the header; cut at every length; add a byte.
#[test]
fn nothing_damaged_is_taken() {
    let fixture = Fixture::new();
    let snapshots = fixture.snapshots();
    let mut bytes = snapshots.to_bytes(&fixture.engine(), &fixture.place()).unwrap();
    assert!(snapshots.parse(&bytes).is_ok());
    println!("{} bytes", bytes.len());
    for at in 0..bytes.len() {
        let bits = if at < header::HEADER_BYTES { 0..8 } else { at % 8..at % 8 + 1 };
        for bit in bits {
            bytes[at] ^= 1 << bit;
            assert!(snapshots.parse(&bytes).is_err(), "bit {bit} of byte {at}");
            bytes[at] ^= 1 << bit;
        }
        assert!(snapshots.parse(&bytes[..at]).is_err(), "cut at {at}");
    }
    bytes.push(0);
    assert!(snapshots.parse(&bytes).is_err());
}

/// Goal: bytes that somebody else made are an error or an engine of the right hash, never a panic, and never more memory
/// than an engine takes. Method: change each byte of header and body in turn, and make the checksum right again.
#[test]
fn a_right_checksum_is_not_enough() {
    let fixture = Fixture::new();
    let snapshots = fixture.snapshots();
    let whole = snapshots.to_bytes(&fixture.engine(), &fixture.place()).unwrap();
    let content = whole.len() - header::SUM_BYTES;
    for at in 0..content {
        let mut bytes = whole[..content].to_vec();
        bytes[at] ^= [0x01, 0x80, 0xFF][at % 3];
        let sum = blake3::hash(&bytes);
        bytes.extend_from_slice(sum.as_bytes());
        if let Ok((engine, _)) = snapshots.parse(&bytes) {
            assert!(at >= header::HEADER_BYTES - 40, "byte {at} of the header");
            assert_eq!(engine.full_hash(), fixture.engine().full_hash(), "byte {at}");
        }
    }
}

/// Goal: a snapshot of other rules, other sizes or another journal is not gone on with. Method: change each.
#[test]
fn only_its_own_journal() {
    let fixture = Fixture::new();
    let written = fixture.snapshots().write(&fixture.engine(), &fixture.place()).unwrap();
    let load = || fixture.snapshots().load(&written.path).map(|_| ());
    assert!(load().is_ok());
    let segment = crate::journal::path_of(fixture.folder.path(), 0);
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[59] ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    assert!(matches!(load(), Err(SnapshotError::OtherJournal)));
    bytes[59] ^= 1;
    std::fs::write(&segment, &bytes[..40]).unwrap();
    assert!(matches!(load(), Err(SnapshotError::OtherJournal)), "cut back");
    std::fs::remove_file(&segment).unwrap();
    assert!(matches!(load(), Err(SnapshotError::OtherJournal)), "gone");
    bytes[80] ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    assert!(load().is_ok(), "what stands behind its place does not matter");

    let mut engine = fixture.config.engine.clone();
    engine.capacity.own_orders += 1;
    let other = fixture.config.clone().with_engine(engine);
    let other = Snapshots::new(fixture.folder.path(), &other).unwrap();
    assert!(matches!(other.load(&written.path), Err(SnapshotError::OtherConfig)));
}

/// Goal: so many are kept, of both sides of the one written last, and nothing half written stays. Method: leave files of
/// a process that is no more, write some.
#[test]
fn the_newest_are_kept() {
    let fixture = Fixture::new();
    let snapshots = fixture.snapshots();
    let mut engine = fixture.engine();
    let folder = fixture.folder.path().join(FOLDER);
    std::fs::create_dir_all(&folder).unwrap();
    let (dead, ours) = (folder.join("7.4194304.tmp"), format!("7.{}.tmp", std::process::id()));
    std::fs::write(&dead, b"x").unwrap();
    std::fs::write(folder.join(&ours), b"x").unwrap();
    for ahead in 1_000..1_006 {
        std::fs::write(folder.join(format!("{ahead:020}.tgs")), b"x").unwrap();
    }
    let mut out = engine.output();
    let last = engine.seq();
    for seq in last + 1..last + 7 {
        engine.step(&Input { seq, now: Ts(9_000), body: Body::Timer }, &mut out, &mut ());
        snapshots.write(&engine, &fixture.place()).unwrap();
    }
    let kept: Vec<u64> = list(fixture.folder.path()).unwrap().iter().map(|(seq, _)| *seq).collect();
    assert_eq!(kept, [1_005, 1_004, 1_003, last + 6, last + 5, last + 4]);
    assert!(!dead.exists() && folder.join(&ours).exists());
}
