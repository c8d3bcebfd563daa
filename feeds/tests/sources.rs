//! Sources over real captures. They are not part of the repository: without them these tests say so and pass.

mod captured;

use std::path::{Path, PathBuf};

use captured::capture;
use feeds::source::frame::{FrameCounts, Transport};
use feeds::source::{Direction, LineCounts, LineFile, LinkType, PcapCounts, PcapFile};

/// Every packet capture under a folder of captures, at any depth.
fn packet_captures(name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<_> = capture(name).into_iter().collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().contains(".pcap") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What a capture holds.
struct Held {
    packets: PcapCounts,
    frames: FrameCounts,
    /// Bytes of payloads, and payloads of any bytes.
    bytes: usize,
    payloads: u64,
    tcp: u64,
    /// Whether any packet is earlier than the one before it.
    back: bool,
}

fn read(path: &Path) -> Held {
    let mut source = PcapFile::open(path).unwrap();
    let mut frames = FrameCounts::default();
    let (mut bytes, mut payloads, mut tcp, mut back, mut last) = (0, 0, 0, false, 0);
    while let Some(packet) = source.next_packet().unwrap() {
        assert_eq!(packet.link, LinkType::ETHERNET);
        back |= packet.ts.0 < last;
        last = packet.ts.0;
        if let Ok(datagram) = frames.decode(&packet) {
            bytes += datagram.payload.len();
            payloads += u64::from(!datagram.payload.is_empty());
            tcp += u64::from(datagram.transport != Transport::Udp);
        }
    }
    Held { packets: source.counts(), frames, bytes, payloads, tcp, back }
}

/// Goal: the three IEX captures are read whole, and the one that is cut off says so.
/// Method: counts that are known of them.
#[test]
fn iex() {
    let known = [
        ("iex/deep-20231002.pcap.gz", 5_000, 0),
        ("iex/tops16-sample.pcapng.gz", 13_022, 0),
        ("iex/deep10-test-market.pcap.gz", 121_314, 1),
    ];
    for (name, packets, cut) in known {
        let Some(path) = capture(name) else { continue };
        let held = read(&path);
        assert_eq!(held.packets, PcapCounts { packets, cut, ..PcapCounts::default() }, "{name}");
        let frames = FrameCounts { datagrams: packets, ..FrameCounts::default() };
        assert_eq!(held.frames, frames, "{name}");
        // Each begins with an IEX-TP header of 40 bytes.
        assert_eq!((held.payloads, held.tcp, held.back), (packets, 0, false), "{name}");
        assert!(held.bytes as u64 >= 40 * packets);
    }
}

/// Goal: every Nasdaq packet gives its payload: UDP of MoldUDP64, TCP of SoupBinTCP, with and without a VLAN tag.
/// Method: every file of both folders; no frame is rejected.
#[test]
fn nasdaq() {
    for (name, is_tcp, files) in [("moldudp64", false, 23), ("ouch", true, 6)] {
        let paths = packet_captures(name);
        assert!(paths.is_empty() || paths.len() == files, "{} files in {name}", paths.len());
        for path in paths {
            let held = read(&path);
            assert!(held.packets.packets > 0 && held.packets.cut == 0, "{}", path.display());
            assert_eq!(held.frames.datagrams, held.packets.packets, "{}", path.display());
            assert_eq!(held.frames.rejected(), 0);
            assert_eq!(held.payloads, held.packets.packets, "{}", path.display());
            assert_eq!(held.tcp, if is_tcp { held.packets.packets } else { 0 });
        }
    }
}

/// What the lines of a capture are.
fn lines(name: &str) -> Option<(LineCounts, [u64; 4])> {
    let mut source = LineFile::open(&capture(name)?).unwrap();
    let mut of = [0; 4];
    let mut last = 0;
    while let Some(line) = source.next_line().unwrap() {
        let place = match line.direction {
            Direction::Received => 0,
            Direction::Sent => 1,
            Direction::Answered => 2,
            Direction::Opened => 3,
            Direction::Unmarked => continue,
        };
        of[place] += 1;
        assert_eq!(line.text.is_empty(), line.direction == Direction::Opened);
        if !line.text.is_empty() {
            let last = line.text[line.text.len() - 1];
            assert!(matches!(line.text[0], b'{' | b'[') && matches!(last, b'}' | b']'));
        }
        let Some(ts) = line.ts else { continue };
        assert!(ts.0 >= last, "time steps back at {}", line.offset);
        last = ts.0;
    }
    Some((source.counts(), of))
}

/// Goal: every WebSocket capture falls into lines of the known forms.
/// Method: how many were received, sent, answered and opened, counted before with text tools.
#[test]
fn web_sockets() {
    let known = [
        ("binance/spot-btcusdt-20240808.gz", [41_249, 0, 0, 0], 0),
        ("binance/spot-btcusdt-20240809.gz", [58_325, 0, 0, 0], 0),
        ("binance/usdm-btcusdt-20240808.gz", [93_954, 0, 0, 0], 0),
        ("kraken/KRAKEN.ws.50.0.gz", [4_321, 1, 0, 1], 0),
        // Its second line is the recorder's own configuration.
        ("kraken/KRAKEN.0.gz", [0, 0, 1, 0], 1),
        ("okx/OKX.ws.1.0.gz", [410, 3, 0, 1], 0),
        ("coinbase/COINBASE.ws.28.0.gz", [9_946, 3, 0, 1], 0),
        ("bybit/xrpusdt-ob500.data.zip", [50, 0, 0, 0], 0),
    ];
    for (name, of, unmarked) in known {
        let Some((counts, read)) = lines(name) else { continue };
        assert_eq!((read, counts.unmarked, counts.cut), (of, unmarked, 0), "{name}");
        assert_eq!(counts.lines, of.iter().sum::<u64>() + unmarked, "{name}");
    }
}

/// Goal: a time is read to the nanosecond in both forms. Method: the first timed lines of two captures.
#[test]
fn first_times() {
    let first = |name| {
        let mut source = LineFile::open(&capture(name)?).unwrap();
        source.next_line().unwrap().and_then(|line| line.ts).map(|ts| ts.0)
    };
    let name = "binance/spot-btcusdt-20240808.gz";
    assert!(matches!(first(name), None | Some(1_723_161_253_937_085_768)));
    let name = "kraken/KRAKEN.ws.50.0.gz";
    assert!(matches!(first(name), None | Some(1_618_678_132_385_815_100)));
}
