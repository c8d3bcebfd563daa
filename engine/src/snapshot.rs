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

use std::io;
use std::path::{Path, PathBuf};

use model::snapshot::Sizes;

use crate::config::Config;
use crate::replay::Place;
use crate::step::{Engine, StartError};
pub use file::{FOLDER, KEEP, list};
use header::Header;

/// Why a snapshot was not written, or is not gone on with.
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
    /// BLAKE3 of the configuration.
    config: [u8; 32],
    /// BLAKE3 of an empty engine as this version writes it: another version with other fields comes to another one.
    blank: [u8; 32],
    /// Of every table of the engine.
    sizes: Sizes,
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
        let config = *hasher.finalize().as_bytes();
        Snapshots { journal: journal.to_path_buf(), config, blank, sizes }
    }

    /// Writes one: under another name first, synced, and never half there. Removes all but the newest [`KEEP`].
    ///
    /// `place` is where the engine stands in the journal.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`]; what was there before still is.
    pub fn write(&self, engine: &Engine, place: &Place) -> Result<Written, SnapshotError> {
        let bytes = self.to_bytes(engine, place)?;
        let (seq, len) = (engine.seq(), bytes.len() as u64);
        let path = file::write(&self.journal, seq, &bytes)?;
        file::prune(&self.journal, seq)?;
        Ok(Written { path, seq, bytes: len })
    }

    /// Reads one back.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] says why it is not to be gone on with.
    pub fn load(&self, path: &Path) -> Result<(Engine, Place), SnapshotError> {
        self.parse(&file::read(path)?)
    }

    fn to_bytes(&self, engine: &Engine, place: &Place) -> Result<Vec<u8>, SnapshotError> {
        let body = postcard::to_stdvec(&(place, engine)).map_err(SnapshotError::NoEngine)?;
        let header = Header {
            config: self.config,
            blank: self.blank,
            journal: file::journal_digest(&self.journal, place.tail)?,
            tail: place.tail,
            seq: engine.seq(),
            state_hash: engine.state_hash(),
            full_hash: engine.full_hash(),
        };
        Ok(header.seal(&body))
    }

    fn parse(&self, bytes: &[u8]) -> Result<(Engine, Place), SnapshotError> {
        let (header, body) = Header::open(bytes)?;
        if header.config != self.config {
            return Err(SnapshotError::OtherConfig);
        }
        if header.blank != self.blank {
            return Err(SnapshotError::OtherVersion);
        }
        if file::journal_digest(&self.journal, header.tail)? != header.journal {
            return Err(SnapshotError::OtherJournal);
        }
        let read = || postcard::take_from_bytes::<(Place, Engine)>(body);
        let (read, took_all) = self.sizes.within(read);
        let ((mut place, engine), rest) = read.map_err(SnapshotError::NoEngine)?;
        if !took_all || !rest.is_empty() {
            return Err(SnapshotError::NoEngine(postcard::Error::SerdeDeCustom));
        }
        place.tail = header.tail;
        let same = |what, written, found| match written == found {
            true => Ok(()),
            false => Err(SnapshotError::OtherState { what, written, found }),
        };
        same("number", header.seq, engine.seq())?;
        same("state hash", header.state_hash, engine.state_hash())?;
        same("full hash", header.full_hash, engine.full_hash())?;
        Ok((engine, place))
    }
}
