//! A short day with orders and cancels, stepped and recorded one input at a time, so that a test knows the state after each.

use std::path::Path;

use engine::config::Config;
use engine::journal::epoch::Claim;
use engine::journal::lease::Lease;
use engine::journal::reader::Tail;
use engine::journal::recorder::Recorder;
use engine::journal::storage::Storage;
use engine::journal::writer::Writer;
use engine::journal::{Entry, JournalError, Record};
use engine::replay::{Replay, digest_of};
use engine::sequencer::Sequencer;
use engine::step::{Engine, prepare};
use model::page::{Answer, AnswerKind};
use model::{
    AccountId, Ask, Body, ClientOrderId, Control, DeskId, Event, InstrumentId, Note, OperatorName,
    OrderId, OrderType, Origin, Px, Qty, Reject, Request, Side, Terms, Tif, Ts, Verdict,
};
use tests::Stage;

/// Size of a segment: small, so that there are some.
pub const SEGMENT: u64 = 4096;
/// Messages before the first order.
const BEFORE: usize = 1_000;
/// Messages between two requests.
const BETWEEN: usize = 4;
/// Requests of which one is other limits.
const RELOADS: u64 = 29;
/// Steps that go into one batch of the journal.
const BATCH: usize = 16;

/// The day, its configuration, and the state after each input of an uninterrupted run.
pub struct Day {
    pub stage: Stage,
    pub config: Config,
    pub events: Vec<Event>,
    /// By input, from zero.
    pub hashes: Vec<u64>,
}

impl Day {
    pub fn new() -> Day {
        let stage = Stage::new(1_500, 3);
        let config = stage.config("journal");
        let mut engine = config.engine.clone();
        engine.capacity.instruments = 16;
        engine.capacity.book_orders = 1 << 13;
        engine.capacity.levels = 1 << 12;
        engine.capacity.ref_pages = 4;
        engine.capacity.own_orders = 128;
        engine.capacity.client_ids = 1024;
        let config = config.with_engine(engine);
        let events = stage.events();
        let mut day = Day { stage, config, events, hashes: Vec::new() };
        let mut run = Run::new(&day, None);
        while run.step() {}
        assert!(run.accepted > 40, "{} orders accepted", run.accepted);
        day.hashes = run.hashes;
        day
    }

    /// Makes the journal of the whole day in `folder`.
    pub fn record<S: Storage>(
        &self,
        folder: &Path,
        storage: S,
        segment_bytes: u64,
    ) -> Result<(), JournalError> {
        let journal = Journal::open(self, folder, storage, segment_bytes)?;
        let mut run = Run::new(self, Some(journal.recorder(self)));
        let mut journal = journal;
        while run.step() {
            journal.poll_each(run.steps);
        }
        journal.end(&mut run)
    }
}

/// For entries, and for texts that they stand for.
type ToRings = (rtrb::Producer<Entry>, rtrb::Producer<Vec<u8>>);

/// The journal end of a run.
pub struct Journal<S: Storage> {
    writer: Writer<S>,
    ring: rtrb::Consumer<Entry>,
    to_rings: std::cell::Cell<Option<ToRings>>,
    pub progress: std::sync::Arc<engine::journal::writer::Progress>,
}

impl<S: Storage> Journal<S> {
    pub fn open(
        day: &Day,
        folder: &Path,
        storage: S,
        segment_bytes: u64,
    ) -> Result<Self, JournalError> {
        let (lease, claim) = (Lease::take(folder)?, Claim::take(folder, None)?);
        let epoch = claim.epoch().into();
        let mut writer = Writer::open_on(storage, lease, claim, Tail::default(), segment_bytes)?;
        for file in &day.config.files {
            let bytes = file.text.clone().into_bytes();
            writer.append_head(&Record::Config { name: file.name.clone(), bytes })?;
        }
        let captures = day.config.engine.feeds[0].captures().unwrap();
        writer.append_head(&Record::Source {
            feed: 0,
            place: 0,
            midnight: captures.date.midnight(),
            digest: digest_of(&day.stage.capture).unwrap(),
            path: day.stage.capture.to_string_lossy().into_owned(),
        })?;
        writer.append_head(&Record::Opened { epoch, seq: 0 })?;
        let (to_ring, ring) = rtrb::RingBuffer::new(1 << 12);
        let (to_files, files) = rtrb::RingBuffer::new(1 << 8);
        let writer = writer.with_files(files);
        let progress = writer.progress();
        Ok(Journal { writer, ring, to_rings: Some((to_ring, to_files)).into(), progress })
    }

    pub fn recorder(&self, _day: &Day) -> Recorder {
        let (to_ring, to_files) = self.to_rings.take().unwrap();
        Recorder::new(to_ring, vec![(true, 0)], 0).with_files(to_files)
    }

    /// Writes what waits, once in so many steps.
    pub fn poll_each(&mut self, steps: usize) {
        if steps.is_multiple_of(BATCH) {
            self.poll();
        }
    }

    pub fn poll(&mut self) {
        while self.writer.poll(&mut self.ring, true) {}
    }

    /// A clean stop.
    pub fn end(mut self, run: &mut Run<'_>) -> Result<(), JournalError> {
        let (seq, hash) = (run.sequencer.engine.seq(), run.sequencer.engine.state_hash());
        let full = run.sequencer.engine.full_hash();
        if let Some(recorder) = &mut run.sequencer.recorder {
            recorder.deep(seq, full);
            recorder.close(seq, hash);
        }
        self.poll();
        self.writer.close()
    }
}

