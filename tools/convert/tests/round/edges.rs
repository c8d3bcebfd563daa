//! Starts, days, pauses, damage, and what a format can say.

use super::*;

/// What the program did: exit code, its JSON, and where to.
fn run(input: &Path, to: &[&str], out: &str) -> (Option<i32>, serde_json::Value, PathBuf) {
    let out = input.with_file_name(out);
    let program = env!("CARGO_BIN_EXE_tickgate-convert");
    let mut run = Command::new(program);
    let run = run.arg(input).args(["--json", "--to"]).args(to).arg("--out").arg(&out).output();
    let run = run.unwrap();
    (run.status.code(), serde_json::from_slice(&run.stdout).unwrap_or_default(), out)
}

/// A framed ITCH message at a time of day.
fn message(kind: u8, locate: u16, time: u64, rest: &[u8]) -> Vec<u8> {
    let mut bytes = ((rest.len() + 11) as u16).to_be_bytes().to_vec();
    bytes.push(kind);
    bytes.extend(locate.to_be_bytes());
    bytes.extend([0; 2]);
    bytes.extend(&time.to_be_bytes()[2..]);
    bytes.extend(rest);
    bytes
}

const DIRECTORY: &[u8] = b"A       QN\0\0\0\x64NC  PN 1N\0\0\0\0N";
const SECOND: u64 = 1_000_000_000;

/// A day of messages of all types that an event can say.
fn every_type() -> Vec<u8> {
    let add = |order: u8, side: u8| {
        [&[0, 0, 0, 0, 0, 0, 0, order, side, 0, 0, 0, 5][..], &b"A       \0\0\0\x64"[..]].concat()
    };
    let executed = |order: u8| {
        [
            &[0, 0, 0, 0, 0, 0, 0, order, 0, 0, 0, 5][..],
            &[0, 0, 0, 0, 0, 0, 0, 7, b'N', 0, 0, 0, 0x64][..],
        ]
        .concat()
    };
    let messages = [
        message(b'S', 0, 1, b"O"),
        message(b'R', 1, 2, b"A        N\0\0\0\x64N   P    \0\0\0\0N"),
        message(b'Y', 1, 3, b"A       1"),
        message(b'Y', 1, 4, b"A       0"),
        message(b'h', 1, 5, b"A       QH"),
        message(b'h', 1, 6, b"A       QT"),
        message(b'W', 0, 7, b"2"),
        message(b'A', 1, 8, &add(1, b'B')),
        message(b'A', 1, 9, &add(2, b'S')),
        message(b'C', 1, 10, &executed(1)),
        message(b'C', 1, 10, &executed(2)),
        message(b'Q', 1, 10, b"\0\0\0\0\0\0\0\x05A       \0\0\0\x64\0\0\0\0\0\0\0\x07O"),
        message(b'B', 1, 11, b"\0\0\0\0\0\0\0\x07"),
    ];
    [messages.concat(), vec![0, 0]].concat()
}

/// Goal: captures of several days are played in turn, each from its first message, although one program made them; and pauses
/// of the market are none of the line. Method: two days with a pause of a minute, converted and played as one feed.
#[test]
fn days_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut captures = Vec::new();
    for date in ["2024-01-05", "2024-01-08"] {
        let path = folder.path().join(format!("{date}.itch"));
        let messages = [
            message(b'S', 0, 11_000 * SECOND, b"O"),
            message(b'R', 1, 11_001 * SECOND, DIRECTORY),
            message(b'S', 0, 11_061 * SECOND, b"Q"),
        ];
        std::fs::write(&path, [messages.concat(), vec![0, 0]].concat()).unwrap();
        captures.push(convert(&path, &["mold", "--date", date], &format!("{date}.pcapng")));
    }
    let venue = kind_of(&captures[0]).unwrap().venue.unwrap();
    let mut capture = Capture::open(venue, &captures, FeedOptions::default(), &[]).unwrap();
    let (mut stale, mut beats) = (Vec::new(), 0);
    while let Next::Event(event) = capture.next().unwrap() {
        beats += u64::from(event.kind == Kind::Notice);
        if event.kind == Kind::Integrity && event.believed().unwrap().0 == Integrity::Stale {
            stale.push(event.believed().unwrap().1.to_string());
        }
    }
    let seen = capture.counters();
    assert_eq!((seen.messages, seen.lost, seen.foreign), (6, 0, 0));
    assert_eq!((stale, beats), (vec!["session_end".to_string(); 2], 2 * 59));
}

/// Goal: a book that lags is right: in DBN it is doubted no more than here, for nothing takes a doubt back. Method: packets
/// with a pause without heartbeats.
#[test]
fn what_lags_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let day = day(folder.path());
    let packets = std::fs::read(convert(&day, &["mold"], "day.pcapng")).unwrap();
    // The times of the last packets, 10 s later.
    let mut later: Vec<Vec<u8>> = blocks(&packets).into_iter().map(<[u8]>::to_vec).collect();
    let from = later.len() / 2;
    for block in later.iter_mut().skip(from).filter(|block| block[0] == 6) {
        let [high, low] =
            [12, 16].map(|at| u32::from_le_bytes(block[at..at + 4].try_into().unwrap()));
        let time = (u64::from(high) << 32 | u64::from(low)) + 10 * SECOND;
        block[12..16].copy_from_slice(&((time >> 32) as u32).to_le_bytes());
        block[16..20].copy_from_slice(&(time as u32).to_le_bytes());
    }
    let silent = folder.path().join("silent.pcapng");
    std::fs::write(&silent, later.concat()).unwrap();
    let dbn = convert(&silent, &["dbn"], "silent.dbn");
    let believed = believed(&dbn);
    assert_eq!(believed.len(), 12);
    assert!(believed.values().all(|book| *book == Integrity::Live), "{believed:?}");
}

