//! The engine as a whole.

use crate::Symbol;
use crate::num::Ts;
use crate::state::{HaltCause, HaltLevel, Mode};
use crate::words::{BadWord, WordReader, WordWriter};

use super::board::INDICATOR_SLOTS;

/// Counters by reject code; slot `code - 1`.
pub const REJECT_SLOTS: usize = 64;

/// Names of the stages whose latency is measured, in the order in which a tick or an order passes them.
/// `hold` is the wait for the journal.
pub const STAGES: [&str; 6] = ["decode", "book", "indicators", "gate", "publish", "hold"];

/// Feeds that the page has room for.
pub const FEEDS: usize = 16;

/// What one of two lines has carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounters {
    /// Packets.
    pub packets: u64,
    /// Messages that it brought first.
    pub wins: u64,
    /// Messages that were there already.
    pub duplicates: u64,
    /// Messages that it passed over.
    pub losses: u64,
    /// Nanoseconds that it brought a packet after the other line, at most.
    pub skew_ns_max: u64,
    /// Datagrams that the kernel dropped because its buffer was full.
    pub dropped: u64,
    /// Errors of its socket.
    pub errors: u64,
}

/// Counters of one feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedCounters {
    /// Messages decoded.
    pub messages: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Messages of an unknown type, skipped.
    pub unknown: u64,
    /// Messages that no decoder could read, skipped.
    pub bad: u64,
    /// Messages lost for good.
    pub lost: u64,
    /// Times that something was missing, whether it came back or not.
    pub gaps: u64,
    /// Requests for what was missing.
    pub requests: u64,
    /// Messages that no line brought, but the re-request server.
    pub recovered: u64,
    /// Snapshots taken.
    pub snapshots: u64,
    /// Times that a connection was opened.
    pub connects: u64,
    /// Messages that no line brought before a snapshot told what they made.
    pub passed_over: u64,
    /// The lines of a feed that has two.
    pub lines: [LineCounters; 2],
}

impl FeedCounters {
    /// Words of a feed's counters.
    pub const WORDS: usize = 25;

    /// The counters as words.
    pub fn to_words(&self) -> [u64; Self::WORDS] {
        let FeedCounters { messages, bytes, unknown, bad, lost, .. } = *self;
        let FeedCounters { gaps, requests, recovered, snapshots, connects, .. } = *self;
        let FeedCounters { passed_over, lines, .. } = *self;
        let [a, b] = lines.map(|line| {
            let LineCounters { packets, wins, duplicates, losses, .. } = line;
            let LineCounters { skew_ns_max, dropped, errors, .. } = line;
            [packets, wins, duplicates, losses, skew_ns_max, dropped, errors]
        });
        let mut words = [0; Self::WORDS];
        let own =
            [messages, bytes, unknown, bad, lost, gaps, requests, recovered, snapshots, connects];
        let all = own.into_iter().chain([passed_over]).chain(a).chain(b);
        words.iter_mut().zip(all).for_each(|(word, value)| *word = value);
        words
    }

    /// Reads words back.
    pub fn from_words(words: &[u64; Self::WORDS]) -> FeedCounters {
        let mut from = words.iter().copied();
        let mut next = || from.next().unwrap_or(0);
        let [messages, bytes, unknown, bad, lost, gaps, requests, recovered, snapshots, connects] =
            core::array::from_fn(|_| next());
        let passed_over = next();
        let lines = core::array::from_fn(|_| {
            let [packets, wins, duplicates, losses, skew_ns_max, dropped, errors] =
                core::array::from_fn(|_| next());
            LineCounters { packets, wins, duplicates, losses, skew_ns_max, dropped, errors }
        });
        FeedCounters {
            messages,
            bytes,
            unknown,
            bad,
            lost,
            gaps,
            requests,
            recovered,
            snapshots,
            connects,
            passed_over,
            lines,
        }
    }

    /// Datagrams that the kernel dropped on any line.
    pub fn dropped(&self) -> u64 {
        self.lines.iter().map(|line| line.dropped).sum()
    }
}

