//! ITCH messages of a capture, byte by byte as they came.

use std::path::Path;

use feeds::capture::Addresses;
use feeds::session::arbiter::{Arbiter, ArbiterOptions, Arbitrated, Line};
use feeds::source::frame::FrameCounts;
use feeds::source::{FileSource, PcapFile, SourceError};
use feeds::{Counters, FeedCause, FeedError};
use model::{DAY_NS, Ts};

use crate::Failure;

/// Hands every message with its time to `each`, until that says `false`; what was missing or left out.
pub fn each(
    path: &Path,
    packets: bool,
    midnight: Ts,
    each: impl FnMut(Ts, &[u8]) -> bool,
) -> Result<Counters, Failure> {
    let refuse = |(offset, cause)| {
        let error = FeedError { file: 0, offset, cause };
        Failure::Input { path: path.to_path_buf(), error }
    };
    let source = |error: SourceError| refuse((error.offset, FeedCause::Source(error.cause)));
    if !packets {
        return of_file(path, midnight, each).map_err(source);
    }
    let counters = of_packets(path, each).map_err(source)?;
    if counters.messages == 0 {
        return Err(refuse((counters.bytes, FeedCause::NoMessage)));
    }
    Ok(counters)
}

/// Wake-ups between two packets, at most: times of a damaged capture must not hold it up.
const WAKE_UPS_MAX: u32 = 1_000;

fn of_file(
    path: &Path,
    midnight: Ts,
    mut each: impl FnMut(Ts, &[u8]) -> bool,
) -> Result<Counters, SourceError> {
    let mut source = FileSource::open(path)?;
    let (mut midnight, mut last) = (midnight, 0);
    while let Some(frame) = source.next_frame()? {
        let field = frame.bytes.get(3..).and_then(<[u8]>::first_chunk::<8>);
        let time = field.map_or(last, |field| u64::from_be_bytes(*field) & 0xFFFF_FFFF_FFFF);
        // A start of messages that lies earlier in the day begins the next date, as it does where the file is played.
        let starts = frame.bytes.first() == Some(&b'S') && frame.bytes.get(11) == Some(&b'O');
        if starts && time < last {
            midnight = Ts(midnight.0.saturating_add(DAY_NS));
        }
        last = time;
        if !each(Ts(midnight.0.saturating_add(time)), frame.bytes) {
            break;
        }
    }
    Ok(Counters::NONE)
}

/// Both lines of a session, arbitrated as a live feed would.
fn of_packets(
    path: &Path,
    mut each: impl FnMut(Ts, &[u8]) -> bool,
) -> Result<Counters, SourceError> {
    let mut source = PcapFile::open(path)?;
    let mut frames = FrameCounts::default();
    let mut addresses = Addresses::of_mold();
    let mut arbiter = Arbiter::new(ArbiterOptions::of_capture());
    let (mut messages, mut lost, mut go_on) = (0, 0, true);
    let mut last = Ts(0);
    while go_on && let Some(packet) = source.next_packet()? {
        let now = packet.ts.max(last);
        last = now;
        let Ok(datagram) = frames.decode(&packet) else { continue };
        let Some(line) = addresses.line(&datagram) else { continue };
        let mut take = |arbitrated: Arbitrated<'_>| match arbitrated {
            Arbitrated::Message(message) => {
                messages += 1;
                go_on = go_on && each(message.ts_recv, message.bytes);
            }
            Arbitrated::Lost { count, .. } => lost += count,
            Arbitrated::Session { .. } | Arbitrated::Heartbeat { .. } | Arbitrated::Ended => {}
        };
        for _ in 0..WAKE_UPS_MAX {
            let Some(due) = arbiter.wake_at().filter(|due| *due <= now) else { break };
            arbiter.on_time(due, &mut take);
            while arbiter.next_request().is_some() {}
        }
        arbiter.on_packet(line, datagram.payload, (now, now), &mut take);
        if arbiter.wake_at().is_some_and(|due| due <= now) {
            arbiter.on_time(now, &mut take);
        }
        while arbiter.next_request().is_some() {}
    }
    // What is still waited for will not come.
    let end = Ts(last.0.saturating_add(60_000_000_000));
    let mut take = |arbitrated: Arbitrated<'_>| match arbitrated {
        Arbitrated::Message(message) => {
            messages += 1;
            each(message.ts_recv, message.bytes);
        }
        Arbitrated::Lost { count, .. } => lost += count,
        Arbitrated::Session { .. } | Arbitrated::Heartbeat { .. } | Arbitrated::Ended => {}
    };
    for _ in 0..WAKE_UPS_MAX {
        let Some(due) = arbiter.wake_at().filter(|due| *due <= end) else { break };
        arbiter.on_time(due, &mut take);
        while arbiter.next_request().is_some() {}
    }
    let lines = [Line::A, Line::B, Line::Answer];
    Ok(Counters {
        messages,
        bad: lines.iter().map(|line| arbiter.line_counters(*line).malformed).sum(),
        bytes: source.offset(),
        lost,
        gaps: arbiter.counters().gaps,
        cut: source.counts().cut,
        rejected: frames.rejected(),
        foreign: addresses.foreign(),
        ..Counters::NONE
    })
}
