//! The records of a journal and their bytes.

use model::{BadWord, Body, Control, Event, Input, Report, Request, Ts};

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A configuration file, whole. At the head all of them; later limits.toml alone, before the control that puts it in force.
    Config {
        /// Its name without a path: `engine.toml`.
        name: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A capture file that runs refer to.
    Source {
        /// The feed that reads it.
        feed: u8,
        /// Its place in the feed, from 0.
        place: u32,
        /// Nanoseconds since the UNIX epoch of the midnight that its times count from.
        midnight: Ts,
        /// BLAKE3 of its bytes as stored.
        digest: [u8; 32],
        /// Where it was.
        path: String,
    },
    /// Consecutive events of a file feed, by reference. Each is one input, with `now` = its receive time.
    Run {
        /// The feed.
        feed: u8,
        /// Number of the input of the first event.
        first_seq: u64,
        /// Place of the first one among the events of the feed, from 1.
        first_event: u64,
        /// How many.
        count: u64,
        /// Fold of all their words, in order.
        digest: u64,
    },
    /// One input by value.
    Input(Input),
    /// The state hash after an input. A replay that comes to another hash has diverged.
    Checkpoint {
        /// The last input before it.
        seq: u64,
        /// The hash then.
        state_hash: u64,
    },
    /// The full hash after an input: everything that the engine holds, not only what changed.
    Deep {
        /// The last input before it.
        seq: u64,
        /// [`crate::step::Engine::full_hash`] then.
        full_hash: u64,
    },
    /// A clean stop after an input. Nothing but [`Record::Opened`] may follow.
    Closed {
        /// The last input.
        seq: u64,
        /// The hash then.
        state_hash: u64,
    },
    /// How long the last order that an input had judged took, by stage, where it was measured. Beside what happened: nothing
    /// follows from it, and no hash folds it.
    Stages {
        /// The input.
        seq: u64,
        /// Nanoseconds of book, indicators and gate; zero: the step had no such stage.
        ns: [u64; 3],
    },
    /// An engine opened the journal, new or to go on with it.
    Opened {
        /// The engine's epoch: [`super::epoch`].
        epoch: u64,
        /// The last input before it.
        seq: u64,
    },
}

/// A payload that is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// The first byte names no kind of record.
    #[error("unknown kind of record {0}")]
    Kind(u8),
    /// The payload has not the length of its kind.
    #[error("a record of kind {0} with a wrong length")]
    Length(u8),
    /// A word of it holds no legal value.
    #[error("a record of kind {kind}: {word}")]
    Word {
        /// The kind.
        kind: u8,
        /// Which word.
        word: BadWord,
    },
}

const CONFIG: u8 = 1;
const SOURCE: u8 = 2;
const RUN: u8 = 3;
const EVENT: u8 = 4;
const REQUEST: u8 = 5;
const REPORT: u8 = 6;
const CONTROL: u8 = 7;
const TIMER: u8 = 8;
const CHECKPOINT: u8 = 9;
const CLOSED: u8 = 10;
const OPENED: u8 = 11;
/// Bytes of the payload of [`Record::Opened`].
pub(super) const OPENED_BYTES: usize = 1 + 2 * size_of::<u64>();
/// Bytes of the longest payload of an [`Entry`] that stands for no file.
pub(super) const ENTRY_BYTES_MAX: usize = 1 + Entry::WORDS * size_of::<u64>();
const DEEP: u8 = 12;
const STAGES: u8 = 16;

/// What the engine thread hands to the journal thread: a record of fixed size, without memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    kind: u8,
    len: u8,
    /// The input that the record belongs to; published as written once its bytes are.
    pub seq: u64,
    words: [u64; Self::WORDS],
}

impl Entry {
    const WORDS: usize = 2 + Request::WORDS;

    fn new(kind: u8, seq: u64, parts: &[&[u64]]) -> Entry {
        let mut words = [0; Self::WORDS];
        let mut len = 0;
        for (word, value) in words.iter_mut().zip(parts.iter().flat_map(|part| part.iter())) {
            *word = *value;
            len += 1;
        }
        Entry { kind, len, seq, words }
    }

    /// An input by value.
    pub fn input(input: &Input) -> Entry {
        let head = [input.seq, input.now.0];
        match &input.body {
            Body::Event(event) => Entry::new(EVENT, input.seq, &[&head, &event.to_words()]),
            Body::Request(request) => Entry::new(REQUEST, input.seq, &[&head, &request.to_words()]),
            Body::Report(report) => Entry::new(REPORT, input.seq, &[&head, &report.to_words()]),
            Body::Control(control) => Entry::new(CONTROL, input.seq, &[&head, &control.to_words()]),
            Body::Timer => Entry::new(TIMER, input.seq, &[&head]),
        }
    }

    /// A run of events by reference; see [`Record::Run`].
    pub fn run(feed: u8, first_seq: u64, first_event: u64, count: u64, digest: u64) -> Entry {
        let last = first_seq + count - 1;
        Entry::new(RUN, last, &[&[feed.into(), first_seq, first_event, count, digest]])
    }

