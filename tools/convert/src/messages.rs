//! ITCH messages of a capture, byte by byte as they came.

use std::path::Path;

use feeds::session::arbiter::{Arbiter, ArbiterOptions, Arbitrated, Line};
use feeds::source::frame::FrameCounts;
use feeds::source::{FileSource, PcapFile, SourceError};
use feeds::{FeedCause, FeedError};
use model::Ts;

use crate::Failure;

/// Hands every message with its time to `each`, until that says `false`; how many messages were missing.
pub fn each(
    path: &Path,
    packets: bool,
    midnight: Ts,
    each: impl FnMut(Ts, &[u8]) -> bool,
) -> Result<u64, Failure> {
    let refuse = |error: SourceError| Failure::Input {
        path: path.to_path_buf(),
        error: FeedError { file: 0, offset: error.offset, cause: FeedCause::Source(error.cause) },
    };
    if packets {
        of_packets(path, each).map_err(refuse)
    } else {
        of_file(path, midnight, each).map_err(refuse)
    }
}

fn of_file(
    path: &Path,
    midnight: Ts,
    mut each: impl FnMut(Ts, &[u8]) -> bool,
) -> Result<u64, SourceError> {
    let mut source = FileSource::open(path)?;
    while let Some(frame) = source.next_frame()? {
        let field = frame.bytes.get(3..).and_then(<[u8]>::first_chunk::<8>);
        let time = field.map_or(0, |field| u64::from_be_bytes(*field) & 0xFFFF_FFFF_FFFF);
        if !each(Ts(midnight.0.saturating_add(time)), frame.bytes) {
            break;
        }
    }
    Ok(0)
}

/// Both lines of a session, arbitrated as a live feed would.
fn of_packets(path: &Path, mut each: impl FnMut(Ts, &[u8]) -> bool) -> Result<u64, SourceError> {
    let mut source = PcapFile::open(path)?;
    let mut frames = FrameCounts::default();
    let mut arbiter = Arbiter::new(ArbiterOptions { join_messages_max: 0, ..Default::default() });
    let mut first = None;
    let (mut lost, mut go_on) = (0, true);
    let mut last = Ts(0);
    while go_on && let Some(packet) = source.next_packet()? {
        let now = packet.ts.max(last);
        last = now;
        let Ok(datagram) = frames.decode(&packet) else { continue };
        let line =
            if *first.get_or_insert(datagram.dst) == datagram.dst { Line::A } else { Line::B };
        let mut take = |arbitrated: Arbitrated<'_>| match arbitrated {
            Arbitrated::Message(message) => go_on = go_on && each(message.ts_recv, message.bytes),
            Arbitrated::Lost { count, .. } => lost += count,
            Arbitrated::Session { .. } | Arbitrated::Ended => {}
        };
        while let Some(due) = arbiter.wake_at().filter(|due| *due <= now) {
            arbiter.on_time(due, &mut take);
            while arbiter.next_request().is_some() {}
        }
        arbiter.on_packet(line, datagram.payload, (now, now), &mut take);
        while arbiter.next_request().is_some() {}
    }
    // What is still waited for will not come.
    let end = Ts(last.0.saturating_add(60_000_000_000));
    let mut take = |arbitrated: Arbitrated<'_>| match arbitrated {
        Arbitrated::Message(message) => _ = each(message.ts_recv, message.bytes),
        Arbitrated::Lost { count, .. } => lost += count,
        Arbitrated::Session { .. } | Arbitrated::Ended => {}
    };
    for _ in 0..1_000 {
        let Some(due) = arbiter.wake_at().filter(|due| *due <= end) else { break };
        arbiter.on_time(due, &mut take);
        while arbiter.next_request().is_some() {}
    }
    Ok(lost)
}
