//! One owner at a time: a second start, a later epoch, a disk that is full under a running engine.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use engine::config::{Config, FeedSource, Lines, Speed};
use engine::journal::epoch::{self, Claim};
use engine::journal::reader::Reader;
use engine::journal::{JournalError, path_of};
use engine::replay::Replay;
use engine::runtime::{self, Plan, RunError, Running};
use engine::script::Script;
use model::page::{Answer, AnswerKind};
use model::{
    AccountId, Ask, ClientOrderId, InstrumentId, Note, OrderId, OrderState, OrderType, Origin, Px,
    Qty, Request, Side, Terms, Tif,
};
use shm::Client;
use tests::Stage;
use tests::rogue::attach;

use crate::run::is_journal_full;

/// How long anything may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);

fn start(config: &Config) -> Result<Running, RunError> {
    let (config, script) = (config.clone(), Script::default());
    runtime::start(Plan { config, script, shared: true, ends_with_feed: false, drive_stream: None })
}

/// A client and its count of requests.
struct Agent {
    client: Client,
    asked: u64,
}

impl Agent {
    fn new(name: &str) -> Agent {
        Agent { client: attach(name, || false).unwrap(), asked: 0 }
    }

    fn ask(&mut self, ask: Ask) -> Answer {
        let request = Request {
            id: 0,
            origin: Origin::File,
            account: AccountId(0),
            ask,
            note: Note::default(),
        };
        let begun = Instant::now();
        loop {
            let id = loop {
                match self.client.send(&request) {
                    Ok(id) => break id,
                    Err(_) => std::thread::sleep(Duration::from_millis(1)),
                }
                assert!(begun.elapsed() < PATIENCE, "no room in the ring");
            };
            let answer = loop {
                match self.client.poll_answer() {
                    Some(answer) if answer.request == id => break answer,
                    _ => std::thread::sleep(Duration::from_millis(1)),
                }
                assert!(begun.elapsed() < PATIENCE, "no answer to {ask:?}");
            };
            if answer.kind != AnswerKind::OverBudget {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// An order that rests far from the market.
    fn order(&mut self) -> Answer {
        self.asked += 1;
        self.ask(Ask::New(Terms {
            client_id: ClientOrderId::new(&format!("o{}", self.asked)).unwrap(),
            instrument: InstrumentId(0),
            side: Side::Buy,
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px: Px(100),
            qty: Qty(1),
            conditions: model::Conditions::NONE,
        }))
    }

    /// Asks for orders until one is accepted: the market must have opened.
    fn order_accepted(&mut self) -> OrderId {
        let begun = Instant::now();
        loop {
            let answer = self.order();
            if answer.kind == AnswerKind::Accepted {
                return answer.order;
            }
            assert!(begun.elapsed() < PATIENCE, "{answer:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks for orders until one is refused because of the journal.
    fn order_refused(&mut self) {
        let begun = Instant::now();
        while !is_journal_full(&self.order()) {
            assert!(begun.elapsed() < PATIENCE, "the engine takes orders that nobody records");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn cancel(&mut self, order: OrderId) {
        let answer = self.ask(Ask::Cancel { order });
        assert_eq!(
            (answer.kind, answer.state),
            (AnswerKind::Accepted, Some(OrderState::Cancelled))
        );
    }
}

/// A day that opens at once and never ends within a test.
fn config(stage: &Stage, name: &str) -> Config {
    let config = stage.config(name);
    let mut engine = config.engine.clone();
    engine.strategies.clear();
    engine.feeds[0].captures_mut().unwrap().speed = Speed::Times(5_000);
    let journal = engine.journal.as_mut().unwrap();
    journal.segment_bytes = 1 << 20;
    config.with_engine(engine)
}

fn folder(config: &Config) -> &Path {
    &config.engine.journal.as_ref().unwrap().folder
}

/// Goal: the second engine on a journal is refused, told by whom, and changes nothing; after the first one is gone it starts
/// in a later epoch, and its order ids are none that the first one gave. Method: start two; replay what they wrote.
#[test]
fn a_second_engine_is_refused() {
    let stage = Stage::new(6_000, 3);
    let config = config(&stage, "owners");
    let running = start(&config).unwrap();
    let mut first = Agent::new("owners");
    let before = first.order_accepted();
    let Err(RunError::Journal(error)) = start(&config) else { panic!("a second engine") };
    assert!(matches!(error, JournalError::InUse { holder: Some(_), .. }));
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    assert_eq!(epoch::current(folder(&config)).unwrap(), Some(0));
    first.cancel(before);
    drop(first);
    running.finish().unwrap();

    let running = start(&config).unwrap();
    assert_eq!(epoch::current(folder(&config)).unwrap(), Some(1));
    let after = Agent::new("owners").order_accepted();
    assert_eq!((before.epoch(), after.epoch()), (0, 1));
    let finished = running.finish().unwrap();
    let mut replay = Replay::open(folder(&config)).unwrap().unwrap();
    replay.deep = true;
    replay.run(None, |_| ()).unwrap();
    assert_eq!(replay.engine.state_hash(), finished.engine.state_hash());
    assert_eq!((replay.full_checkpoints, replay.epoch), (2, Some(1)));
    assert_eq!(replay.engine.orders().get(after).unwrap().order.id, after, "the same in a replay");
}

/// Goal: an engine after which somebody took a later epoch writes nothing more, refuses orders, still cancels, and says why
/// it ended. Method: take an epoch as a standby would, beside an engine that runs.
#[test]
fn a_later_epoch_stops_the_writer() {
    let stage = Stage::new(6_000, 3);
    let config = config(&stage, "fenced");
    let running = start(&config).unwrap();
    let mut agent = Agent::new("fenced");
    let order = agent.order_accepted();
    let standby = Claim::take(folder(&config), None).unwrap();
    assert_eq!(standby.epoch(), 1);
    // The next batch finds out; requests of that moment get no answer, so halts do not count here.
    let begun = Instant::now();
    while !agent.client.control().is_ok_and(|control| control.journal_full) {
        let _ = agent.client.send(&Request {
            id: 0,
            origin: Origin::File,
            account: AccountId(0),
            ask: Ask::Cancel { order: OrderId(u64::MAX) },
            note: Note::default(),
        });
        assert!(begun.elapsed() < PATIENCE, "it goes on writing");
        std::thread::sleep(Duration::from_millis(5));
    }
    let size = journal_end(folder(&config));
    agent.order_refused();
    agent.cancel(order);
    assert_eq!(journal_end(folder(&config)), size, "nothing more is written");
    let Err(RunError::Journal(error)) = running.finish() else { panic!("no word of it") };
    assert!(matches!(error, JournalError::Fenced { epoch: 0, .. }), "{error}");
    assert!(standby.check().is_ok());
}

/// Goal: an engine whose disk has no room for another segment refuses orders and still cancels; the cancels are recorded,
/// and a restart replays to the state that it ended in. Method: something stands where the next segment belongs.
#[test]
fn a_full_disk_lets_cancels_pass() {
    let stage = Stage::new(6_000, 3);
    let config = config(&stage, "full");
    let running = start(&config).unwrap();
    let mut agent = Agent::new("full");
    let working: Vec<_> = (0..20).map(|_| agent.order_accepted()).collect();
    let blocked = path_of(folder(&config), 2);
    std::fs::create_dir(&blocked).unwrap();
    // Orders until the second segment is begun, and no third one can be made.
    let begun = Instant::now();
    while !agent.client.control().is_ok_and(|control| control.journal_full) {
        let halts = (0..400).filter_map(|_| agent.client.send(&noise()).ok()).count();
        while agent.client.poll_answer().is_some() {}
        assert!(begun.elapsed() < PATIENCE, "{halts} requests, and there is still room");
        std::thread::sleep(Duration::from_millis(10));
    }
    agent.order_refused();
    working.into_iter().for_each(|order| agent.cancel(order));
    agent.order_refused();
    std::fs::remove_dir(&blocked).unwrap();
    // The run ends with the error; what it recorded is all that it stepped.
    let Err(RunError::Journal(error)) = running.finish() else { panic!("no word of it") };
    assert!(matches!(error, JournalError::Io { .. }), "{error}");
    let mut replay = Replay::open(folder(&config)).unwrap().unwrap();
    replay.deep = true;
    replay.run(None, |_| ()).unwrap();
    assert!(replay.closed, "even the clean stop is recorded");
    assert_eq!(replay.full_checkpoints, 1);
    assert_eq!(replay.engine.orders().open().count(), 0);
}

/// A request that becomes an input and does nothing: the cancel of no order.
fn noise() -> Request {
    Request {
        id: 0,
        origin: Origin::File,
        account: AccountId(0),
        ask: Ask::Cancel { order: OrderId(u64::MAX) },
        note: Note::default(),
    }
}

/// Where the valid part of a journal ends.
fn journal_end(folder: &Path) -> (u32, u64) {
    let mut reader = engine::journal::reader::Reader::open(folder).unwrap();
    while reader.next_record().unwrap().is_some() {}
    (reader.tail().segment, reader.tail().offset)
}

/// Goal: a configuration that cannot start is mended and started: what can fail is opened before a journal is begun, and one in
/// which nothing happened is begun anew. One in which something did is not. Method: a line of an address that is not this
/// machine's; an audit log without its key; neither; the audit log again.
#[test]
fn a_failed_start_is_in_nobodys_way() {
    let stage = Stage::new(2_000, 3);
    let good = stage.config("mended");
    let folder = good.engine.journal.clone().unwrap().folder;
    let mut engine = good.engine.clone();
    engine.feeds[0].source = FeedSource::Lines(Lines {
        lines: vec!["192.0.2.1:9".parse().unwrap()],
        interface: Ipv4Addr::UNSPECIFIED,
        request: None,
        snapshot: None,
        receive_buffer: 1 << 16,
        busy_poll_us: 0,
    });
    assert!(matches!(start(&good.clone().with_engine(engine)), Err(RunError::Line { .. })));
    assert!(Replay::open(&folder).unwrap().is_none());

    let (keyless, _) = stage.audited(good.clone());
    std::fs::remove_file(stage.folder.path().join("audit.key")).unwrap();
    for _ in 0..2 {
        assert!(matches!(start(&keyless), Err(RunError::Audit(_))));
        assert!(Replay::open(&folder).unwrap().is_some(), "this one is begun before");
    }
    let running = start(&good).unwrap();
    let begun = Instant::now();
    while Reader::is_of_nothing(&folder).unwrap() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
    running.finish().unwrap();
    assert!(matches!(start(&keyless), Err(RunError::OtherConfig(_))));
}
