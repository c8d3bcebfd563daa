//! Makes an engine's state again from its journal: for a restart, for verification, for a question about the past. From
//! the beginning, or from a snapshot (`replay/place.rs`).

mod head;
mod place;

use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use feeds::capture::Capture;
use feeds::{FeedOptions, Merge, MergeError};
use model::{Body, Control, FeedId, Input, Order, OrderId, Request};

use crate::audit::Trail;
use crate::config::{Config, ConfigErrors, FeedConfig};
use crate::hash::StateHash;
use crate::journal::reader::{Fault, Reader, Tail};
use crate::journal::recorder::fold_event;
use crate::journal::{JournalError, Record};
use crate::output::Output;
use crate::snapshot::{SnapshotError, Snapshots};
use crate::step::{Engine, NotTaken, Prepared, Stage, Stamp, StartError, prepare};
use head::Head;
pub use place::Place;

/// Why a journal cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// It does not begin with the configuration.
    #[error("the journal does not begin with a configuration")]
    NoConfig,
    /// The configuration in it is not one of this version.
    #[error("the configuration in the journal is refused:\n{0}")]
    Config(#[from] ConfigErrors),
    /// The engine cannot start with it.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A capture that the journal refers to cannot be read.
    #[error("{path}: {error}")]
    Source {
        /// Where it was.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A capture is not what it was when the journal was written.
    #[error("{0}: its content has changed since the journal was written")]
    SourceChanged(PathBuf),
    /// A capture broke while it was read.
    #[error(transparent)]
    Feed(#[from] MergeError),
    /// The events of a run are not those that were recorded.
    #[error("input {seq}: the events read again are not those that were recorded")]
    RunChanged {
        /// The first input of the run.
        seq: u64,
    },
    /// An input's number does not follow.
    #[error("input {found} follows input {last}: records are missing")]
    Hole {
        /// The last before it.
        last: u64,
        /// What came.
        found: u64,
    },
    /// The limits that an input puts in force are not those that the journal holds.
    #[error("input {seq} puts limits in force that do not stand before it, or are no limits")]
    Limits {
        /// The input.
        seq: u64,
    },
    /// Limits in the journal are refused by this version.
    #[error("the limits in the journal are refused:\n{0}")]
    NotTaken(#[from] NotTaken),
    /// The state is not what it was.
    #[error(
        "after input {seq} the state hash is {replayed:016x}, recorded is {recorded:016x}: the replay diverged"
    )]
    Diverged {
        /// After which input.
        seq: u64,
        /// What the journal says.
        recorded: u64,
        /// What came out.
        replayed: u64,
    },
    /// The state is not what it was, although its running hash is.
    #[error(
        "after input {seq} the full hash is {replayed:016x}, recorded is {recorded:016x}: what is held differs"
    )]
    FullyDiverged {
        /// After which input.
        seq: u64,
        /// What the journal says.
        recorded: u64,
        /// What came out.
        replayed: u64,
    },
}

/// A run of which some events are still to come.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Pending {
    feed: FeedId,
    first_seq: u64,
    next_seq: u64,
    next_event: u64,
    left: u64,
    digest: u64,
    folded: StateHash,
}

/// A step of a replay.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// The input.
    pub input: &'a Input,
    /// The engine after it.
    pub engine: &'a Engine,
    /// What it left behind, the answer to a request among it.
    pub out: &'a Output,
}

/// Attends a replay: each input before it is stepped, each order before it is judged, and what the step left behind.
pub trait Witness {
    /// `input` is stepped next, by `engine`.
    fn before(&mut self, _engine: &Engine, _input: &Input) {}

    /// As [`Stamp::judging`].
    fn judging(&mut self, _engine: &Engine, _request: &Request, _order: &Order) {}

    /// How long the last order judged by input `seq` took when it was: nanoseconds of book, indicators and gate; zero: no
    /// such stage. Comes after that step, of orders that were measured.
    fn stages(&mut self, _seq: u64, _ns: [u64; 3]) {}

    /// The step is done; what it left behind is forgotten next. [`ControlFlow::Break`] ends the replay here.
    fn after(&mut self, seen: &Seen<'_>) -> ControlFlow<()>;
}

/// Whoever looks at steps alone.
struct Watching<F>(F);

impl<F: FnMut(&Seen<'_>)> Witness for Watching<F> {
    fn after(&mut self, seen: &Seen<'_>) -> ControlFlow<()> {
        (self.0)(seen);
        ControlFlow::Continue(())
    }
}

/// A witness inside of a step.
struct Inside<'a, W>(&'a mut W);

impl<W: Witness> Stamp for Inside<'_, W> {
    fn mark(&mut self, _: Stage) {}

    fn judging(&mut self, engine: &Engine, request: &Request, order: &Order) {
        self.0.judging(engine, request, order);
    }
}

