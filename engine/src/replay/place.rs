//! Where a replay stands in its journal, so that another one can go on from there.

use std::path::Path;

use model::FeedId;

use super::head::Head;
use super::{Pending, Replay, ReplayError};
use crate::journal::reader::Tail;
use crate::snapshot::{self, Loaded, Snapshots, Written};
use crate::step::Engine;

/// A place in a journal, between two inputs.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// Behind the last record that was read. Stands in the header of a snapshot.
    #[serde(skip)]
    pub tail: Tail,
    /// The last record, if it is a run of which events are left.
    pub(super) pending: Option<Pending>,
    /// The last limits.toml that was read, if no input has put it in force yet.
    limits: Option<String>,
    /// By feed: events read by reference so far.
    pub events: Vec<u64>,
    /// Whether the last record is a clean stop.
    pub closed: bool,
    /// Times that an engine opened the journal.
    pub opened: u64,
    /// The last epoch of an engine that opened it.
    pub epoch: Option<u32>,
    /// The full hash that was recorded last, and after which input.
    pub full_hash: Option<(u64, u64)>,
}

impl Place {
    /// Behind a clean stop.
    pub fn closed(tail: Tail, events: Vec<u64>, opened: u64, epoch: u32) -> Place {
        let epoch = Some(epoch);
        Place {
            tail,
            pending: None,
            limits: None,
            events,
            closed: true,
            opened,
            epoch,
            full_hash: None,
        }
    }
}

impl Replay {
    /// [`Replay::open`] that begins with the newest snapshot that can be continued, if there is one. What stands in the
    /// journal before it is not looked at.
    ///
    /// # Errors
    ///
    /// [`ReplayError`]. A snapshot that cannot be continued is none: see [`Replay::passed_over`].
    pub fn open_from_snapshot(folder: &Path) -> Result<Option<Replay>, ReplayError> {
        Replay::open_with_steps_from(folder, u64::MAX)
    }

    /// The same, for whoever wants to see the steps from input `first` on: snapshots behind it are the last choice.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn open_with_steps_from(folder: &Path, first: u64) -> Result<Option<Replay>, ReplayError> {
        let Some(head) = Head::read(folder)? else { return Ok(None) };
        let mut passed_over = Vec::new();
        let mut listed = snapshot::list(folder).unwrap_or_else(|error| {
            passed_over.push((folder.join(snapshot::FOLDER), error));
            Vec::new()
        });
        listed.sort_by_key(|(seq, _)| *seq >= first); // Stable: the newest of each come first.
        // Never two engines at a time: each takes all the memory that the host has for one.
        let mut snapshots = None;
        let mut found = None;
        for (_, path) in listed {
            let snapshots = match &mut snapshots {
                Some(snapshots) => &*snapshots,
                none => &*none.insert(Snapshots::new(folder, &head.config)?),
            };
            match snapshots.load(&path) {
                Ok(loaded) => {
                    found = Some(loaded);
                    break;
                }
                Err(error) => passed_over.push((path, error)),
            }
        }
        let (engine, gone_to) = match found {
            Some(Loaded { engine, place, config }) => (engine, Some((place, config))),
            None => (Engine::new(&head.config)?, None),
        };
        let fresh = || Snapshots::of(folder, &head.config, &engine);
        let snapshots = Some(snapshots.unwrap_or_else(fresh));
        let mut replay = head.into_replay(engine)?;
        if let Some((place, config)) = gone_to {
            replay.config = config;
            replay.go_to(place)?;
        }
        Ok(Some(Replay { passed_over, snapshots, ..replay }))
    }

    /// [`Replay::open`] for whoever writes snapshots.
    ///
    /// # Errors
    ///
    /// [`ReplayError`].
    pub fn open_from_beginning(folder: &Path) -> Result<Option<Replay>, ReplayError> {
        let replay = Replay::open(folder)?;
        Ok(replay.map(|mut replay| {
            replay.snapshots = Some(Snapshots::of(folder, &replay.config, &replay.engine));
            replay
        }))
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        Place {
            tail: Tail { torn: false, ..self.reader.tail() },
            pending: self.pending,
            limits: self.limits.clone(),
            events: self.events.clone(),
            closed: self.closed,
            opened: self.opened,
            epoch: self.epoch,
            full_hash: self.full_hash,
        }
    }

    /// Looks again for what was written since its end was reached: of a journal that an engine writes.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Journal`].
    pub fn refresh(&mut self) -> Result<(), ReplayError> {
        Ok(self.reader.refresh()?)
    }

    /// Looks at all that is behind the place, as a restart does: of a journal that nobody writes any more. Then
    /// [`Replay::run`] comes to its end, and knows what is torn there.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Journal`].
    pub fn read_again(&mut self) -> Result<(), ReplayError> {
        Ok(self.reader.seek(self.reader.tail())?)
    }

    /// Writes a snapshot of where it stands; `None`: nobody wants any.
    ///
    /// # Errors
    ///
    /// [`snapshot::SnapshotError`].
    pub fn write_snapshot(&self) -> Result<Option<Written>, snapshot::SnapshotError> {
        let write = |snapshots: &Snapshots| snapshots.write(&self.engine, &self.place());
        self.snapshots.as_ref().map(write).transpose()
    }

    /// Goes to a place with an engine that stands there: the journal and the captures follow.
    fn go_to(&mut self, place: Place) -> Result<(), ReplayError> {
        let Place { tail, pending, limits, events, closed, opened, epoch, full_hash } = place;
        self.reader.seek(tail)?;
        for (feed, count) in events.iter().enumerate().take(self.events.len()) {
            for _ in 0..*count {
                // A capture that ends too early is found out by the next run.
                if self.captures.next_of(FeedId(feed as u8))?.is_none() {
                    break;
                }
            }
        }
        self.events.iter_mut().zip(events).for_each(|(here, there)| *here = there);
        (self.pending, self.limits) = (pending, limits);
        (self.closed, self.opened) = (closed, opened);
        (self.epoch, self.full_hash) = (epoch, full_hash);
        self.from = Some(self.engine.seq());
        Ok(())
    }
}
