//! Why a log cannot be opened, read or continued.

use std::io;
use std::path::{Path, PathBuf};

/// Why a log cannot be opened, read or continued.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The operating system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        #[source]
        error: io::Error,
    },
    /// Another process writes it.
    #[error("{}: another engine is writing this audit log; stop it, or choose another folder", .0.display())]
    InUse(PathBuf),
    /// There is no log here.
    #[error("{}: holds no audit log", .0.display())]
    NoLog(PathBuf),
    /// A log that is to be continued is not whole.
    #[error("{}: not continued: {why}; verify it, keep it, and choose another place", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A log that is to be continued was signed with another key.
    #[error("{}: was signed with another key; choose another folder", .0.display())]
    OtherKey(PathBuf),
    /// The key file cannot be used.
    #[error("{}: {why}", path.display())]
    Key {
        /// Which.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// It failed before; only a restart, which reads what is there, may go on.
    #[error("the audit log failed before and takes nothing more")]
    Failed,
}

impl AuditError {
    /// An error of the operating system about `path`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> AuditError + '_ {
        move |error| AuditError::Io { path: path.to_path_buf(), error }
    }
}