/// Latency of one stage, nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageLatency {
    /// Half of all were faster.
    pub p50: u64,
    /// 99 of 100.
    pub p99: u64,
    /// 999 of 1,000.
    pub p999: u64,
    /// The slowest.
    pub max: u64,
    /// How many were measured.
    pub count: u64,
}

/// Name and scale of an indicator slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndicatorSlot {
    /// Its name, empty if the slot is free.
    pub name: Symbol,
    /// A value counts units of 10^-this; for an indicator in units of price, on top of the instrument's `px_decimals`.
    pub decimals: u8,
    /// Whether it is in units of price.
    pub is_price: bool,
}

/// The page of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control {
    /// Number of the last input.
    pub engine_seq: u64,
    /// Engine time.
    pub now: Ts,
    /// Wall clock when the engine started.
    pub started: Ts,
    /// Rounds of the engine's loop so far.
    pub loops: u64,
    /// What becomes of orders that pass.
    pub mode: Mode,
    /// The highest halt over everything.
    pub halt: HaltLevel,
    /// Why; `None`: nothing halts everything.
    pub halt_cause: Option<HaltCause>,
    /// Whether the journal takes no more.
    pub journal_full: bool,
    /// Whether the audit log takes no more.
    pub audit_full: bool,
    /// Whether it is not known where orders stand at the venue.
    pub reconciling: bool,
    /// Instruments, accounts and lines that have a page.
    pub instruments: u32,
    /// See `instruments`.
    pub accounts: u32,
    /// See `instruments`.
    pub lines: u32,
    /// Slots of the order table that were ever used.
    pub orders: u32,
    /// Last input whose record the journal has written.
    pub journal_written: u64,
    /// Last input whose record has reached the disk.
    pub journal_synced: u64,
    /// Digest of every configuration file.
    pub config_digest: u64,
    /// Running hash of the core's state.
    pub state_hash: u64,
    /// Resting orders in all books.
    pub live_orders: u64,
    /// Orders that passed the gate.
    pub passed: u64,
    /// Orders refused, by primary reject code.
    pub refused: [u64; REJECT_SLOTS],
    /// The feeds by their numbers; `feed_count` of them are in use.
    pub feeds: [FeedCounters; FEEDS],
    /// See `feeds`.
    pub feed_count: u32,
    /// Latency by stage, in the order of [`STAGES`].
    pub stages: [StageLatency; STAGES.len()],
    /// What the indicator values of a board page mean.
    pub indicators: [IndicatorSlot; INDICATOR_SLOTS],
}

impl Control {
    /// Words of a page.
    pub const WORDS: usize =
        15 + REJECT_SLOTS + FEEDS * FeedCounters::WORDS + STAGES.len() * 5 + INDICATOR_SLOTS * 3;

    /// The page as words.
    pub fn to_words(&self) -> [u64; Self::WORDS] {
        let mut words = [0; Self::WORDS];
        let mut to = WordWriter::new(&mut words);
        to.u64(self.engine_seq);
        to.u64(self.now.0);
        to.u64(self.started.0);
        to.u64(self.loops);
        let (mode, halt) = (self.mode.code(), self.halt.code());
        let cause = self.halt_cause.map_or(0, HaltCause::code);
        let refuses = [self.journal_full, self.audit_full, self.reconciling].map(u8::from);
        let [journal_full, audit_full, reconciling] = refuses;
        to.bytes([mode, halt, journal_full, cause, audit_full, reconciling, 0, 0]);
        to.pair(self.instruments, self.accounts);
        to.pair(self.lines, self.orders);
        to.u64(self.journal_written);
        to.u64(self.journal_synced);
        to.u64(self.config_digest);
        to.u64(self.state_hash);
        to.u64(self.live_orders);
        to.u64(self.passed);
        to.u64(self.feed_count.into());
        to.u64(0);
        self.refused.iter().for_each(|count| to.u64(*count));
        for feed in &self.feeds {
            feed.to_words().into_iter().for_each(|word| to.u64(word));
        }
        for stage in &self.stages {
            for value in [stage.p50, stage.p99, stage.p999, stage.max, stage.count] {
                to.u64(value);
            }
        }
        for slot in &self.indicators {
            slot.name.to_words().into_iter().for_each(|word| to.u64(word));
            to.bytes([slot.decimals, slot.is_price.into(), 0, 0, 0, 0, 0, 0]);
        }
        words
    }

