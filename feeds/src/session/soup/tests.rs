use model::Ts;

use super::*;
use crate::session::SessionId;

const SESSION: SessionId = SessionId(*b"     ABC12");
const SECOND: u64 = 1_000_000_000;

fn client() -> Client {
    Client::new(Login::new("user", "secret").unwrap(), ClientOptions::default())
}

/// All that a client makes of `bytes`, as text.
fn says(client: &mut Client, bytes: &[u8], now: u64) -> Result<Vec<String>, SoupError> {
    let mut said = Vec::new();
    client.on_bytes(bytes, Ts(now), &mut |received| said.push(format!("{received:?}")))?;
    Ok(said)
}

fn logged_in(next: u64) -> Client {
    let mut client = client();
    client.on_opened(Ts(0));
    client.next_outgoing().unwrap();
    let mut bytes = Vec::new();
    server::accepted(SESSION, next, &mut bytes);
    assert_eq!(says(&mut client, &bytes, 0).unwrap().len(), 1);
    client
}

/// Goal: the login is the specification's, byte for byte, and reads back. Method: both lengths.
#[test]
fn login() {
    let mut login = Login::new("user", "secret").unwrap();
    let mut room = [0; 54];
    let expected = b"\0\x2FLuser  secret                                 1";
    assert_eq!(login.encode(&mut room), expected);
    assert_eq!(Login::decode(&expected[3..]), Some(login));
    login.timeout_ms = Some(15_000);
    let bytes = login.encode(&mut room);
    assert_eq!([49, bytes.len()], Login::LENGTHS);
    assert!(bytes.ends_with(b"115000"));
    assert_eq!(Login::decode(&bytes[3..]), Some(login));
    assert_eq!(Login::decode(&bytes[4..]), None);
    assert_eq!(Login::new("toolong", ""), None);
}

/// Goal: numbers may be padded with spaces or zeros. Method: both, and what is no number.
#[test]
fn numbers() {
    for (field, value) in [
        (&b"      12"[..], Some(12)),
        (b"00000012", Some(12)),
        (b" 0", Some(0)),
        (b"18446744073709551615", Some(u64::MAX)),
        (b"18446744073709551616", None),
        (b"    ", None),
        (b"12 ", None),
        (b"-1", None),
    ] {
        assert_eq!(number(field), value, "{field:?}");
    }
    let mut field = [0; 5];
    put_number(0, &mut field);
    assert_eq!(&field, b"    0");
}

/// Goal: a session is the same in any chunks, and sequences are counted. Method: one server's words cut at
/// every place, then byte by byte.
#[test]
fn any_chunks() {
    let mut bytes = Vec::new();
    server::accepted(SESSION, 7, &mut bytes);
    server::sequenced(b"one", &mut bytes);
    bytes.extend_from_slice(&server::HEARTBEAT);
    server::unsequenced(b"two", &mut bytes);
    server::sequenced(b"", &mut bytes);
    bytes.extend_from_slice(&server::END);
    let run = |chunks: &[&[u8]]| {
        let mut client = client();
        client.on_opened(Ts(0));
        let said = chunks.iter().flat_map(|chunk| says(&mut client, chunk, 0).unwrap());
        let said: Vec<_> = said.collect();
        (said, client.next())
    };
    let (whole, next) = run(&[&bytes]);
    assert_eq!((whole.len(), next), (6, 9));
    assert!(whole[1].contains("seq: 7") && whole[4].contains("seq: 8"));
    for cut in 0..bytes.len() {
        assert_eq!(run(&[&bytes[..cut], &bytes[cut..]]).0, whole);
    }
    assert_eq!(run(&bytes.chunks(1).collect::<Vec<_>>()).0, whole);
}

/// Goal: silence is answered as the specification says. Method: the clock alone.
#[test]
fn heartbeats() {
    let mut client = logged_in(1);
    assert_eq!(client.wake_at(), Some(Ts(SECOND)));
    client.on_time(Ts(SECOND - 1)).unwrap();
    assert_eq!(client.next_outgoing(), None);
    client.on_time(Ts(SECOND)).unwrap();
    assert_eq!(client.next_outgoing().unwrap().bytes(), b"\0\x01R");
    client.on_time(Ts(15 * SECOND - 1)).unwrap();
    assert_eq!(says(&mut client, &server::HEARTBEAT, 15 * SECOND - 1).unwrap(), ["Heartbeat"]);
    client.on_time(Ts(15 * SECOND)).unwrap();
    assert_eq!(client.on_time(Ts(30 * SECOND - 1)), Err(SoupError::Silent));
    client.log_out();
    client.next_outgoing();
    assert_eq!(client.next_outgoing().unwrap().bytes(), b"\0\x01O");
    let mut client = self::client();
    client.on_opened(Ts(0));
    assert_eq!(client.on_time(Ts(30 * SECOND)), Err(SoupError::LoginTimeout));
}

/// Goal: a reconnect asks for the same session from the next message on, and believes nothing else. Method:
/// two messages, a new connection, three answers.
#[test]
fn resume() {
    let mut client = logged_in(5);
    let mut bytes = Vec::new();
    server::sequenced(b"one", &mut bytes);
    server::sequenced(b"two", &mut bytes);
    says(&mut client, &bytes, 1).unwrap();
    says(&mut client, &bytes[..4], 1).unwrap();
    client.on_closed();
    assert_eq!(client.wake_at(), None);
    client.on_opened(Ts(2));
    let login = client.next_outgoing().unwrap();
    let login = Login::decode(&login.bytes()[3..]).unwrap();
    assert_eq!((login.session, login.next), (SESSION, 7));
    for (session, next, good) in
        [(SESSION, 7, true), (SESSION, 8, false), (SessionId([b'x'; 10]), 7, false)]
    {
        let mut client = client.clone();
        let mut bytes = Vec::new();
        server::accepted(session, next, &mut bytes);
        assert_eq!(says(&mut client, &bytes, 2).is_ok(), good);
    }
}

/// Goal: what a server must not say is an error with its place. Method: one of each.
#[test]
fn errors() {
    let say = |bytes: &[u8]| says(&mut logged_in(1), bytes, 0).unwrap_err();
    let offset = 33;
    assert_eq!(say(b"\0\0"), SoupError::Empty { offset });
    assert_eq!(say(b"\0\x01?"), SoupError::UnknownType { offset, kind: b'?' });
    let length = SoupError::Length { offset: 36, kind: b'Z', need: 0, got: 1 };
    assert_eq!(say(b"\0\x01H\0\x02Z1"), length);
    assert_eq!(say(b"\0\x02JA"), SoupError::Unexpected { offset, kind: b'J' });
    assert_eq!(say(b"\0\x01Z\0\x01S"), SoupError::Unexpected { offset: 36, kind: b'S' });
    let mut client = client();
    client.on_opened(Ts(0));
    let accepted = b"\0\x1FAsession123                  x1";
    let error = says(&mut client, accepted, 0).unwrap_err();
    assert_eq!(error, SoupError::Field { offset: 0, kind: b'A' });
    client.on_opened(Ts(0));
    let said = says(&mut client, b"\0\x02JS", 0).unwrap();
    assert_eq!(said, [format!("{:?}", Received::Rejected { reason: b'S' })]);
}
