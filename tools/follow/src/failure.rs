//! Why a follower ends without success, and the exit code that says so.

use std::path::Path;

use engine::journal::JournalError;
use engine::replay::ReplayError;

/// Exit code and what is said on standard error; nothing if empty.
#[derive(Debug)]
pub struct Failure {
    pub code: u8,
    pub message: String,
}

impl Failure {
    /// Usage or configuration.
    pub fn usage(message: impl ToString) -> Failure {
        Failure { code: 2, message: message.to_string() }
    }

    /// Ended by a signal.
    pub fn interrupted() -> Failure {
        Failure { code: 130, message: String::new() }
    }

    /// The folder holds no journal.
    pub fn no_journal(folder: &Path) -> Failure {
        Failure { code: 3, message: format!("{}: holds no journal", folder.display()) }
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Failure {
        let code = match &error {
            JournalError::InUse { .. } | JournalError::Fenced { .. } => 5,
            JournalError::Unknown { .. } => 5,
            _ => 3,
        };
        Failure { code, message: error.to_string() }
    }
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Failure {
        let code = match error {
            ReplayError::Journal(error) => return error.into(),
            ReplayError::Diverged { .. }
            | ReplayError::FullyDiverged { .. }
            | ReplayError::RunChanged { .. }
            | ReplayError::Hole { .. } => 1,
            _ => 3,
        };
        Failure { code, message: error.to_string() }
    }
}

impl From<cli::exit::Failure> for Failure {
    fn from(failure: cli::exit::Failure) -> Failure {
        Failure { code: failure.code, message: failure.message }
    }
}