    /// Reads words back.
    ///
    /// # Errors
    ///
    /// [`BadWord`] names the first word that holds no legal value; a page never written is one.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<Control, BadWord> {
        let mut from = WordReader::new(words);
        let [engine_seq, now, started, loops] = core::array::from_fn(|_| from.u64());
        let [mode, halt, journal_full, cause, audit_full, reconciling, ..] = from.bytes();
        let mode = from.legal(Mode::from_code(mode))?;
        let halt = from.legal(HaltLevel::from_code(halt))?;
        let halt_cause = from.legal(HaltCause::from_optional(cause))?;
        let (instruments, accounts) = from.pair();
        let (lines, orders) = from.pair();
        let [journal_written, journal_synced, config_digest, state_hash, live_orders, passed] =
            core::array::from_fn(|_| from.u64());
        let feed_count = from.u64();
        let feed_count = from.legal((feed_count <= FEEDS as u64).then_some(feed_count as u32))?;
        from.u64();
        let refused = core::array::from_fn(|_| from.u64());
        let feeds = core::array::from_fn(|_| {
            FeedCounters::from_words(&core::array::from_fn(|_| from.u64()))
        });
        let stages = core::array::from_fn(|_| {
            let [p50, p99, p999, max, count] = core::array::from_fn(|_| from.u64());
            StageLatency { p50, p99, p999, max, count }
        });
        let mut indicators = [IndicatorSlot::default(); INDICATOR_SLOTS];
        for slot in &mut indicators {
            let name = Symbol::from_words([from.u64(), from.u64()]);
            let name = from.legal(name)?;
            let [decimals, is_price, ..] = from.bytes();
            *slot = IndicatorSlot {
                name,
                decimals: from.legal((decimals <= 18).then_some(decimals))?,
                is_price: is_price == 1,
            };
        }
        Ok(Control {
            engine_seq,
            now: Ts(now),
            started: Ts(started),
            loops,
            mode,
            halt,
            halt_cause,
            journal_full: journal_full == 1,
            audit_full: audit_full == 1,
            reconciling: reconciling == 1,
            instruments,
            accounts,
            lines,
            orders,
            journal_written,
            journal_synced,
            config_digest,
            state_hash,
            live_orders,
            passed,
            refused,
            feeds,
            feed_count,
            stages,
            indicators,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the page fills its words exactly and survives them. Method: count, then odd values at both ends.
    #[test]
    fn words_read_back() {
        let mut page = Control {
            engine_seq: 1,
            now: Ts(2),
            started: Ts(3),
            loops: 4,
            mode: Mode::Replay,
            halt: HaltLevel::Halted,
            halt_cause: Some(HaltCause::Start),
            journal_full: true,
            audit_full: false,
            reconciling: true,
            instruments: 5,
            accounts: 6,
            lines: 7,
            orders: 8,
            journal_written: 9,
            journal_synced: 10,
            config_digest: 11,
            state_hash: 12,
            live_orders: 13,
            passed: 14,
            refused: [15; REJECT_SLOTS],
            feeds: core::array::from_fn(|place| {
                FeedCounters::from_words(&core::array::from_fn(|word| (100 * place + word) as u64))
            }),
            feed_count: 16,
            stages: [StageLatency { p50: 22, p99: 23, p999: 24, max: 25, count: 26 }; STAGES.len()],
            indicators: [IndicatorSlot::default(); INDICATOR_SLOTS],
        };
        page.indicators[15] =
            IndicatorSlot { name: Symbol::new("rsi14").unwrap(), decimals: 12, is_price: true };
        assert_eq!(Control::from_words(&page.to_words()), Ok(page));
        assert_ne!(page.to_words()[Control::WORDS - 1], 0, "the last word is used");
        assert!(Control::from_words(&[0; Control::WORDS]).is_err());
    }
}
