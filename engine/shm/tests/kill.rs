//! Two processes, one of which is stopped or killed at random moments: at least 200 times in all.
//! The other must never wait, never see half of anything, and must be told.
//!
//! The other process is this test binary again, running only the test `child`, in the role that the
//! environment names.

mod sample;

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use model::page::{Answer, AnswerKind};
use model::{AccountId, Ask, DeskId, Note, OrderId, Origin, Request, Ts};
use rustix::process::{Pid, Signal, kill_process};
use sample::{CAPACITY, PATIENCE, board, depth, engine, monotonic_ns, record};
use shm::{AttachEvent, Client, Folder, Next, Publisher, ReadError, SendError, TapeCursor};

const ROLE: &str = "TICKGATE_TEST_ROLE";
const FOLDER: &str = "TICKGATE_TEST_FOLDER";
const EPOCH: &str = "TICKGATE_TEST_EPOCH";

/// Kills a test; stops are about half as many again.
const ROUNDS: u64 = 100;
/// A dead engine's pages are stale this long after its last beat.
const STALE_AFTER: Duration = Duration::from_millis(30);

/// Not a test of its own: the other process of the tests below.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let folder = Folder::at(std::env::var(FOLDER).unwrap());
    match role.as_str() {
        "engine" => run_engine(&folder, std::env::var(EPOCH).unwrap().parse().unwrap()),
        "client" => run_client(&[folder]),
        _ => panic!("no such role"),
    }
}

fn spawn(role: &str, folder: &Folder, epoch: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .envs([(ROLE, role), (FOLDER, folder.path().to_str().unwrap())])
        .env(EPOCH, epoch.to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), signal).unwrap();
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Numbers that look random and are the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ mixed >> 31) % end
    }

    fn micros(&mut self, end: u64) -> Duration {
        Duration::from_micros(self.below(end))
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "never came: {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// The child as an engine: publishes as fast as it can until it is killed.
fn run_engine(folder: &Folder, epoch: u64) {
    let (mut publisher, _housekeeping) = engine(folder, "a", epoch);
    for n in 1.. {
        publisher.publish_board(1, &board(n));
        publisher.publish_depth(1, &depth(n));
        publisher.push_tape(&record(n - 1));
        for desk in (0..4).map(DeskId) {
            if let Some(request) = publisher.poll_desk(desk).unwrap() {
                publisher.answer(desk, &Answer::bare(request.id, n, Ts(n), AnswerKind::Accepted));
            }
        }
        publisher.beat(monotonic_ns(), n);
    }
}

/// The child as a client: reads and asks as fast as it can until it is killed.
fn run_client(folders: &[Folder]) {
    let mut reader = None;
    until("an engine", || {
        reader = Client::attach_in(folders, None).ok();
        reader.is_some()
    });
    let mut reader = Reader::new(reader.unwrap());
    loop {
        reader.read();
        reader.ask();
    }
}

/// A client that recomputes whatever it reads.
struct Reader {
    client: Client,
    place: TapeCursor,
    next_record: u64,
    newest: u64,
    expected: Vec<u64>,
    whole: u64,
    stale: u64,
    slowest: Duration,
}

impl Reader {
    fn new(client: Client) -> Reader {
        let place = TapeCursor::default();
        let (next_record, newest, whole, stale) = (0, 0, 0, 0);
        let expected = Vec::new();
        let slowest = Duration::ZERO;
        Reader { client, place, next_record, newest, expected, whole, stale, slowest }
    }

    /// Reads each page and one record of the tape once.
    fn read(&mut self) {
        let start = Instant::now();
        let (board_read, depth_read) = (self.client.board(1), self.client.depth(1));
        self.slowest = self.slowest.max(start.elapsed());
        match board_read {
            Ok(page) => {
                let n = page.as_of.engine_seq;
                assert_eq!(page, board(n), "torn board");
                assert!(n >= self.newest, "time runs forward");
                self.newest = n;
                self.whole += 1;
            }
            Err(ReadError::Stale) => self.stale += 1,
            Err(error) => assert_eq!(error, ReadError::Absent),
        }
        match depth_read {
            Ok(page) => assert_eq!(page, depth(page.as_of.engine_seq), "torn depth"),
            Err(error) => assert!(matches!(error, ReadError::Stale | ReadError::Absent)),
        }
        match self.client.next_record(&mut self.place).unwrap() {
            Next::Record(read) => {
                assert_eq!(read, record(self.next_record), "torn or misplaced record");
                self.next_record += 1;
            }
            Next::Lost(count) => self.next_record += count,
            Next::Empty => {}
        }
    }

    /// Sends a request if there is room, and takes an answer if there is one: in order, to what was
    /// asked.
    fn ask(&mut self) {
        let ask = Ask::Cancel { order: OrderId(self.expected.len() as u64) };
        let (origin, note) = (Origin::File, Note::default());
        let request = Request { id: 0, origin, account: AccountId(0), ask, note };
        match self.client.send(&request) {
            Ok(id) => self.expected.push(id),
            Err(error) => assert!(matches!(error, SendError::Full | SendError::Gone)),
        }
        if let Some(answer) = self.client.poll_answer() {
            let place = self.expected.iter().position(|id| *id == answer.request);
            self.expected.drain(..=place.expect("an answer to a request of ours"));
        }
    }

    fn read_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.read();
            self.ask();
        }
    }
}