    /// The state hash after input `seq`.
    pub fn checkpoint(seq: u64, state_hash: u64) -> Entry {
        Entry::new(CHECKPOINT, seq, &[&[seq, state_hash]])
    }

    /// The full hash after input `seq`.
    pub fn deep(seq: u64, full_hash: u64) -> Entry {
        Entry::new(DEEP, seq, &[&[seq, full_hash]])
    }

    /// Nanoseconds by stage of the last order that input `seq` had judged.
    pub fn stages(seq: u64, ns: [u64; 3]) -> Entry {
        Entry::new(STAGES, seq, &[&[seq], &ns])
    }

    /// A configuration file whose bytes the writer has from elsewhere, for the input after `seq` to speak of: that one is
    /// not written when this is.
    pub fn file(seq: u64) -> Entry {
        Entry::new(CONFIG, seq, &[])
    }

    /// Whether it is [`Entry::file`].
    pub(super) fn is_file(&self) -> bool {
        self.kind == CONFIG
    }

    /// A clean stop after input `seq`.
    pub fn closed(seq: u64, state_hash: u64) -> Entry {
        Entry::new(CLOSED, seq, &[&[seq, state_hash]])
    }

    /// An engine of `epoch` goes on after input `seq`.
    pub fn opened(epoch: u64, seq: u64) -> Entry {
        Entry::new(OPENED, seq, &[&[epoch, seq]])
    }

    /// Appends the record's payload to `to`.
    pub fn write(&self, to: &mut Vec<u8>) {
        to.push(self.kind);
        for word in self.words.iter().take(self.len.into()) {
            to.extend_from_slice(&word.to_le_bytes());
        }
    }
}

impl Record {
    /// Appends the payload of a record that only start-up writes; the others go by [`Entry`].
    pub fn write_head(&self, to: &mut Vec<u8>) {
        match self {
            Record::Config { name, bytes } => {
                to.push(CONFIG);
                write_text(to, name);
                to.extend_from_slice(bytes);
            }
            Record::Source { feed, place, midnight, digest, path } => {
                to.push(SOURCE);
                to.push(*feed);
                to.extend_from_slice(&place.to_le_bytes());
                to.extend_from_slice(&midnight.0.to_le_bytes());
                to.extend_from_slice(digest);
                to.extend_from_slice(path.as_bytes());
            }
            Record::Run { feed, first_seq, first_event, count, digest } => {
                Entry::run(*feed, *first_seq, *first_event, *count, *digest).write(to);
            }
            Record::Input(input) => Entry::input(input).write(to),
            Record::Checkpoint { seq, state_hash } => {
                Entry::checkpoint(*seq, *state_hash).write(to)
            }
            Record::Deep { seq, full_hash } => Entry::deep(*seq, *full_hash).write(to),
            Record::Stages { seq, ns } => Entry::stages(*seq, *ns).write(to),
            Record::Closed { seq, state_hash } => Entry::closed(*seq, *state_hash).write(to),
            Record::Opened { epoch, seq } => Entry::opened(*epoch, *seq).write(to),
        }
    }

    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// [`BadRecord`] if it is none; nothing is kept.
    pub fn read(payload: &[u8]) -> Result<Record, BadRecord> {
        let (kind, rest) = payload.split_first().ok_or(BadRecord::Kind(0))?;
        let kind = *kind;
        let short = BadRecord::Length(kind);
        match kind {
            CONFIG => {
                let (name, bytes) = read_text(rest).ok_or(short)?;
                Ok(Record::Config { name, bytes: bytes.to_vec() })
            }
            SOURCE => read_source(rest).ok_or(short),
            _ => {
                let (words, tail) = rest.as_chunks::<8>();
                if !tail.is_empty() || words.len() > Entry::WORDS {
                    return Err(short);
                }
                let mut buffer = [0; Entry::WORDS];
                for (word, bytes) in buffer.iter_mut().zip(words) {
                    *word = u64::from_le_bytes(*bytes);
                }
                read_words(kind, buffer.get(..words.len()).unwrap_or(&[]))
            }
        }
    }

    /// The last input that a payload speaks of, without a look at the rest of it.
    pub(super) fn last_input_of(payload: &[u8]) -> Option<u64> {
        match *payload.first()? {
            RUN => match Record::read(payload).ok()? {
                Record::Run { first_seq, count, .. } => (first_seq + count).checked_sub(1),
                _ => None,
            },
            EVENT..=CLOSED | DEEP => {
                payload.get(1..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
            }
            _ => None,
        }
    }
}

fn write_text(to: &mut Vec<u8>, text: &str) {
    let len = text.len().min(usize::from(u16::MAX)) as u16;
    to.extend_from_slice(&len.to_le_bytes());
    to.extend_from_slice(text.as_bytes().get(..len.into()).unwrap_or_default());
}

fn read_text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<2>()?;
    let (text, rest) = rest.split_at_checked(u16::from_le_bytes(*len).into())?;
    Some((String::from_utf8(text.to_vec()).ok()?, rest))
}

