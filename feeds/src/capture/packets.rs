//! Packets of captures become events, through the same sessions as live ones: recorded time takes the clock's place.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use model::{Event, Ts};

use super::addresses::Addresses;
use super::files::{Files, of_source};
use crate::Venue;
use crate::arrival::Arrival;
use crate::date::new_york_midnight;
use crate::feed::{Counters, FeedCause, FeedError, FeedOptions};
use crate::iex::IexFeed;
use crate::session::arbiter::{ArbiterOptions, Line};
use crate::session::channel::{Channel, ChannelOptions};
use crate::source::PcapFile;
use crate::source::frame::FrameCounts;

/// A wake-up is due at most so many times between two packets.
const WAKE_UPS_MAX: usize = 64;

/// Captures of packets in turn, as one feed.
pub(super) struct PacketFeed {
    files: Files,
    source: PcapFile,
    frames: FrameCounts,
    addresses: Addresses,
    session: Session,
    options: FeedOptions,
    /// Time of the last packet.
    now: Ts,
    /// Bytes, captures cut off and packets without a time, of the captures before this one.
    before: [u64; 3],
    ended: bool,
}

enum Session {
    Mold(Box<MoldLines>),
    Iex(Box<IexFeed>),
}

/// A channel, from its first packet on.
struct MoldLines {
    channel: Option<Channel>,
}

impl MoldLines {
    fn on_packet(
        &mut self,
        line: Line,
        payload: &[u8],
        now: Ts,
        options: &FeedOptions,
        emit: &mut impl FnMut(Event),
    ) {
        let channel = self.channel.get_or_insert_with(|| {
            let named = options.date.0 != 0;
            let midnight =
                if named { options.date.new_york_midnight() } else { new_york_midnight(now) };
            let shard = options.shard;
            let options = ChannelOptions::new(options.feed, midnight);
            let arbiter = ArbiterOptions::of_capture();
            Channel::new(ChannelOptions { follows_clock: !named, shard, arbiter, ..options })
        });
        pass_time(channel, now, emit);
        channel.on_datagram(line, payload, now, emit);
        if channel.wake_at().is_some_and(|due| due <= now) {
            channel.on_time(now, emit); // What lies behind the next gap may have waited long enough already.
        }
        while channel.next_action().is_some() {} // A capture cannot be asked.
    }
}

/// Lets the wake-ups happen that were due before `now`.
fn pass_time(channel: &mut Channel, now: Ts, emit: &mut impl FnMut(Event)) {
    for _ in 0..WAKE_UPS_MAX {
        let Some(due) = channel.wake_at().filter(|due| *due <= now) else { return };
        channel.on_time(due, emit);
        while channel.next_action().is_some() {}
    }
}

impl PacketFeed {
    pub fn open(
        venue: Venue,
        paths: &[PathBuf],
        options: FeedOptions,
    ) -> Result<PacketFeed, FeedError> {
        let (files, source) = Files::open(paths, open)?;
        let (session, addresses) = match venue {
            Venue::NasdaqItch => {
                let lines = MoldLines { channel: None };
                (Session::Mold(Box::new(lines)), Addresses::of_mold())
            }
            Venue::Iex => {
                (Session::Iex(Box::new(IexFeed::of_two_lines(options.feed))), Addresses::of_iex())
            }
            _ => return Err(FeedError::NO_VENUE),
        };
        Ok(PacketFeed {
            files,
            source,
            frames: FrameCounts::default(),
            addresses,
            session,
            options,
            now: Ts(0),
            before: [0; 3],
            ended: false,
        })
    }

    /// Takes one packet; `false`: there is none left.
    pub fn read(
        &mut self,
        waiting: &mut VecDeque<Event>,
        arrival: &mut impl Arrival,
    ) -> Result<bool, FeedError> {
        self.files.check()?;
        let mut emit = |event| waiting.push_back(event);
        let packet = match self.source.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => return self.next_file(waiting),
            Err(error) => return Err(self.files.fail(of_source(error))),
        };
        // Captures of several interfaces step back by a little; time does not.
        self.now = self.now.max(packet.ts);
        let now = self.now;
        arrival.arrives(now);
        let Ok(datagram) = self.frames.decode(&packet) else { return Ok(true) };
        let Some(line) = self.addresses.line(&datagram) else { return Ok(true) };
        match &mut self.session {
            Session::Mold(lines) => {
                lines.on_packet(line, datagram.payload, now, &self.options, &mut emit);
            }
            Session::Iex(feed) => {
                feed.on_segment(datagram.payload, now, &mut emit);
                feed.on_time(now, &mut emit);
            }
        }
        Ok(true)
    }

    /// What this capture and those before it came to: bytes, how many were cut off, packets without a time.
    fn read_so_far(&self) -> [u64; 3] {
        let [bytes, cut, untimed] = self.before;
        let counts = self.source.counts();
        [bytes + self.source.offset(), cut + counts.cut, untimed + counts.untimed]
    }

    /// Goes to the next capture; behind the last, whatever is still waited for is given up.
    #[cold]
    fn next_file(&mut self, waiting: &mut VecDeque<Event>) -> Result<bool, FeedError> {
        if let Some(source) = self.files.next(open)? {
            self.before = self.read_so_far();
            self.source = source;
            return Ok(true);
        }
        if self.ended {
            if self.counters().messages == 0 {
                return Err(self.files.fail((self.source.offset(), FeedCause::NoMessage)));
            }
            return Ok(false);
        }
        self.ended = true;
        let end = Ts(self.now.0.saturating_add(60_000_000_000));
        let mut emit = |event| waiting.push_back(Event { ts_recv: self.now, ..event });
        match &mut self.session {
            Session::Mold(lines) => {
                if let Some(channel) = &mut lines.channel {
                    pass_time(channel, end, &mut emit);
                }
            }
            Session::Iex(feed) => feed.on_time(end, &mut emit),
        }
        Ok(true)
    }

    pub fn counters(&self) -> Counters {
        let [bytes, cut, untimed] = self.read_so_far();
        let mut counters = Counters {
            bytes,
            cut,
            untimed,
            files: self.files.count(),
            rejected: self.frames.rejected(),
            foreign: self.addresses.foreign(),
            ..Counters::NONE
        };
        match &self.session {
            Session::Mold(lines) => {
                let Some(channel) = &lines.channel else { return counters };
                let seen = channel.counters();
                let lines =
                    [Line::A, Line::B, Line::Answer].map(|line| channel.line_counters(line));
                counters.messages = seen.messages;
                counters.unknown = seen.unknown;
                counters.bad = seen.bad + lines.iter().map(|line| line.malformed).sum::<u64>();
                counters.backwards = seen.backwards;
                counters.past_midnight = seen.past_midnight;
                counters.gaps = channel.arbiter_counters().gaps;
                counters.lost = seen.lost;
                counters.foreign += lines.iter().map(|line| line.foreign).sum::<u64>();
            }
            Session::Iex(feed) => {
                let seen = feed.counters();
                counters.messages = seen.messages;
                counters.bad = seen.bad + seen.refused;
                if let Some(unknown) = counters.unknown.first_mut() {
                    *unknown = seen.unknown;
                }
                counters.gaps = seen.gaps;
                counters.lost = seen.lost;
                counters.foreign += seen.foreign;
                counters.late = seen.late + seen.untimely + seen.disbelieved;
                counters.unlisted = seen.unlisted;
            }
        }
        counters
    }

    pub fn name(&self, file: usize) -> &Path {
        self.files.name(file)
    }
}

fn open(path: &Path) -> Result<PcapFile, (u64, FeedCause)> {
    PcapFile::open(path).map_err(of_source)
}