/// A run in its course.
pub struct Run<'a> {
    day: &'a Day,
    /// With the limits in force.
    config: Config,
    pub sequencer: Sequencer,
    /// By input: the state after it.
    pub hashes: Vec<u64>,
    pub steps: usize,
    events: usize,
    orders: Vec<OrderId>,
    asked: u64,
    named: u64,
    pub accepted: u64,
}

impl<'a> Run<'a> {
    pub fn new(day: &'a Day, recorder: Option<Recorder>) -> Run<'a> {
        let engine = Engine::new(&day.config).unwrap();
        let hashes = vec![engine.state_hash()];
        let sequencer = Sequencer::new(engine, recorder);
        let (orders, steps, events) = (Vec::new(), 0, 0);
        let config = day.config.clone();
        Run {
            day,
            config,
            sequencer,
            hashes,
            steps,
            events,
            orders,
            asked: 0,
            named: 0,
            accepted: 0,
        }
    }

    /// The next input of the day: an event, an order, or the cancel of one that rests. `false`: there is none.
    pub fn step(&mut self) -> bool {
        self.steps += 1;
        let due = self.events > BEFORE && self.events.is_multiple_of(BETWEEN);
        if due && self.asked < (self.events / BETWEEN) as u64 {
            self.asked = (self.events / BETWEEN) as u64;
            if self.asked.is_multiple_of(RELOADS) {
                self.reload();
            } else if self.asked.is_multiple_of(3) {
                self.cancel();
            } else {
                self.order();
            }
            return true;
        }
        let Some(event) = self.day.events.get(self.events) else {
            // Last of all, so that what is cut off is a file too.
            let last = self.events == self.day.events.len();
            self.events += 1;
            if last {
                self.reload();
            }
            return last;
        };
        self.events += 1;
        self.sequencer.event(event, &mut ());
        self.note();
        true
    }

    /// Asks for an order that rests far from the market, or takes one lot of it.
    pub fn order(&mut self) -> Answer {
        self.named += 1;
        let takes = self.named.is_multiple_of(5);
        let terms = Terms {
            client_id: ClientOrderId::new(&format!("o{}", self.named)).unwrap(),
            instrument: InstrumentId(0),
            side: Side::Buy,
            order_type: OrderType::Limit,
            tif: if takes { Tif::Ioc } else { Tif::Day },
            px: Px(if takes { 10_000_000 } else { 100 }),
            qty: Qty(1),
            conditions: model::Conditions::NONE,
        };
        let answer = self.request(Ask::New(terms));
        if answer.kind == AnswerKind::Accepted {
            self.accepted += 1;
            if !takes {
                self.orders.push(answer.order);
            }
        }
        answer
    }

    /// Puts other limits in force: tighter; with repetition watched and a row more; wide again.
    fn reload(&mut self) {
        let version = self.sequencer.engine.limits_version();
        let wide = self.day.config.limits_text();
        let row = wide[wide.rfind("[[limit]]").unwrap()..].replace("\"*\"", "\"SYN002\"");
        let watched = "duplicates_max = 8\nduplicates_window_ms = 1";
        let text = match version % 3 {
            1 => wide.replace("clip_max = \"10000000\"", "clip_max = \"10\""),
            2 => wide.replace("duplicates_max = \"off\"", watched) + &row,
            _ => wide.to_owned(),
        };
        let prepared = prepare(&self.config, version, &text).unwrap();
        let control = prepared.rules.control(OperatorName::default(), Note::default());
        let now = self.sequencer.engine.now();
        self.sequencer.limits(now, prepared.rules, control, &mut ()).unwrap();
        assert_eq!(self.sequencer.engine.limits_version(), version + 1);
        self.config = prepared.config;
        self.note();
    }

    /// Cancels an order that rests.
    pub fn cancel(&mut self) -> Option<Answer> {
        let order = self.orders.pop()?;
        Some(self.request(Ask::Cancel { order }))
    }

    pub fn control(&mut self, control: Control) {
        let now = self.sequencer.engine.now();
        self.sequencer.input(now, Body::Control(control), &mut ());
        self.note();
    }

    fn request(&mut self, ask: Ask) -> Answer {
        let (account, origin, note) = (AccountId(0), Origin::Desk(DeskId(0)), Note::default());
        let request = Request { id: self.named, origin, account, ask, note };
        let now = Ts(self.sequencer.engine.now().0 + 1);
        self.sequencer.input(now, Body::Request(request), &mut ());
        let answer = self.sequencer.out.answer.take().unwrap();
        self.note();
        answer
    }

    fn note(&mut self) {
        self.sequencer.out.forget();
        self.hashes.push(self.sequencer.engine.state_hash());
        if let Some(recorder) = &mut self.sequencer.recorder {
            recorder.flush();
        }
    }
}

/// Whether an answer is a refusal because of the journal.
pub fn is_journal_full(answer: &Answer) -> bool {
    answer.verdict.bits & Verdict::bit(Reject::JournalFull) != 0
}

/// The state that a journal comes to.
pub fn recover(folder: &Path) -> Replay {
    let mut replay = Replay::open(folder).unwrap().unwrap();
    replay.run(None, |_| ()).unwrap();
    replay
}

/// Its last input and its hash.
pub fn end_of(folder: &Path) -> (u64, u64) {
    let replay = recover(folder);
    (replay.engine.seq(), replay.engine.state_hash())
}
