//! What only a client that means harm would do, and what only an engine of another build would say.
//! The ordinary journey is in `tests/attach.rs`.

use super::*;
use crate::Capacity;
use crate::desk::DeskFault;
use crate::find::connect;
use crate::folder::Folder;
use crate::header::Version;
use crate::listener::{AttachEvent, Listener};
use crate::publisher::Publisher;
use model::{AccountId, Ask, Note, OrderId};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketAddrUnix, SocketFlags, SocketType, accept,
    bind, listen, send, shutdown, socket_with,
};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const DESK: DeskId = DeskId(0);
const CAPACITY: Capacity = Capacity {
    instruments: 1,
    accounts: 1,
    lines: 1,
    orders: 1,
    tape: 8,
    desks: 1,
    requests: 8,
    answers: 8,
};

fn folders() -> (tempfile::TempDir, Vec<Folder>) {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::at(temp.path().join("engines"));
    folder.prepare().unwrap();
    (temp, vec![folder])
}

/// An engine with one desk; its attach socket is served until the receiver is dropped.
fn engine(folder: &Folder) -> (Publisher, Receiver<AttachEvent>) {
    let mut publisher = Publisher::create(CAPACITY, 5).unwrap();
    let mut listener = Listener::bind_in(folder, "a", &mut publisher).unwrap();
    let (sender, events) = channel();
    std::thread::spawn(move || {
        loop {
            let event = listener.poll(Duration::from_millis(2)).unwrap();
            if event.is_some_and(|event| sender.send(event).is_err()) {
                return;
            }
        }
    });
    (publisher, events)
}

fn attach(folders: &[Folder], publisher: &mut Publisher) -> Client {
    let start = Instant::now();
    loop {
        match Client::attach_in(folders, None) {
            Err(AttachError::NoDesk) if start.elapsed() < Duration::from_secs(10) => {
                assert_eq!(publisher.poll_desk(DESK), Ok(None));
            }
            attached => return attached.unwrap(),
        }
    }
}

fn request() -> Request {
    let ask = Ask::Cancel { order: OrderId(1) };
    Request { id: 0, origin: Origin::File, account: AccountId(0), ask, note: Note::default() }
}

/// Goal: a client that claims more than its ring holds is put out and its desk given to the next
/// with a fresh memory. Method: a forged count, as often as the desk is leased.
#[test]
fn overrun_ends_the_lease() {
    let (_temp, folders) = folders();
    let (mut publisher, events) = engine(&folders[0]);
    for round in 0..5 {
        let mut client = attach(&folders, &mut publisher);
        assert_eq!(events.recv().unwrap(), AttachEvent::Attached(DESK));
        client.send(&request()).unwrap();
        assert!(publisher.poll_desk(DESK).unwrap().is_some(), "round {round}");
        client.requests.words()[0].store(100, Release);
        assert_eq!(publisher.poll_desk(DESK), Err(DeskFault::Overrun));
        assert_eq!(publisher.poll_desk(DESK), Ok(None), "said once, then silent");
        assert_eq!(events.recv().unwrap(), AttachEvent::Closed(DESK));
        assert!(client.is_gone());
        assert_eq!(client.send(&request()), Err(SendError::Gone));
    }
}

/// Goal: a former client whose map is still there reaches nobody. Method: it hangs up but keeps its
/// memory, another client takes the desk, both write.
#[test]
fn former_client_reaches_nobody() {
    let (_temp, folders) = folders();
    let (mut publisher, events) = engine(&folders[0]);
    let former = attach(&folders, &mut publisher);
    shutdown(&former.socket, Shutdown::Both).unwrap();
    assert_eq!(events.recv().unwrap(), AttachEvent::Attached(DESK));
    assert_eq!(events.recv().unwrap(), AttachEvent::Closed(DESK));
    let salt = salt(5, former.lease);
    let ring = DeskRing::over(former.requests.words(), 8, salt).unwrap();
    ring.push(&request().to_words());
    assert_eq!(publisher.poll_desk(DESK), Ok(None), "closed before it was polled");

    let mut present = attach(&folders, &mut publisher);
    ring.push(&request().to_words());
    former.requests.words().iter().skip(1).for_each(|word| word.store(u64::MAX, Relaxed));
    assert_eq!(publisher.poll_desk(DESK), Ok(None));
    let id = present.send(&request()).unwrap();
    assert_eq!(publisher.poll_desk(DESK).unwrap().unwrap().id, id);
}

