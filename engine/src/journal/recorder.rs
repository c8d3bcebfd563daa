//! Records inputs on the engine thread: joins events of a file into runs, and hands entries to the journal thread.

use model::{Body, Event, Input};

use super::record::Entry;
use crate::hash::StateHash;

/// Most events of one run.
const RUN_EVENTS: u64 = 65_536;
/// Inputs after which the state hash is recorded.
const CHECKPOINT_INPUTS: u64 = 65_536;
/// Entries that one input takes at most: the run before it, a file that it speaks of, itself, a checkpoint, a full hash, its
/// stages.
const ENTRIES_PER_INPUT: usize = 6;
/// Inputs that the market makes at most between two looks at [`Recorder::has_room`].
pub(crate) const INPUTS_PER_LOOK: usize = 64;
/// Inputs of any other kind that are made at most between two looks at [`Recorder::has_reserve`].
const URGENT_PER_LOOK: usize = 4;

struct Run {
    feed: u8,
    first_seq: u64,
    first_event: u64,
    count: u64,
    digest: StateHash,
}

/// The engine thread's end of the journal.
pub struct Recorder {
    ring: rtrb::Producer<Entry>,
    /// Bytes of files that controls speak of.
    files: Option<rtrb::Producer<Vec<u8>>>,
    run: Option<Run>,
    /// By feed: whether its events are recorded by reference, and how many there have been.
    feeds: Vec<(bool, u64)>,
    reserve: usize,
    last_checkpoint: u64,
    deep_checkpoints: bool,
    handed: u64,
}

impl Recorder {
    /// Writes into `ring`. `feeds`: by feed, whether its events come from files, which are recorded elsewhere, and how many
    /// of them went before. `reserve` places of the ring are kept for what must always pass: cancels and controls.
    pub fn new(ring: rtrb::Producer<Entry>, feeds: Vec<(bool, u64)>, reserve: usize) -> Recorder {
        Recorder {
            ring,
            files: None,
            run: None,
            feeds,
            reserve,
            last_checkpoint: 0,
            deep_checkpoints: false,
            handed: 0,
        }
    }

    /// Hands the bytes of files over by `files`; without it none can be recorded.
    pub fn with_files(self, files: rtrb::Producer<Vec<u8>>) -> Recorder {
        Recorder { files: Some(files), ..self }
    }

    /// Records the full hash at each checkpoint too. It takes the time of a look at everything that the engine holds.
    pub fn with_deep_checkpoints(self, deep_checkpoints: bool) -> Recorder {
        Recorder { deep_checkpoints, ..self }
    }

    /// By feed: events that were recorded by reference, by this engine and those before it.
    pub fn events(&self) -> Vec<u64> {
        self.feeds.iter().map(|(_, events)| *events).collect()
    }

    /// Whether the ring has room for what the market says, a look's worth of it, beyond the reserve.
    pub fn has_room(&self) -> bool {
        self.ring.slots() > self.reserve + INPUTS_PER_LOOK * ENTRIES_PER_INPUT
    }

    /// Whether half of what is not reserved is free: from there on a ring that had no room has some again, or room would come and
    /// go with each batch that is written.
    pub fn has_recovered(&self) -> bool {
        let reserve = self.reserve + INPUTS_PER_LOOK * ENTRIES_PER_INPUT;
        let capacity = self.ring.buffer().capacity();
        self.ring.slots() > reserve + capacity.saturating_sub(reserve) / 2
    }

    /// The last input that was handed to the journal thread; events that are still being joined come after it.
    pub fn handed(&self) -> u64 {
        self.handed
    }

    /// Whether the ring has room for what must always pass, the reserve included.
    pub fn has_reserve(&self) -> bool {
        self.ring.slots() > URGENT_PER_LOOK * ENTRIES_PER_INPUT
    }

    /// Records an event, which is the input of this number.
    pub fn event(&mut self, seq: u64, event: &Event) {
        let feed = event.feed.0;
        let Some((true, events)) = self.feeds.get_mut(usize::from(feed)) else {
            let (now, body) = (event.ts_recv, Body::Event(*event));
            return self.input(&Input { seq, now, body });
        };
        *events += 1;
        let number = *events;
        let goes_on = |run: &Run| run.feed == feed && run.count < RUN_EVENTS;
        if !self.run.as_ref().is_some_and(goes_on) {
            self.flush();
            let (first_seq, digest) = (seq, StateHash::default());
            self.run = Some(Run { feed, first_seq, first_event: number, count: 0, digest });
        }
        if let Some(run) = &mut self.run {
            run.count += 1;
            fold_event(&mut run.digest, event);
        }
    }

    /// Records any other input.
    pub fn input(&mut self, input: &Input) {
        self.flush();
        self.push(Entry::input(input));
    }

    /// Records the bytes of limits.toml, which the input after `seq` puts in force. Copies nothing.
    ///
    /// # Errors
    ///
    /// The bytes again, if the writer has not taken the ones before.
    pub fn file(&mut self, seq: u64, bytes: Vec<u8>) -> Result<(), Vec<u8>> {
        let Some(files) = &mut self.files else { return Err(bytes) };
        files.push(bytes).map_err(|rtrb::PushError::Full(bytes)| bytes)?;
        self.flush();
        self.push(Entry::file(seq));
        Ok(())
    }

    /// Records the state hash after input `seq`, if it is time to.
    pub fn checkpoint(&mut self, seq: u64, state_hash: u64) {
        if seq - self.last_checkpoint >= CHECKPOINT_INPUTS {
            self.flush();
            self.push(Entry::checkpoint(seq, state_hash));
            self.last_checkpoint = seq;
        }
    }

    /// Hands out the run that is being joined: what waits for it to be written would wait for ever.
    pub fn flush(&mut self) {
        if let Some(Run { feed, first_seq, first_event, count, digest }) = self.run.take() {
            self.push(Entry::run(feed, first_seq, first_event, count, digest.value()));
        }
    }

    /// Whether the full hash is to be recorded after input `seq` too: after the checkpoint there, if that is wanted.
    pub fn is_deep_due(&self, seq: u64) -> bool {
        self.deep_checkpoints && self.last_checkpoint == seq
    }

    /// Records the full hash after input `seq`.
    pub fn deep(&mut self, seq: u64, full_hash: u64) {
        self.flush();
        self.push(Entry::deep(seq, full_hash));
    }

    /// Records how long the order of input `seq` took, by stage; not while the ring is short of room.
    pub fn stages(&mut self, seq: u64, ns: [u64; 3]) {
        if self.has_room() {
            self.flush(); // What is published as written must be: the input itself first.
            self.push(Entry::stages(seq, ns));
        }
    }

    /// Records a clean stop.
    pub fn close(&mut self, seq: u64, state_hash: u64) {
        self.flush();
        self.push(Entry::closed(seq, state_hash));
    }

    /// Waits while the ring is full, which the callers avoid: nothing is ever dropped.
    fn push(&mut self, entry: Entry) {
        self.handed = entry.seq;
        while self.ring.push(entry).is_err() {
            std::hint::spin_loop();
        }
    }
}

/// Folds an event into the digest of its run.
pub fn fold_event(digest: &mut StateHash, event: &Event) {
    digest.fold_words(&event.to_words());
}
