//! Snapshots: the whole engine in one file, so that a restart replays only what came after it.
//!
//! Who writes one: the engine when it stops cleanly, and a follower while the engine runs (`tickgate follow`). Who reads
//! one: a restart, which checks that it is whole, of this version, configuration and journal, and that the engine in it
//! comes to the full hash that was written down. One that fails any of that is passed over, for an older one or for the
//! journal's beginning: a snapshot saves time, and is never needed.
//!
//! The format is described in `journal/SNAPSHOT.md`.

mod file;
mod header;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use model::snapshot::Sizes;

use crate::config::Config;
use crate::journal::storage::{Disk, Storage};
use crate::replay::Place;
use crate::step::{Engine, LimitsTexts, NotTaken, StartError};
pub use file::{FOLDER, KEEP, list};
use header::Header;

/// Why a snapshot was not written, or is not continued from.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The operating system refused.
    #[error("{path}: {error}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        #[source]
        error: io::Error,
    },
    /// It is no snapshot, or is cut off.
    #[error("not a whole snapshot")]
    NotWhole,
    /// Its checksum is another one.
    #[error("damaged: its checksum is another one")]
    Damaged,
    /// Another version wrote it.
    #[error("written by another version")]
    OtherVersion,
    /// It was written under another configuration.
    #[error("written under another configuration")]
    OtherConfig,
    /// What stands before its place in the journal is not what stood there.
    #[error("of another journal, or of a part of it that is gone")]
    OtherJournal,
    /// The limits in it are refused.
    #[error("the limits in it are refused:\n{0}")]
    NotTaken(#[from] NotTaken),
    /// The limits in it are not those in force where it was written.
    #[error("the limits in it are not those of its engine")]
    OtherLimits,
    /// What is in it makes no engine.
    #[error("makes no engine: {0}")]
    NoEngine(postcard::Error),
    /// The engine in it is not the one that was written.
    #[error("the {what} of the engine in it is {found:016x}, written is {written:016x}")]
    OtherState {
        /// Which number.
        what: &'static str,
        /// What the header says.
        written: u64,
        /// What the engine comes to.
        found: u64,
    },
}

/// A snapshot that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its file.
    pub path: PathBuf,
    /// The last input of the engine in it.
    pub seq: u64,
    /// Its size.
    pub bytes: u64,
}

/// The snapshots of a journal, and what each of them must agree with.
pub struct Snapshots {
    journal: PathBuf,
    /// The configuration that the journal begins with.
    config: Config,
    /// BLAKE3 of its files.
    config_digest: [u8; 32],
    /// BLAKE3 of an empty engine as this version writes it: another version with other fields comes to another one.
    blank: [u8; 32],
    /// Of every table of the engine, as long as its limits are those that it began with.
    sizes: Sizes,
}

/// What was read from one.
pub struct Loaded {
    /// The engine.
    pub engine: Engine,
    /// Where it stands in the journal.
    pub place: Place,
    /// The configuration with the limits in force there.
    pub config: Config,
}