/// A journal in the course of being replayed.
pub struct Replay {
    reader: Reader,
    pending: Option<Pending>,
    /// The limits.toml that was read last and is not in force.
    limits: Option<String>,
    /// The configuration in force: the one that it begins with, and the limits that were put in force since.
    pub config: Config,
    /// The engine.
    pub engine: Engine,
    /// What its steps leave behind; nobody takes it.
    pub out: Output,
    /// The captures, where the replay stands in them.
    pub captures: Merge,
    /// By feed: events read so far.
    pub events: Vec<u64>,
    /// State hashes that were recorded, and came out the same.
    pub checkpoints: u64,
    /// Whether the last record is a clean stop.
    pub closed: bool,
    /// Times that an engine opened the journal.
    pub opened: u64,
    /// The last epoch of an engine that opened it; `None`: of a version without epochs.
    pub epoch: Option<u32>,
    /// The full hash that was recorded last, and after which input.
    pub full_hash: Option<(u64, u64)>,
    /// Whether recorded full hashes are compared, which takes the time of a look at everything.
    pub deep: bool,
    /// Full hashes that were recorded, and came out the same.
    pub full_checkpoints: u64,
    /// The input that it began after, if it began with a snapshot.
    pub from: Option<u64>,
    /// Snapshots that were passed over, and why.
    pub passed_over: Vec<(PathBuf, SnapshotError)>,
    /// What snapshots of this journal must agree with; `None`: a replay that is not asked for any.
    pub snapshots: Option<Snapshots>,
    /// What the audit log must have of its steps; `None`: nobody asks.
    pub trail: Option<Trail>,
}

impl Replay {
    /// Reads the head of a journal and starts a fresh engine by it; `None` if there is no journal.
    ///
    /// # Errors
    ///
    /// [`ReplayError`].
    pub fn open(folder: &Path) -> Result<Option<Replay>, ReplayError> {
        let Some(head) = Head::read(folder)? else { return Ok(None) };
        let engine = Engine::new(&head.config)?;
        head.into_replay(engine).map(Some)
    }

    /// Replays up to input `until`, or to the end of the valid part.
    ///
    /// # Errors
    ///
    /// [`ReplayError`]; the engine stands at the last input that was right.
    pub fn run(
        &mut self,
        until: Option<u64>,
        mut progress: impl FnMut(u64),
    ) -> Result<(), ReplayError> {
        self.watch(until, |seen| progress(seen.input.seq))
    }

    /// [`Replay::run`] that shows each step, before what it left behind is forgotten.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn watch(
        &mut self,
        until: Option<u64>,
        watch: impl FnMut(&Seen<'_>),
    ) -> Result<(), ReplayError> {
        self.attend(until, &mut Watching(watch))
    }

