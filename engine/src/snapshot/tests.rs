use feeds::Venue;
use model::{
    Body, Control, Event, FeedId, HaltCause, HaltLevel, HaltScope, Input, Kind, Note, OperatorName,
    OrderRef, Px, Qty, Side, Symbol, TradingState, Ts, VenueNumber, Why,
};

use super::*;
use crate::config::FeedConfig;
use crate::journal::reader::Tail;
use crate::step::prepare;

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

    /// The same engine after limits were put in force, one after the other.
    fn relimited(&self, texts: &[String]) -> Engine {
        let (mut engine, mut config) = (self.engine(), self.config.clone());
        let mut out = engine.output();
        for text in texts {
            let prepared = prepare(&config, engine.limits_version(), text).unwrap();
            let control = prepared.rules.control(OperatorName::default(), Note::default());
            engine.offer(prepared.rules);
            let (seq, now) = (engine.seq() + 1, engine.now());
            engine.step(&Input { seq, now, body: Body::Control(control) }, &mut out, &mut ());
            engine.take_spent();
            config = prepared.config;
        }
        assert_eq!(engine.limits_version() as usize, 1 + texts.len());
        engine
    }

    /// The limits with another rate, with repetition watched or not, with so many rows of symbols.
    fn limits(&self, rate: u32, duplicates: bool, rows: usize) -> String {
        let text =
            self.config.limits_text().replace("rate_max = 20", &format!("rate_max = {rate}"));
        let (off, on) =
            ("duplicates_max = \"off\"", "duplicates_max = 2\nduplicates_window_ms = 9");
        assert!(text.contains(off));
        let text = if duplicates { text.replace(off, on) } else { text };
        let row = &text[text.rfind("[[limit]]").unwrap() + 2..];
        let row = row.split("[[").next().unwrap();
        let of = |n| format!("\n[[{}", row.replace("\"*\"", &format!("\"S{n}\"")));
        let rows: String = (0..rows).map(of).collect();
        text + &rows
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
    let Loaded { engine: read, place, .. } = snapshots.load(&written.path).unwrap();
    assert_eq!((read.seq(), read.full_hash()), (engine.seq(), engine.full_hash()));
    assert_eq!((place.tail, place.events.as_slice()), (fixture.place().tail, &[5][..]));
    assert_eq!(snapshots.to_bytes(&read, &place).unwrap(), std::fs::read(&written.path).unwrap());
    let (sizes, _) = Sizes::of(|| postcard::to_stdvec(&read));
    assert_eq!(sizes, snapshots.sizes, "all room is there again");
}

/// Goal: whatever limits came and went, the engine is read back with the room that it had, and with the text of those in
/// force. Method: chains of limits of other rates, rows and windows, the same ones again among them; sizes, texts and rules
/// compared after each.
#[test]
fn any_limits_come_back() {
    let fixture = Fixture::new();
    let snapshots = fixture.snapshots();
    let kinds = [(20, false, 0), (3, true, 2), (50, false, 9), (3, false, 0), (20, true, 1)];
    let kinds = kinds.map(|(rate, duplicates, rows)| fixture.limits(rate, duplicates, rows));
    let mut chain = Vec::new();
    for number in 0..12 {
        chain.push(kinds[number * number % 7 % kinds.len()].clone());
        let engine = fixture.relimited(&chain);
        let (sizes, _) = Sizes::of(|| postcard::to_stdvec(&engine));
        let bytes = snapshots.to_bytes(&engine, &fixture.place()).unwrap();
        let read = snapshots.parse(&bytes).unwrap();
        let (back, _) = Sizes::of(|| postcard::to_stdvec(&read.engine));
        assert!(sizes == back, "{number}");
        assert_eq!(read.engine.full_hash(), engine.full_hash(), "{number}");
        assert_eq!(read.config.limits_text(), chain[number]);
        assert_eq!(read.config.digest(), engine.config_digest());
        assert!(snapshots.to_bytes(&read.engine, &read.place).unwrap() == bytes, "{number}");
    }
}

/// Goal: limits that are not those of the engine are not taken, whatever the checksum says: neither a looser number, nor
/// another text of the same rules, nor none, nor what is no limits. Method: the texts of another engine before this one.
#[test]
fn limits_of_another_engine() {
    let fixture = Fixture::new();
    let snapshots = fixture.snapshots();
    let text = fixture.limits(3, true, 2);
    let written = |limits: &LimitsTexts| {
        let mut engine = fixture.relimited(std::slice::from_ref(&text));
        engine.limits = limits.clone();
        snapshots.to_bytes(&engine, &fixture.place()).unwrap()
    };
    let right = fixture.relimited(std::slice::from_ref(&text)).limits;
    assert!(snapshots.parse(&written(&right)).is_ok());
    let looser = LimitsTexts { in_force: fixture.limits(4, true, 2), ..right.clone() };
    let spaced = LimitsTexts { in_force: text.clone() + "\n", ..right.clone() };
    let swapped = fixture.relimited(&[text.clone(), fixture.config.limits_text().into()]).limits;
    for other in [looser, spaced, swapped, LimitsTexts::default()] {
        let parsed = snapshots.parse(&written(&other)).map(|_| ());
        let refused =
            matches!(parsed, Err(SnapshotError::OtherLimits | SnapshotError::NoEngine(_)));
        assert!(refused, "{parsed:?}");
    }
    let rubbish = LimitsTexts { in_force: "[[".into(), ..right };
    let parsed = snapshots.parse(&written(&rubbish)).map(|_| ());
    assert!(matches!(parsed, Err(SnapshotError::NotTaken(_))), "{parsed:?}");
}

/// Goal: nothing that differs by a bit, is cut off or has more behind it is taken. Method: flip a bit of every byte, every
/// bit of the header; cut at every length; add a byte.
#[test]
fn nothing_damaged_is_taken() {
    let fixture = Fixture::new();
    let snapshots = fixture.snapshots();
    let engine = fixture.relimited(&[fixture.limits(3, true, 2)]);
    let mut bytes = snapshots.to_bytes(&engine, &fixture.place()).unwrap();
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
    // An engine to try the second one's limits with takes long: every so many bytes of it.
    let relimited = fixture.relimited(&[fixture.limits(3, true, 2)]);
    for (engine, step) in [(fixture.engine(), 1), (relimited, 23)] {
        let whole = snapshots.to_bytes(&engine, &fixture.place()).unwrap();
        let content = whole.len() - header::SUM_BYTES;
        for at in (0..content).step_by(step) {
            let mut bytes = whole[..content].to_vec();
            bytes[at] ^= [0x01, 0x80, 0xFF][at % 3];
            let sum = blake3::hash(&bytes);
            bytes.extend_from_slice(sum.as_bytes());
            if let Ok(read) = snapshots.parse(&bytes) {
                assert!(at >= header::HEADER_BYTES - 40, "byte {at} of the header");
                assert_eq!(read.engine.full_hash(), engine.full_hash(), "byte {at}");
            }
        }
    }
}

/// Goal: a snapshot of other rules, other sizes or another journal is not continued. Method: change each.
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
