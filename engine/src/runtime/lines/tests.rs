use feeds::session::SessionId;
use feeds::session::mold::PacketWriter;
use model::Kind;

use super::*;
use crate::config::{Speed, Wait};

fn config(request: Option<&str>, same_session: bool) -> Lines {
    let address = "127.0.0.1:2".parse().unwrap();
    let server = SnapshotServer { address, user: "u".into(), password_env: None, same_session };
    Lines {
        lines: vec!["127.0.0.1:1".parse().unwrap()],
        interface: Ipv4Addr::LOCALHOST,
        request: request.map(|text| text.parse().unwrap()),
        snapshot: Some(server),
        receive_buffer: 1 << 16,
        busy_poll_us: 0,
    }
}

/// Goal: without a re-request server nothing waits for its answers; the session of a snapshot is held to the lines' unless
/// that is switched off. Method: what a channel is told, each way.
#[test]
fn what_a_channel_is_told() {
    let told = |config| channel_options(FeedId(1), &config, Ts(0)).unwrap();
    let [with, without] = [Some("127.0.0.1:3"), None].map(|request| told(config(request, true)));
    assert!(with.arbiter.attempts_max > 0 && !with.arbiter.two_lines);
    assert_eq!(without.arbiter.attempts_max, 0);
    assert!(with.glimpse.unwrap().same_session);
    assert!(!told(config(None, false)).glimpse.unwrap().same_session);
}

/// Goal: an error of a line's socket is counted every time. Method: two.
#[test]
fn errors_are_counted() {
    let mut errors = 0;
    for _ in 0..2 {
        complain(FeedId(0), Line::B, &mut errors, &std::io::ErrorKind::OutOfMemory.into());
    }
    assert_eq!(errors, 2);
}

/// Goal: what lies unread behind a whole batch of a line is not given up for want of being read; where a line brings whole
/// batches without end, what is missing is given up nevertheless. Method: line B tells old things first, then what line A has
/// lost, while the thread stood still.
#[test]
fn nothing_unread_is_given_up() {
    for endless in [false, true] {
        let (ring, mut events) = shm::event_ring(1 << 10);
        let around = Around {
            pace: Arc::new(Pace::new(Speed::Max)),
            waiter: Waiter::new(Wait::Park),
            progress: Arc::default(),
            stop: Arc::default(),
            shard: None,
        };
        let lines = vec!["127.0.0.1:0".parse().unwrap(); 2];
        let config = Lines { lines, snapshot: None, ..config(None, false) };
        let ring = FeedRing::new(ring, None);
        let mut thread =
            LinesThread::open(FeedId(0), Venue::NasdaqItch, &config, ring, &around).unwrap();
        let to: Vec<_> = thread.lines.iter().map(|l| l.socket().local_addr().unwrap()).collect();
        let from = UdpSocket::bind("127.0.0.1:0").unwrap();
        let send = |line: usize, first: u64| {
            let mut writer = PacketWriter::new(SessionId(*b"0000000001"), first, 100);
            writer.push(b"?");
            from.send_to(writer.packet(), to[line]).unwrap();
        };
        send(0, 1);
        send(0, 3);
        let mut now = Ts(1_000_000_000);
        thread.round(now, false);
        let batch = || (0..UdpReceiver::BATCH).for_each(|_| send(1, 1));
        if !endless {
            batch();
            batch();
            send(1, 2);
        }
        for _ in 0..if endless { FULL_ROUNDS_MAX } else { 3 } {
            if endless {
                batch();
            }
            now.0 += 10_000_000;
            thread.round(now, false);
        }
        let Session::Channel(channel) = &thread.session else { unreachable!() };
        let mut taken = [Event::empty(Kind::Notice); 64];
        let count = events.take(&mut taken);
        let notices = taken[..count].iter().filter(|event| event.kind == Kind::Notice);
        let told: Vec<_> = notices.map(|event| event.seq).collect();
        let expected = if endless { (1, vec![1, 3]) } else { (0, vec![1, 2, 3]) };
        assert_eq!((channel.counters().lost, told), expected);
    }
}