/// Goal: a client of an engine that is stopped or killed at any moment keeps reading whole pages in
/// bounded work, hears `Stale` and that it is gone, and finds the next engine under the same name.
/// Method: an engine process, killed 100 times at random moments, every second time stopped before;
/// every page and record is recomputed.
#[test]
fn engine_is_killed_and_stopped() {
    let temp = tempfile::tempdir().unwrap();
    let folders = [Folder::at(temp.path().join("engines"))];
    let mut dice = Dice(1);
    let (mut whole, mut records, mut slowest) = (0, 0, Duration::ZERO);
    for epoch in 1..=ROUNDS {
        let child = spawn("engine", &folders[0], epoch);
        let mut client = None;
        until("the engine listens", || {
            client = Client::attach_in(&folders, Some("a")).ok();
            client.is_some()
        });
        let mut reader = Reader::new(client.unwrap());
        assert_eq!(reader.client.epoch(), epoch);
        reader.client.set_stale_after(STALE_AFTER);
        until("the engine publishes", || {
            reader.read();
            reader.whole > 0
        });
        reader.read_for(dice.micros(4_000));
        if epoch % 2 == 0 {
            signal(&child, Signal::STOP);
            reader.read_for(dice.micros(4_000));
            assert!(!reader.client.is_gone(), "stopped is not gone");
        }
        if epoch % 4 == 0 {
            signal(&child, Signal::CONT);
            reader.read_for(dice.micros(4_000));
        }
        if epoch % 16 == 2 {
            until("a stopped engine is stale", || reader.client.board(1) == Err(ReadError::Stale));
            let answer = reader.client.poll_answer();
            assert!(answer.is_none_or(|answer| reader.expected.contains(&answer.request)));
        }
        kill(child);
        until("a killed engine is gone", || reader.client.is_gone());
        until("a killed engine is stale", || {
            reader.read();
            reader.client.board(1) == Err(ReadError::Stale)
        });
        reader.client.set_stale_after(PATIENCE);
        let last = reader.client.board(1);
        assert!(last.is_ok(), "what it last said is whole: {last:?}");
        reader.ask();
        (0..100).for_each(|_| reader.read());
        (whole, records) = (whole + reader.whole, records + reader.next_record);
        slowest = slowest.max(reader.slowest);
    }
    println!("{whole} boards, {records} records, slowest pair of reads {slowest:?}");
}

/// What the engine thread of the next test tells when it ends.
struct Tally {
    requests: u64,
    slowest: Duration,
}

/// The engine thread: publishes, takes requests and checks that those of a lease come without a
/// hole and none after its end.
fn serve(
    mut publisher: Publisher,
    closed: Receiver<DeskId>,
    loops: &AtomicU64,
    stop: &AtomicBool,
) -> Tally {
    let mut ended = [0_u64; CAPACITY.desks as usize];
    let mut last = [0_u64; CAPACITY.desks as usize];
    let mut tally = Tally { requests: 0, slowest: Duration::ZERO };
    for n in 1.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let start = Instant::now();
        while let Ok(desk) = closed.try_recv() {
            ended[usize::from(desk.0)] = last[usize::from(desk.0)] >> 32;
        }
        publisher.publish_board(1, &board(n));
        publisher.publish_depth(1, &depth(n));
        publisher.push_tape(&record(n - 1));
        for desk in 0..CAPACITY.desks as usize {
            for _ in 0..8 {
                let id = DeskId(desk as u8);
                let Some(request) = publisher.poll_desk(id).expect("clients are honest") else {
                    break;
                };
                assert_eq!(request.origin, Origin::Desk(id));
                assert!(request.id >> 32 > ended[desk], "a request after the end of its lease");
                if request.id >> 32 != last[desk] >> 32 {
                    assert_eq!(request.id as u32, 1, "a lease begins with its first request");
                } else {
                    assert_eq!(request.id, last[desk] + 1, "no hole, no repetition");
                }
                last[desk] = request.id;
                publisher.answer(id, &Answer::bare(request.id, n, Ts(n), AnswerKind::Accepted));
                tally.requests += 1;
            }
        }
        publisher.beat(monotonic_ns(), n);
        loops.store(n, Ordering::Relaxed);
        tally.slowest = tally.slowest.max(start.elapsed());
    }
    tally
}

/// Goal: an engine whose clients are stopped or killed at any moment never waits for one, takes
/// only whole requests, and leases the desk again. Method: client processes at one of four desks,
/// killed 100 times at random moments, every second time stopped before; the engine thread checks
/// every request.
#[test]
fn client_is_killed_and_stopped() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::at(temp.path().join("engines"));
    let (publisher, housekeeping) = engine(&folder, "a", 1);
    let (loops, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut dice = Dice(2);
    let tally = std::thread::scope(|scope| {
        let (sender, closed) = channel();
        let (loops, stop) = (&loops, &stop);
        let engine = scope.spawn(move || serve(publisher, closed, loops, stop));
        for round in 0..ROUNDS {
            let child = spawn("client", &folder, 0);
            let AttachEvent::Attached(desk) = housekeeping.event() else { panic!("attached") };
            std::thread::sleep(dice.micros(4_000));
            if round % 2 == 0 {
                signal(&child, Signal::STOP);
                let before = loops.load(Ordering::Relaxed);
                until("the engine goes on", || loops.load(Ordering::Relaxed) > before + 50);
            }
            if round % 4 == 0 {
                signal(&child, Signal::CONT);
                std::thread::sleep(dice.micros(4_000));
            }
            kill(child);
            assert_eq!(housekeeping.event(), AttachEvent::Closed(desk));
            sender.send(desk).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        engine.join().unwrap()
    });
    println!("{} requests, slowest loop {:?}", tally.requests, tally.slowest);
    assert!(tally.requests > ROUNDS, "clients asked");
}