impl Snapshots {
    /// Those of a journal under a configuration. Makes an engine to learn what an empty one is, and lets it go.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub fn new(journal: &Path, config: &Config) -> Result<Snapshots, StartError> {
        Ok(Self::of(journal, config, &Engine::new(config)?))
    }

    /// The same, from an engine that has had no input yet.
    pub fn of(journal: &Path, config: &Config, blank: &Engine) -> Snapshots {
        let (sizes, bytes) = Sizes::of(|| postcard::to_stdvec(blank));
        let blank = *blake3::hash(&bytes.unwrap_or_default()).as_bytes();
        let mut hasher = blake3::Hasher::new();
        for file in &config.files {
            for text in [&file.name, &file.text] {
                hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
            }
        }
        let config_digest = *hasher.finalize().as_bytes();
        let (journal, config) = (journal.to_path_buf(), config.clone());
        Snapshots { journal, config, config_digest, blank, sizes }
    }

    /// Writes one: under another name first, synced, and never half there. Removes all but the newest [`KEEP`]; one that
    /// cannot be removed is told.
    ///
    /// `place` is where the engine stands in the journal.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`]; what was there before still is.
    pub fn write(&self, engine: &Engine, place: &Place) -> Result<Written, SnapshotError> {
        self.write_on(&mut Disk, engine, place)
    }

    /// [`Snapshots::write`] on another storage.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn write_on(
        &self,
        storage: &mut impl Storage,
        engine: &Engine,
        place: &Place,
    ) -> Result<Written, SnapshotError> {
        let bytes = self.to_bytes(engine, place)?;
        let (seq, len) = (engine.seq(), bytes.len() as u64);
        let path = file::write(storage, &self.journal, seq, &bytes)?;
        if let Err(error) = file::prune(storage, &self.journal, seq) {
            tracing::warn!("an old snapshot stays: {error}");
        }
        Ok(Written { path, seq, bytes: len })
    }

    /// Reads one back.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] says why it is not to be continued from.
    pub fn load(&self, path: &Path) -> Result<Loaded, SnapshotError> {
        self.parse(&file::read(path)?)
    }

    fn to_bytes(&self, engine: &Engine, place: &Place) -> Result<Vec<u8>, SnapshotError> {
        let body = postcard::to_stdvec(&(&engine.limits, place, engine));
        let body = body.map_err(SnapshotError::NoEngine)?;
        let header = Header {
            config: self.config_digest,
            blank: self.blank,
            journal: file::journal_digest(&self.journal, place.tail)?,
            limits: *blake3::hash(engine.limits.in_force.as_bytes()).as_bytes(),
            limits_version: engine.limits_version(),
            tail: place.tail,
            seq: engine.seq(),
            state_hash: engine.state_hash(),
            full_hash: engine.full_hash(),
        };
        Ok(header.seal(&body))
    }

    fn parse(&self, bytes: &[u8]) -> Result<Loaded, SnapshotError> {
        let (header, body) = Header::open(bytes)?;
        if header.config != self.config_digest {
            return Err(SnapshotError::OtherConfig);
        }
        if header.blank != self.blank {
            return Err(SnapshotError::OtherVersion);
        }
        if file::journal_digest(&self.journal, header.tail)? != header.journal {
            return Err(SnapshotError::OtherJournal);
        }
        let read = postcard::take_from_bytes::<LimitsTexts>(body);
        let (limits, body) = read.map_err(SnapshotError::NoEngine)?;
        let (config, sizes) = self.under(&header, &limits)?;
        let read = || postcard::take_from_bytes::<(Place, Engine)>(body);
        let (read, took_all) = sizes.within(read);
        let ((mut place, engine), rest) = read.map_err(SnapshotError::NoEngine)?;
        if !took_all || !rest.is_empty() {
            return Err(SnapshotError::NoEngine(postcard::Error::SerdeDeCustom));
        }
        place.tail = header.tail;
        let engine = engine.restored(limits);
        let said = (header.limits_version, config.digest(), &config.rules);
        if (engine.limits_version(), engine.config_digest(), engine.rules()) != said {
            return Err(SnapshotError::OtherLimits);
        }
        let same = |what, written, found| match written == found {
            true => Ok(()),
            false => Err(SnapshotError::OtherState { what, written, found }),
        };
        same("number", header.seq, engine.seq())?;
        same("state hash", header.state_hash, engine.state_hash())?;
        same("full hash", header.full_hash, engine.full_hash())?;
        Ok(Loaded { engine, place, config })
    }

    /// The configuration with these limits, and the sizes of an engine that has taken them.
    fn under(
        &self,
        header: &Header,
        limits: &LimitsTexts,
    ) -> Result<(Config, Cow<'_, Sizes>), SnapshotError> {
        let digest = *blake3::hash(limits.in_force.as_bytes()).as_bytes();
        let are_first = *limits == LimitsTexts::default();
        if digest != header.limits || are_first != (header.limits_version == 1) {
            return Err(SnapshotError::OtherLimits);
        }
        if are_first {
            return Ok((self.config.clone(), Cow::Borrowed(&self.sizes)));
        }
        let (twin, config) = Engine::relimited(&self.config, limits)?;
        let (sizes, _) = Sizes::of(|| postcard::to_stdvec(&twin));
        Ok((config, Cow::Owned(sizes)))
    }
}
