//! What can go wrong outside the hot path. These are read by people: each says what to do next
//! where that is known.

use std::path::PathBuf;

use rustix::io::Errno;
use thiserror::Error;

use crate::header::Version;

/// Why the engine's side could not be set up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ShmError {
    /// A capacity is out of range.
    #[error("capacity of {0}")]
    Capacity(&'static str),
    /// Not a name that an engine may have.
    #[error("engine name {0:?}: use 1 to 32 of a-z A-Z 0-9 _ -")]
    Name(String),
    /// An engine of this name is running.
    #[error("an engine named {0:?} is running; stop it or choose another name")]
    NameTaken(String),
    /// The folder of the sockets could be used by somebody else.
    #[error("{0} must be a folder of your own that nobody else may open (mode 0700)")]
    Folder(PathBuf),
    /// The publisher has a listener already.
    #[error("this engine's memory has an attach socket already")]
    AlreadyBound,
    /// The operating system refused.
    #[error("cannot {doing}: {cause}")]
    Os {
        /// What was tried.
        doing: &'static str,
        /// What it said.
        cause: Errno,
    },
}

/// Why a client could not attach.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AttachError {
    /// No engine is running, or none of this name.
    #[error("no engine is running{}", named(.0))]
    NoEngine(Option<String>),
    /// Several engines are running and none was named.
    #[error("several engines are running, name one: {}", .0.join(", "))]
    SeveralEngines(Vec<String>),
    /// The engine was built from another version.
    #[error(
        "engine speaks version {engine}, this client {client}; build both from the same source"
    )]
    Version {
        /// The engine's.
        engine: Version,
        /// This build's.
        client: Version,
    },
    /// Every desk is leased.
    #[error("every desk of the engine is taken; close another client")]
    NoDesk,
    /// The engine did not answer in time.
    #[error("the engine does not answer; it may be stopped")]
    Silent,
    /// What answers is no engine.
    #[error("what listens on the socket is no engine: {0}")]
    Protocol(&'static str),
    /// The folder of the sockets belongs to somebody else.
    #[error("{0} is not a folder that is yours alone (mode 0700); its sockets are not trusted")]
    Folder(PathBuf),
    /// The operating system refused.
    #[error("cannot {doing}: {cause}")]
    Os {
        /// What was tried.
        doing: &'static str,
        /// What it said.
        cause: Errno,
    },
}

fn named(name: &Option<String>) -> String {
    name.as_ref().map_or_else(String::new, |name| format!(" under the name {name:?}"))
}

/// Makes an [`Errno`] say what was tried.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, OsError>;
}

/// An operating system error and what was tried; turns into the error of either side.
pub(crate) struct OsError {
    doing: &'static str,
    cause: Errno,
}

impl<T> Doing<T> for Result<T, Errno> {
    fn doing(self, doing: &'static str) -> Result<T, OsError> {
        self.map_err(|cause| OsError { doing, cause })
    }
}

impl From<OsError> for ShmError {
    fn from(OsError { doing, cause }: OsError) -> Self {
        ShmError::Os { doing, cause }
    }
}

impl From<OsError> for AttachError {
    fn from(OsError { doing, cause }: OsError) -> Self {
        match cause {
            // A socket's timeout.
            Errno::AGAIN => AttachError::Silent,
            _ => AttachError::Os { doing, cause },
        }
    }
}
