use std::io::{BufRead, BufReader};

use super::*;
use crate::words::{Done, Refusal, Scope};
use model::HaltLevel;

struct Place {
    socket: OperatorSocket,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.operator.sock");
        Place { socket: OperatorSocket::bind(&path).unwrap(), path, _folder: folder }
    }

    fn guest(&self, says: &[u8]) -> UnixStream {
        let mut guest = UnixStream::connect(&self.path).unwrap();
        guest.write_all(says).unwrap();
        guest
    }

    /// Polls a few times at `now`.
    fn asked(&mut self, now: Instant) -> Vec<Asked> {
        (0..64).filter_map(|_| self.socket.poll(now)).collect()
    }
}

/// The line that comes back. What follows may be a reset: not all that was said was read.
fn heard(guest: UnixStream) -> String {
    guest.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut text = String::new();
    BufReader::new(guest).read_line(&mut text).unwrap();
    text
}

/// Goal: a request comes whole however it is cut, and its answer goes to who asked. Method: two guests, one of them byte by
/// byte, answered in the other order.
#[test]
fn answers_go_to_who_asked() {
    let mut place = Place::new();
    let now = Instant::now();
    let line = br#"{"op":"halt","scope":{"kind":"all"},"level":"halted","reason":"r"}"#;
    let mut slow = place.guest(b"");
    let quick = place.guest(b"{\"op\":\"status\"}\n");
    let mut asked = place.asked(now);
    for byte in line {
        slow.write_all(&[*byte]).unwrap();
        asked.extend(place.asked(now));
    }
    assert_eq!(asked.len(), 1, "no line is whole before its end");
    slow.write_all(b"\n").unwrap();
    asked.extend(place.asked(now));
    let [first, second] = &asked[..] else { panic!("{asked:?}") };
    assert!(matches!(first.request, Request::Status {}));
    assert!(matches!(
        second.request,
        Request::Halt { scope: Scope::All, level: HaltLevel::Halted, .. }
    ));
    assert_eq!(second.uid, rustix::process::geteuid().as_raw());
    let done = Answer::Done(Done {
        engine_seq: Some(7),
        recorded: true,
        latched: true,
        level: "halted".into(),
    });
    place.socket.answer(second.ticket, &done, now);
    place.socket.answer(first.ticket, &Answer::refused("no", "none"), now);
    assert!(heard(slow).contains("\"engine_seq\":7"));
    let answer: Answer = serde_json::from_str(&heard(quick)).unwrap();
    let refusal = Refusal { code: "no".into(), message: "none".into() };
    assert!(matches!(answer, Answer::Refused(read) if read == refusal));
}

/// Goal: bytes that are no request end the connection, and nothing of them is said again. Method: rubbish, deep nesting,
/// too long, half a line and the end.
#[test]
fn hostile_bytes_end_the_connection() {
    let mut place = Place::new();
    let now = Instant::now();
    let deep = ["[".repeat(REQUEST_MAX - 1), "\n".into()].concat();
    let long = "x".repeat(REQUEST_MAX + 1);
    let texts = [&b"\xFF\x00hunter2\n"[..], deep.as_bytes(), long.as_bytes(), b"\n", b"{}\n"];
    for text in texts {
        let guest = place.guest(text);
        assert!(place.asked(now).is_empty());
        let answer = heard(guest);
        assert!(answer.contains("malformed") || answer.contains("too_long"), "{answer}");
        assert!(!answer.contains("hunter2") && answer.len() < 200, "{answer}");
    }
    drop(place.guest(b"{\"op\":"));
    assert!(place.asked(now).is_empty());
    assert!(place.socket.guests.is_empty());
}

/// Goal: guests that say nothing neither stay nor keep others out. Method: more of them than there is room, then one that
/// asks; then time passes.
#[test]
fn silent_guests_are_put_out() {
    let mut place = Place::new();
    let now = Instant::now();
    let silent: Vec<_> = (0..3 * GUESTS_MAX)
        .map(|_| {
            let guest = place.guest(b"");
            place.socket.poll(now);
            guest
        })
        .collect();
    assert_eq!(place.socket.guests.len(), GUESTS_MAX);
    let _asks = place.guest(b"{\"op\":\"status\"}\n");
    assert_eq!(place.asked(now).len(), 1);
    place.asked(now + PATIENCE + Duration::from_millis(1));
    assert_eq!(place.socket.guests.len(), 1, "who waits for an answer stays");
    drop(silent);
}

/// Goal: a guest that does not take its answer holds nothing up. Method: an answer that no buffer holds, never read.
#[test]
fn answers_are_not_waited_for() {
    let mut place = Place::new();
    let now = Instant::now();
    let _guest = place.guest(b"{\"op\":\"status\"}\n");
    let asked = place.asked(now);
    let long = Answer::refused("long", "x".repeat(4 << 20));
    place.socket.answer(asked[0].ticket, &long, now);
    place.asked(now);
    assert_eq!(place.socket.guests.len(), 1);
    place.asked(now + PATIENCE + Duration::from_millis(1));
    assert!(place.socket.guests.is_empty());
}

/// Goal: only the engine's user comes in, and a dead engine's socket does not keep the name. Method: the mode; bind again.
#[test]
fn the_socket_is_private() {
    let place = Place::new();
    let mode = std::fs::metadata(&place.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let path = place.path.clone();
    std::mem::forget(place.socket);
    let again = OperatorSocket::bind(&path).unwrap();
    drop(again);
    assert!(!path.exists());
}

/// Goal: a reload brings a file of the longest size, in pieces; nothing else is as long, and nothing is longer. Method: a file of
/// as many bytes as may be, all of them escaped; a status of the same length; one byte too many.
#[test]
fn only_a_reload_is_long() {
    let mut place = Place::new();
    let now = Instant::now();
    let says = |place: &Place, line: Vec<u8>| {
        let mut guest = UnixStream::connect(&place.path).unwrap();
        std::thread::spawn(move || {
            let _ = guest.write_all(&line);
            guest
        })
    };
    let line = |op: &str, lines: usize| {
        let text = "\\n".repeat(lines);
        format!("{{\"op\":\"{op}\",\"text\":\"{text}\"}}\n").into_bytes()
    };
    let until = |place: &mut Place, guest: &std::thread::JoinHandle<UnixStream>| {
        let since = Instant::now();
        loop {
            if let Some(asked) = place.socket.poll(now) {
                return Some(asked);
            }
            if guest.is_finished() && since.elapsed() > Duration::from_millis(300) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    let guest = says(&place, line("reload", LIMITS_MAX));
    let asked = until(&mut place, &guest).unwrap();
    let Request::Reload(reload) = asked.request else { panic!() };
    assert_eq!(reload.text.len(), LIMITS_MAX);
    for (op, lines) in [("status", LIMITS_MAX), ("reload", LIMITS_MAX + REQUEST_MAX)] {
        let guest = says(&place, line(op, lines));
        assert!(until(&mut place, &guest).is_none(), "{op}");
    }
}
