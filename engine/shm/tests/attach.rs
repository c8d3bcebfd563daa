//! One engine and its clients in one process: the whole way through the attach socket, and
//! everything that it refuses.

mod sample;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use model::page::{Answer, AnswerKind, Board};
use model::{AccountId, Ask, DeskId, Note, OrderId, Origin, Request, Ts};
use sample::{CAPACITY, PATIENCE, board, depth, engine, monotonic_ns, record};
use shm::{
    AttachError, AttachEvent, Capacity, Client, Folder, Listener, Next, Publisher, ReadError,
    SendError, ShmError, halt_in,
};
use tempfile::TempDir;

fn folder() -> (TempDir, Vec<Folder>) {
    let temp = tempfile::tempdir().unwrap();
    let folders = vec![Folder::at(temp.path().join("engines"))];
    (temp, folders)
}

fn cancel(order: u64) -> Request {
    let ask = Ask::Cancel { order: OrderId(order) };
    let (origin, note) = (Origin::Strategy(9), Note::lossy("test"));
    Request { id: 0, origin, account: AccountId(1), ask, note }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "never came: {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Goal: every object goes the whole way. Method: publish each, read each; send, poll, answer,
/// hear.
#[test]
fn journey() {
    let (_temp, folders) = folder();
    let (mut publisher, housekeeping) = engine(&folders[0], "a", 77);
    let mut client = Client::attach_in(&folders, None).unwrap();
    assert_eq!(housekeeping.event(), AttachEvent::Attached(client.desk()));
    assert_eq!((client.engine_name(), client.epoch()), ("a", 77));
    assert_eq!((client.engine_pid(), *client.capacity()), (std::process::id(), CAPACITY));

    assert_eq!(client.board(1), Err(ReadError::Absent));
    assert_eq!(client.board(4), Err(ReadError::OutOfRange));
    assert_eq!(client.control(), Err(ReadError::Absent));
    publisher.publish_board(1, &board(5));
    publisher.publish_depth(3, &depth(6));
    publisher.beat(monotonic_ns(), 1);
    client.set_stale_after(PATIENCE);
    assert_eq!(client.board(1), Ok(board(5)));
    assert_eq!(client.depth(3), Ok(depth(6)));
    assert_eq!(publisher.ignored(), 0);
    publisher.publish_board(4, &board(5));
    publisher.answer(DeskId(4), &Answer::bare(0, 0, Ts(0), AnswerKind::Malformed));
    assert_eq!(publisher.ignored(), 2);

    let mut place = client.tape();
    assert_eq!(client.next_record(&mut place), Ok(Next::Empty));
    publisher.push_tape(&record(0));
    assert_eq!(client.next_record(&mut place), Ok(Next::Record(record(0))));

    let id = client.send(&cancel(3)).unwrap();
    let desk = client.desk();
    let request = publisher.poll_desk(desk).unwrap().unwrap();
    assert_eq!(request, Request { id, origin: Origin::Desk(desk), ..cancel(3) });
    assert_eq!(client.poll_answer(), None);
    let answer = Answer::bare(id, 1, Ts(2), AnswerKind::Accepted);
    publisher.answer(desk, &answer);
    assert_eq!(client.poll_answer(), Some(answer));
    assert_eq!(client.poll_answer(), None);
    assert!(!client.is_gone());
    drop(client);
    assert_eq!(housekeeping.event(), AttachEvent::Closed(desk));
}

/// Goal: a ring is full when it is full, and takes more once the engine has taken some. Method:
/// eight slots.
#[test]
fn full_ring_refuses() {
    let (_temp, folders) = folder();
    let (mut publisher, _housekeeping) = engine(&folders[0], "a", 1);
    let mut client = Client::attach_in(&folders, Some("a")).unwrap();
    let ids: Vec<u64> = (0..8).map(|n| client.send(&cancel(n)).unwrap()).collect();
    assert_eq!(client.send(&cancel(8)), Err(SendError::Full));
    for id in &ids[..2] {
        assert_eq!(publisher.poll_desk(client.desk()).unwrap().unwrap().id, *id);
    }
    client.send(&cancel(8)).unwrap();
    client.send(&cancel(9)).unwrap();
    assert_eq!(client.send(&cancel(10)), Err(SendError::Full));
    let rest = core::iter::from_fn(|| publisher.poll_desk(client.desk()).unwrap());
    assert_eq!(rest.count(), 8);
}

/// Goal: answers that nobody polled are overwritten and counted; an answer to a former client of
/// the desk is never taken for one's own. Method: one desk; answer the first client late; then
/// answer the second more often than its ring holds.
#[test]
fn answers_are_ones_own() {
    let (_temp, folders) = folder();
    let capacity = Capacity { desks: 1, ..CAPACITY };
    let mut publisher = Publisher::create(capacity, 1).unwrap();
    let listener = Listener::bind_in(&folders[0], "a", &mut publisher).unwrap();
    let housekeeping = sample::Housekeeping::start(listener);
    let desk = DeskId(0);
    let mut first = Client::attach_in(&folders, None).unwrap();
    let old = first.send(&cancel(1)).unwrap();
    assert!(publisher.poll_desk(desk).unwrap().is_some());
    assert!(matches!(Client::attach_in(&folders, None), Err(AttachError::NoDesk)));
    drop(first);
    until("the desk is free again", || {
        let _ = publisher.poll_desk(desk);
        housekeeping.events.try_recv() == Ok(AttachEvent::Closed(desk))
    });
    let mut second = None;
    until("the desk is leased again", || {
        assert_eq!(publisher.poll_desk(desk), Ok(None), "nothing of the former client");
        second = Client::attach_in(&folders, None).ok();
        second.is_some()
    });
    let mut second = second.unwrap();
    let new = second.send(&cancel(2)).unwrap();
    assert_ne!(old, new, "though both are a first request");
    publisher.answer(desk, &Answer::bare(old, 1, Ts(2), AnswerKind::Accepted));
    assert_eq!(second.poll_answer(), None);
    let answer = |n| Answer::bare(new, n, Ts(2), AnswerKind::Accepted);
    (0..20).for_each(|n| publisher.answer(desk, &answer(n)));
    let heard: Vec<u64> =
        core::iter::from_fn(|| second.poll_answer()).map(|answer| answer.engine_seq).collect();
    assert_eq!(heard.last(), Some(&19));
    assert_eq!(heard.len() as u64 + second.answers_lost(), 20);
}

/// Goal: pages of an engine that has not begun to beat, or stopped, are called stale, and read again when it beats.
/// Method: none, and an old heartbeat.
#[test]
fn silent_engine_is_stale() {
    let (_temp, folders) = folder();
    let (mut publisher, _housekeeping) = engine(&folders[0], "a", 1);
    let mut client = Client::attach_in(&folders, None).unwrap();
    publisher.publish_board(0, &board(1));
    assert_eq!(client.heartbeat_age(), None);
    // It may have died before it began to beat.
    assert_eq!(client.board(0), Err(ReadError::Stale));
    publisher.beat(monotonic_ns() - 2_000_000_000, 5);
    assert!(client.heartbeat_age().unwrap() >= Duration::from_secs(2));
    assert_eq!(client.board(0), Err(ReadError::Stale));
    assert_eq!(client.loops(), 5);
    client.set_stale_after(PATIENCE);
    assert_eq!(client.board(0), Ok(board(1)));
    publisher.beat(monotonic_ns(), 6);
    assert!(client.heartbeat_age().unwrap() < PATIENCE);
}

/// Goal: who polls gets each board once, and none is lost to him because the engine's heart stood still when it came. Method: a
/// board before the first beat, then beats, then another board.
#[test]
fn newer_boards_come_once() {
    let (_temp, folders) = folder();
    let (mut publisher, _housekeeping) = engine(&folders[0], "a", 1);
    let client = Client::attach_in(&folders, None).unwrap();
    let (mut boards, mut words) = (client.board_words(0).unwrap(), [0; Board::WORDS]);
    let mut poll = || boards.read_newer(&mut words).map(|new| new.then_some(words));
    assert_eq!(poll(), Ok(None));
    publisher.publish_board(0, &board(1));
    assert_eq!(poll(), Err(ReadError::Stale));
    publisher.beat(monotonic_ns(), 5);
    assert_eq!(poll(), Ok(Some(board(1).to_words())));
    assert_eq!(poll(), Ok(None));
    publisher.publish_board(0, &board(2));
    publisher.publish_board(0, &board(3));
    assert_eq!(poll(), Ok(Some(board(3).to_words())));
    assert_eq!(poll(), Ok(None));
    assert_eq!(boards.read(&mut words), Ok(()));
    assert_eq!(words, board(3).to_words());
    assert_eq!(client.board_words(4).err(), Some(ReadError::OutOfRange));
}

/// Goal: a name belongs to one living engine; a dead one's socket is replaced; a client finds the
/// only engine, or is told of none and of several. Method: all of these in one folder.
#[test]
fn names_and_finding() {
    let (_temp, folders) = folder();
    assert!(matches!(Client::attach_in(&folders, None), Err(AttachError::NoEngine(None))));
    let absent = Client::attach_in(&folders, Some("a")).unwrap_err();
    assert_eq!(absent.to_string(), "no engine is running under the name \"a\"");
    std::fs::create_dir(folders[0].path()).unwrap();
    std::fs::set_permissions(folders[0].path(), PermissionsExt::from_mode(0o700)).unwrap();
    // What a killed engine leaves behind.
    drop(UnixListener::bind(folders[0].path().join("a.sock")).unwrap());
    assert!(matches!(Client::attach_in(&folders, None), Err(AttachError::NoEngine(None))));

    let (mut publisher, first) = engine(&folders[0], "a", 1);
    let mut other = Publisher::create(CAPACITY, 2).unwrap();
    let taken = Listener::bind_in(&folders[0], "a", &mut other);
    assert!(matches!(taken, Err(ShmError::NameTaken(name)) if name == "a"));
    let bad = Listener::bind_in(&folders[0], "../a", &mut other);
    assert!(matches!(bad, Err(ShmError::Name(_))));
    let twice = Listener::bind_in(&folders[0], "c", &mut publisher);
    assert!(matches!(twice, Err(ShmError::AlreadyBound)));
    assert_eq!(Client::attach_in(&folders, None).unwrap().epoch(), 1);

    let (_publisher, _second) = engine(&folders[0], "b", 3);
    let several = Client::attach_in(&folders, None);
    assert!(matches!(several, Err(AttachError::SeveralEngines(names)) if names == ["a", "b"]));
    assert_eq!(Client::attach_in(&folders, Some("b")).unwrap().epoch(), 3);
    let mode = std::fs::metadata(folders[0].path().join("a.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let client = Client::attach_in(&folders, Some("a")).unwrap();
    drop(first);
    assert!(client.is_gone());
    assert!(!folders[0].path().join("a.sock").exists());
    let (_publisher, _again) = engine(&folders[0], "a", 4);
    assert_eq!(Client::attach_in(&folders, Some("a")).unwrap().epoch(), 4);
    std::fs::set_permissions(folders[0].path(), PermissionsExt::from_mode(0o777)).unwrap();
    assert!(matches!(Client::attach_in(&folders, Some("a")), Err(AttachError::Folder(_))));
}

/// Goal: a halt reaches the engine with its reason, and needs no desk. Method: take every desk
/// first.
#[test]
fn halt_needs_no_desk() {
    let (_temp, folders) = folder();
    let (_publisher, housekeeping) = engine(&folders[0], "a", 1);
    let clients: Vec<Client> = (0..4).map(|_| Client::attach_in(&folders, None).unwrap()).collect();
    assert!(matches!(Client::attach_in(&folders, None), Err(AttachError::NoDesk)));
    clients.iter().for_each(|_| _ = housekeeping.event());
    halt_in(&folders, None, "fat finger\n").unwrap();
    let note = Note::lossy("fat finger");
    assert_eq!(housekeeping.event(), AttachEvent::Halt { note });
    assert!(clients.iter().all(|client| !client.is_gone()), "nobody was put out");
}

/// Goal: a capacity that cannot be is refused by name. Method: one.
#[test]
fn bad_capacity_is_refused() {
    let capacity = Capacity { tape: 100, ..CAPACITY };
    let refused = Publisher::create(capacity, 1).err().unwrap();
    assert_eq!(refused.to_string(), "capacity of tape: a power of two from 8 to 1048576");
}