/// Goal: whatever is said on the socket out of turn ends that connection alone, and connections
/// that say nothing crowd out nobody. Method: noise, commands out of turn, forty silent
/// connections; then a client attaches.
#[test]
fn rude_guests() {
    let (_temp, folders) = folders();
    let (mut publisher, _events) = engine(&folders[0]);
    let long = vec![b'x'; 5000];
    let words: [&[u8]; 6] = [b"\xFF\x00", b"mapped", b"attachment", b" attach", b"", &long];
    for word in words {
        let socket = connect(&folders[0], "a").unwrap();
        send(&socket, word, SendFlags::NOSIGNAL).unwrap();
        assert_eq!(hear(&socket).unwrap_or_default(), "", "{word:?}");
    }
    // Takes the desk and then says the wrong thing: the desk is free again.
    let socket = connect(&folders[0], "a").unwrap();
    say(&socket, ATTACH).unwrap();
    assert!(Greeting::receive(&socket).unwrap().0.unwrap().desk.is_some());
    say(&socket, ATTACH).unwrap();
    assert_eq!(hear(&socket).unwrap_or_default(), "");

    let silent: Vec<_> = (0..40).map(|_| connect(&folders[0], "a").unwrap()).collect();
    let mut client = attach(&folders, &mut publisher);
    client.send(&request()).unwrap();
    assert!(publisher.poll_desk(DESK).unwrap().is_some());
    drop(silent);
    assert!(!client.is_gone());
}

/// What a client makes of a peer that answers `attach` with these bytes.
fn greeted_with(bytes: &[u8]) -> AttachError {
    let (_temp, folders) = folders();
    let (kind, flags) = (SocketType::SEQPACKET, SocketFlags::CLOEXEC);
    let socket = socket_with(AddressFamily::UNIX, kind, flags, None).unwrap();
    bind(&socket, &SocketAddrUnix::new(folders[0].socket_path("a")).unwrap()).unwrap();
    listen(&socket, 4).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The first connection only looks whether somebody listens.
            drop(accept(&socket).unwrap());
            let peer = accept(&socket).unwrap();
            assert_eq!(hear(&peer).unwrap(), ATTACH);
            send(&peer, bytes, SendFlags::NOSIGNAL).unwrap();
            let _ = rustix::net::recv(&peer, &mut [0; 8][..], RecvFlags::empty());
        });
        Client::attach_in(&folders, None).unwrap_err()
    })
}

/// Goal: an engine of another build is told from something that is no engine, and both versions are
/// named. Method: greetings of another ABI, another layout, a shorter one of a later build, noise,
/// and a right one without memory.
#[test]
fn foreign_greetings() {
    let header = Header { epoch: 1, pid: 2, started_ns: 3, capacity: CAPACITY };
    let greeting = |abi: u64, layout: u64, length: usize| {
        let mut words = header.to_words();
        (words[1], words[2]) = (abi, layout);
        let bytes: Vec<u8> =
            words.into_iter().chain([0, 1]).flat_map(u64::to_le_bytes).take(length * 8).collect();
        greeted_with(&bytes)
    };
    let ours = Version::OURS;
    for (abi, layout, length) in [(9, ours.layout, 18), (ours.abi, 8, 18), (9, 8, 3)] {
        let engine = Version { abi, layout };
        match greeting(abi.into(), layout, length) {
            AttachError::Version { engine: said, client } => {
                assert_eq!((said, client), (engine, ours));
            }
            other => panic!("{other}"),
        }
    }
    let text = greeting(9, 8, 18).to_string();
    assert!(text.contains("9-0000000000000008") && text.contains(&ours.to_string()), "{text}");
    let protocol = |error| matches!(error, AttachError::Protocol(_));
    assert!(protocol(greeted_with(b"HTTP/1.1 400 Bad Request")));
    assert!(protocol(greeting(ours.abi.into(), ours.layout, 18)), "no memory came with it");
}