fn read_source(bytes: &[u8]) -> Option<Record> {
    let (feed, rest) = bytes.split_first()?;
    let (place, rest) = rest.split_first_chunk()?;
    let (midnight, rest) = rest.split_first_chunk()?;
    let (digest, path) = rest.split_first_chunk()?;
    Some(Record::Source {
        feed: *feed,
        place: u32::from_le_bytes(*place),
        midnight: Ts(u64::from_le_bytes(*midnight)),
        digest: *digest,
        path: String::from_utf8(path.to_vec()).ok()?,
    })
}

fn read_words(kind: u8, words: &[u64]) -> Result<Record, BadRecord> {
    let short = BadRecord::Length(kind);
    match (kind, words) {
        (RUN, [feed, first_seq, first_event, count, digest]) => {
            let (feed, first_seq, first_event) = (*feed as u8, *first_seq, *first_event);
            Ok(Record::Run { feed, first_seq, first_event, count: *count, digest: *digest })
        }
        (CHECKPOINT, [seq, state_hash]) => {
            Ok(Record::Checkpoint { seq: *seq, state_hash: *state_hash })
        }
        (DEEP, [seq, full_hash]) => Ok(Record::Deep { seq: *seq, full_hash: *full_hash }),
        (STAGES, [seq, ns @ ..]) => {
            Ok(Record::Stages { seq: *seq, ns: ns.try_into().map_err(|_| short)? })
        }
        (CLOSED, [seq, state_hash]) => Ok(Record::Closed { seq: *seq, state_hash: *state_hash }),
        (OPENED, [epoch, seq]) => Ok(Record::Opened { epoch: *epoch, seq: *seq }),
        (EVENT | REQUEST | REPORT | CONTROL | TIMER, [seq, now, body @ ..]) => {
            let bad = |word| BadRecord::Word { kind, word };
            let body = match kind {
                EVENT => Event::from_words(body.try_into().map_err(|_| short)?).map(Body::Event),
                REQUEST => {
                    Request::from_words(body.try_into().map_err(|_| short)?).map(Body::Request)
                }
                REPORT => Report::from_words(body.try_into().map_err(|_| short)?).map(Body::Report),
                CONTROL => {
                    Control::from_words(body.try_into().map_err(|_| short)?).map(Body::Control)
                }
                _ if body.is_empty() => Ok(Body::Timer),
                _ => return Err(short),
            };
            Ok(Record::Input(Input { seq: *seq, now: Ts(*now), body: body.map_err(bad)? }))
        }
        (RUN..=OPENED | DEEP | STAGES, _) => Err(short),
        _ => Err(BadRecord::Kind(kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Kind, OrderId, Px, Qty, ReportKind};

    fn every_kind() -> Vec<Record> {
        let input = |body| Record::Input(Input { seq: 1, now: Ts(2), body });
        let order = OrderId(9);
        let report =
            Report { exec_id: 1, px: Px(2), qty: Qty(3), ..Report::of(ReportKind::Fill, order) };
        let digest = [7; 32];
        vec![
            Record::Config { name: "engine.toml".into(), bytes: b"a = 1\n".to_vec() },
            Record::Source { feed: 1, place: 2, midnight: Ts(3), digest, path: "a/b.itch".into() },
            Record::Run { feed: 1, first_seq: 2, first_event: 3, count: 4, digest: 5 },
            input(Body::Event(Event::empty(Kind::Clear))),
            input(Body::Report(report)),
            input(Body::Control(Control::JournalFull(true))),
            input(Body::Timer),
            Record::Checkpoint { seq: 1, state_hash: 2 },
            Record::Deep { seq: 1, full_hash: 2 },
            Record::Stages { seq: 1, ns: [2, 0, 3] },
            Record::Closed { seq: 1, state_hash: 2 },
            Record::Opened { epoch: 1, seq: 2 },
        ]
    }

    /// Goal: each record survives its bytes. Method: one of each kind.
    #[test]
    fn bytes_read_back() {
        for record in every_kind() {
            let mut payload = Vec::new();
            record.write_head(&mut payload);
            assert_eq!(Record::read(&payload), Ok(record));
        }
    }

    /// Goal: no prefix of a record, and no unknown kind, is taken for a record of fixed size. Method: cut each.
    #[test]
    fn cut_records_are_refused() {
        for record in every_kind().into_iter().skip(2) {
            let mut payload = Vec::new();
            record.write_head(&mut payload);
            for cut in 1..payload.len() {
                assert!(Record::read(&payload[..cut]).is_err(), "{record:?} cut at {cut}");
            }
        }
        assert_eq!(Record::read(&[99]), Err(BadRecord::Kind(99)));
        assert_eq!(Record::read(&[]), Err(BadRecord::Kind(0)));
    }
}