    /// [`Replay::run`] with a witness, who may end it.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn attend(
        &mut self,
        until: Option<u64>,
        witness: &mut impl Witness,
    ) -> Result<(), ReplayError> {
        let until = until.unwrap_or(u64::MAX);
        while self.engine.seq() < until {
            if self.pending.is_some() {
                if self.run_events(until, witness)?.is_break() {
                    break;
                }
                continue;
            }
            let Some(record) = self.reader.next_record()? else { break };
            self.closed = false;
            match record {
                Record::Input(input) => {
                    if self.step(&input, witness)?.is_break() {
                        break;
                    }
                }
                Record::Run { feed, first_seq, first_event, count, digest } => {
                    let (feed, folded) = (FeedId(feed), StateHash::default());
                    let (next_seq, next_event, left) = (first_seq, first_event, count);
                    let run =
                        Pending { feed, first_seq, next_seq, next_event, left, digest, folded };
                    self.pending = Some(run);
                }
                Record::Checkpoint { seq, state_hash } => self.compare(seq, state_hash)?,
                Record::Closed { seq, state_hash } => {
                    self.compare(seq, state_hash)?;
                    self.closed = true;
                }
                Record::Deep { seq, full_hash } => self.compare_full(seq, full_hash)?,
                Record::Stages { seq, ns } => witness.stages(seq, ns),
                Record::Opened { epoch, .. } => {
                    self.opened += 1;
                    self.epoch = epoch_of(epoch).max(self.epoch);
                }
                Record::Config { name, bytes } if name == Config::LIMITS => {
                    self.limits = Some(String::from_utf8_lossy(&bytes).into_owned());
                }
                Record::Config { .. } | Record::Source { .. } => {}
            }
        }
        Ok(())
    }

    /// Lays ready what a control is about to put in force.
    fn offer(&mut self, seq: u64, control: &Control) -> Result<(), ReplayError> {
        let Control::Limits { .. } = control else { return Ok(()) };
        let text = self.limits.take().ok_or(ReplayError::Limits { seq })?;
        let Prepared { config, rules, .. } =
            prepare(&self.config, self.engine.limits_version(), &text)?;
        if !rules.is_meant(control) {
            return Err(ReplayError::Limits { seq });
        }
        self.engine.offer(rules);
        self.config = config;
        Ok(())
    }

    /// Where the valid part ends.
    pub fn tail(&self) -> Tail {
        self.reader.tail()
    }

    /// The first bad record, if it was reached.
    pub fn fault(&self) -> Option<Fault> {
        self.reader.fault()
    }

    /// Steps the events of the pending run, up to input `until`.
    fn run_events(
        &mut self,
        until: u64,
        witness: &mut impl Witness,
    ) -> Result<ControlFlow<()>, ReplayError> {
        let mut flow = ControlFlow::Continue(());
        let Some(mut run) = self.pending.take() else { return Ok(flow) };
        let changed = ReplayError::RunChanged { seq: run.first_seq };
        while run.left > 0 && self.engine.seq() < until && flow.is_continue() {
            let Some(event) = self.captures.next_of(run.feed)? else { return Err(changed) };
            let Some(read) = self.events.get_mut(usize::from(run.feed.0)) else {
                return Err(changed);
            };
            *read += 1;
            if *read != run.next_event {
                return Err(changed);
            }
            fold_event(&mut run.folded, &event);
            let (seq, now) = (run.next_seq, event.ts_recv);
            flow = self.step(&Input { seq, now, body: Body::Event(event) }, witness)?;
            run.next_seq += 1;
            run.next_event += 1;
            run.left -= 1;
        }
        if run.left > 0 {
            self.pending = Some(run);
            return Ok(flow);
        }
        if run.folded.value() == run.digest { Ok(flow) } else { Err(changed) }
    }

    fn step(
        &mut self,
        input: &Input,
        witness: &mut impl Witness,
    ) -> Result<ControlFlow<()>, ReplayError> {
        let last = self.engine.seq();
        if input.seq != last + 1 {
            return Err(ReplayError::Hole { last, found: input.seq });
        }
        witness.before(&self.engine, input);
        if let Body::Control(control) = &input.body {
            self.offer(input.seq, control)?;
        }
        self.engine.step(input, &mut self.out, &mut Inside(witness));
        self.engine.take_spent();
        if let Some(trail) = &mut self.trail {
            trail.observe(&self.engine, input, &self.out);
        }
        let flow = witness.after(&Seen { input, engine: &self.engine, out: &self.out });
        self.out.forget();
        Ok(flow)
    }

    fn compare_full(&mut self, seq: u64, recorded: u64) -> Result<(), ReplayError> {
        self.full_hash = Some((seq, recorded));
        if !self.deep {
            return Ok(());
        }
        let replayed = self.engine.full_hash();
        if seq != self.engine.seq() || replayed != recorded {
            return Err(ReplayError::FullyDiverged { seq, recorded, replayed });
        }
        self.full_checkpoints += 1;
        Ok(())
    }

    fn compare(&mut self, seq: u64, recorded: u64) -> Result<(), ReplayError> {
        let replayed = self.engine.state_hash();
        if seq != self.engine.seq() || replayed != recorded {
            return Err(ReplayError::Diverged { seq, recorded, replayed });
        }
        self.checkpoints += 1;
        Ok(())
    }
}

/// An epoch as its record has it. Versions without epochs wrote a time there.
fn epoch_of(epoch: u64) -> Option<u32> {
    u32::try_from(epoch).ok().filter(|epoch| *epoch <= OrderId::EPOCH_MAX)
}

/// Opens the captures of every feed of a configuration; `paths` names those of a feed by its place.
///
/// # Errors
///
/// [`MergeError`] of the first that cannot be opened.
pub fn open_captures(
    config: &Config,
    paths: impl Fn(usize) -> Vec<PathBuf>,
) -> Result<Merge, MergeError> {
    let open = |(place, feed): (usize, &FeedConfig)| {
        let (date, repeat) = feed.captures().map_or_else(Default::default, |c| (c.date, c.repeat));
        let shard = config.engine.shard();
        let options = FeedOptions { feed: FeedId(place as u8), date, repeat, shard };
        let symbols = feed.captures().map_or(&[][..], |captures| &captures.symbols);
        let capture = Capture::open(feed.venue, &paths(place), options, symbols);
        let capture = capture.map_err(|error| MergeError { feed: place, error })?;
        Ok(match config.engine.filter(feed) {
            Some(filter) => capture.for_shard(filter),
            None => capture,
        })
    };
    let recorded = config.engine.feeds.iter().enumerate().filter(|(_, f)| f.captures().is_some());
    recorded.map(open).collect::<Result<_, _>>().map(Merge::new)
}

/// BLAKE3 of a file's bytes as stored.
///
/// # Errors
///
/// [`ReplayError::Source`].
pub fn digest_of(path: &Path) -> Result<[u8; 32], ReplayError> {
    let digest = || -> std::io::Result<[u8; 32]> {
        let mut file = std::fs::File::open(path)?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; 1 << 20];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(*hasher.finalize().as_bytes()),
                count => hasher.update(buffer.get(..count).unwrap_or_default()),
            };
        }
    };
    digest().map_err(|error| ReplayError::Source { path: path.to_path_buf(), error })
}