/// Goal: what ITCH can say comes back. Method: every type by way of a table, byte by byte.
#[test]
fn what_can_be_said_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("day.itch");
    std::fs::write(&path, every_type()).unwrap();
    let table = convert(&path, &["parquet"], "day.parquet");
    let (code, said, back) = run(&table, &["itch"], "back.itch");
    assert_eq!((code, said["unsaid"].as_u64()), (Some(0), Some(0)));
    assert_eq!(std::fs::read(back).unwrap(), every_type());
}

/// Goal: a cross counts once in DBN, though each of its executions is told. Method: the trades and what rests at the end.
#[test]
fn a_cross_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("day.itch");
    std::fs::write(&path, every_type()).unwrap();
    let (orders, traded) = book(&convert(&path, &["dbn"], "day.mbo.dbn"));
    assert!(orders.is_empty());
    assert_eq!(traded, 5, "the cross");
}

/// Goal: what a capture lacks at its start, what comes out of order there, and what cannot be read is said, by exit code too.
/// Method: a start out of order, one that is missing, packets and messages that are damaged.
#[test]
fn starts_and_damage() {
    let folder = tempfile::tempdir().unwrap();
    let (packets, cut, bad) =
        ["start.pcapng", "cut.pcapng", "bad.itch"].map(|name| folder.path().join(name)).into();
    let write = |path: &Path, sequences: &[(u64, usize)]| {
        let mut out = Vec::new();
        let mut ng = feeds::sink::PcapngWriter::new(&mut out).unwrap();
        let to = "233.252.0.1:26400".parse().unwrap();
        ng.interface(feeds::source::LinkType::ETHERNET, "a").unwrap();
        for (ms, (first, cut)) in (1..).zip(sequences) {
            let session = feeds::session::SessionId(*b"0000000001");
            let mut writer = feeds::session::mold::PacketWriter::new(session, *first, 1_400);
            writer.push(&message(b'S', 0, 1, b"Q")[2..]);
            let packet = writer.packet();
            let packet = &packet[..packet.len() - cut];
            ng.udp(0, model::Ts(ms * 1_000_000), "192.0.2.1:1".parse().unwrap(), to, packet)
                .unwrap();
        }
        drop(ng);
        std::fs::write(path, out).unwrap();
    };
    let figures = |path: &Path, to: &str| {
        let (code, said, _) = run(path, &[to], &format!("out.{to}"));
        let count = |name: &str| said[name].as_u64().unwrap();
        std::fs::remove_file(path.with_file_name(format!("out.{to}"))).unwrap();
        (code.unwrap(), count("written"), count("lost"), count("bad"))
    };
    write(&packets, &[(2, 0), (1, 0), (3, 0), (4, 0)]);
    assert_eq!(figures(&packets, "itch"), (0, 4, 0, 0));
    write(&packets, &[(3, 0), (4, 0)]);
    assert_eq!(figures(&packets, "itch"), (1, 2, 2, 0));
    write(&cut, &[(1, 0), (2, 0), (3, 1), (3, 0)]);
    assert_eq!(figures(&cut, "itch"), (1, 3, 0, 1));
    assert_eq!(figures(&cut, "mold"), (1, 3, 0, 1));
    let messages = [message(b'S', 0, 1, b"O"), message(b'D', 1, 2, &[0; 7])];
    std::fs::write(&bad, [messages.concat(), vec![0, 0]].concat()).unwrap();
    let (code, _, _, count) = figures(&bad, "parquet");
    assert_eq!((code, count), (1, 1));
}

/// Goal: a date is New York's, whatever the input, and each day of a file has its own. Method: packets whose receipt says
/// another day; a file of two days.
#[test]
fn dates_are_new_yorks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.itch");
    let day = [message(b'S', 0, 11_000 * SECOND, b"O"), message(b'S', 0, 12_000 * SECOND, b"Q")];
    std::fs::write(&path, [day.concat(), day.concat(), vec![0, 0]].concat()).unwrap();
    let times = |path: &Path, date: &str| -> Vec<(u64, u64)> {
        let kind = kind_of(path).unwrap().venue.unwrap();
        let options = FeedOptions { date: date.parse().unwrap(), ..FeedOptions::default() };
        let mut capture = Capture::open(kind, &[path.to_path_buf()], options, &[]).unwrap();
        let mut times = Vec::new();
        while let Next::Event(event) = capture.next().unwrap() {
            if event.kind == Kind::Session && event.aux < 256 {
                times.push((event.ts_venue.0, event.ts_recv.0));
            }
        }
        times
    };
    let midnight = "2024-01-05".parse::<Date>().unwrap().new_york_midnight().0;
    let packets = convert(&path, &["mold", "--date", "2024-01-05"], "two.pcapng");
    let expected: Vec<u64> = [11_000, 12_000, 97_400, 98_400].map(|s| midnight + s * SECOND).into();
    let (venue, received): (Vec<_>, Vec<_>) = times(&packets, "1970-01-01").into_iter().unzip();
    assert_eq!((venue, received), (expected.clone(), expected.clone()));
    let venue: Vec<_> = times(&packets, "2024-01-05").into_iter().map(|(venue, _)| venue).collect();
    assert_eq!(venue, expected);
}
