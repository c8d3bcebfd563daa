//! Packets of captures become events, through the same sessions as live ones: recorded time takes the clock's place.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use model::{Event, Ts};

use super::files::{Files, of_source};
use crate::Venue;
use crate::date::new_york_midnight;
use crate::feed::{Counters, FeedCause, FeedError, FeedOptions};
use crate::iex::IexFeed;
use crate::session::arbiter::Line;
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
    session: Session,
    options: FeedOptions,
    /// Time of the last packet.
    now: Ts,
    /// Bytes of the captures before this one.
    bytes_before: u64,
    ended: bool,
}

enum Session {
    Mold(Box<MoldLines>),
    Iex(Box<IexFeed>),
}

/// A channel, and where its lines are sent to: the first address heard is line A, the second line B, and whatever is sent
/// anywhere else answers a request.
struct MoldLines {
    channel: Option<Channel>,
    addresses: [Option<SocketAddr>; 2],
}

impl MoldLines {
    fn line(&mut self, to: SocketAddr) -> Line {
        let known = self.addresses.iter().position(|address| *address == Some(to));
        let free = || self.addresses.iter().position(Option::is_none);
        match known.or_else(free) {
            Some(place) => {
                if let Some(address) = self.addresses.get_mut(place) {
                    *address = Some(to);
                }
                if place == 0 { Line::A } else { Line::B }
            }
            None => Line::Answer,
        }
    }

    fn on_packet(
        &mut self,
        to: SocketAddr,
        payload: &[u8],
        now: Ts,
        options: &FeedOptions,
        emit: &mut impl FnMut(Event),
    ) {
        let line = self.line(to);
        let channel = self.channel.get_or_insert_with(|| {
            let named = options.date.0 != 0;
            let midnight = if named { options.date.midnight() } else { new_york_midnight(now) };
            let options = ChannelOptions::new(options.feed, midnight);
            Channel::new(ChannelOptions { follows_clock: !named, ..options })
        });
        pass_time(channel, now, emit);
        channel.on_datagram(line, payload, now, emit);
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
        let session = match venue {
            Venue::NasdaqItch => {
                let lines = MoldLines { channel: None, addresses: [None; 2] };
                Session::Mold(Box::new(lines))
            }
            Venue::Iex => Session::Iex(Box::new(IexFeed::new(options.feed))),
            _ => return Err(FeedError::NO_VENUE),
        };
        Ok(PacketFeed {
            files,
            source,
            frames: FrameCounts::default(),
            session,
            options,
            now: Ts(0),
            bytes_before: 0,
            ended: false,
        })
    }

    /// Takes one packet; `false`: there is none left.
    pub fn read(&mut self, waiting: &mut VecDeque<Event>) -> Result<bool, FeedError> {
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
        let Ok(datagram) = self.frames.decode(&packet) else { return Ok(true) };
        match &mut self.session {
            Session::Mold(lines) => {
                lines.on_packet(datagram.dst, datagram.payload, now, &self.options, &mut emit);
            }
            Session::Iex(feed) => feed.on_segment(datagram.payload, now, &mut emit),
        }
        Ok(true)
    }

    /// Goes to the next capture; behind the last, whatever is still waited for is given up.
    #[cold]
    fn next_file(&mut self, waiting: &mut VecDeque<Event>) -> Result<bool, FeedError> {
        if let Some(source) = self.files.next(open)? {
            self.bytes_before += self.source.offset();
            self.source = source;
            return Ok(true);
        }
        if self.ended {
            return Ok(false);
        }
        self.ended = true;
        if let Session::Mold(lines) = &mut self.session
            && let Some(channel) = &mut lines.channel
        {
            let end = Ts(self.now.0.saturating_add(60_000_000_000));
            pass_time(channel, end, &mut |event| {
                waiting.push_back(Event { ts_recv: self.now, ..event });
            });
        }
        Ok(true)
    }

    pub fn counters(&self) -> Counters {
        let mut counters = Counters {
            bytes: self.bytes_before + self.source.offset(),
            files: self.files.count(),
            ..Counters::NONE
        };
        match &self.session {
            Session::Mold(lines) => {
                let Some(channel) = &lines.channel else { return counters };
                let seen = channel.counters();
                counters.messages = seen.messages;
                counters.unknown = seen.unknown;
                counters.bad = seen.bad;
                counters.backwards = seen.backwards;
                counters.past_midnight = seen.past_midnight;
            }
            Session::Iex(feed) => {
                let seen = feed.counters();
                counters.messages = seen.messages;
                counters.bad = seen.bad + seen.refused;
                if let Some(unknown) = counters.unknown.first_mut() {
                    *unknown = seen.unknown;
                }
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
