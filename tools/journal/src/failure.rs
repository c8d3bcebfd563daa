//! Why a command ends without success, and the exit code that says so.

use std::path::Path;

use engine::journal::JournalError;
use engine::journal::reader::Fault;
use engine::replay::ReplayError;

/// Exit code and what is said on standard error.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What is said.
    pub message: String,
}

impl Failure {
    /// A hash or a count is not what it was.
    pub fn differs(message: impl ToString) -> Failure {
        Failure { code: 1, message: message.to_string() }
    }

    /// What was asked for makes no sense.
    pub fn usage(message: impl ToString) -> Failure {
        Failure { code: 2, message: message.to_string() }
    }

    /// The folder holds no journal.
    pub fn no_journal(folder: &Path) -> Failure {
        Failure { code: 3, message: format!("{}: holds no journal", folder.display()) }
    }

    /// The first bad record: file, place and cause.
    pub fn fault(fault: &Fault) -> Failure {
        let Fault { path, offset, record, why, is_followed } = fault;
        let rest = if *is_followed {
            "there are records behind it, so that no crash explains it: see `repair`"
        } else {
            "what a crash leaves behind: the next start of the engine cuts it off"
        };
        let path = path.display();
        let message = format!("{path}: byte {offset}: record {record} is bad: {why}; {rest}");
        Failure { code: 3, message }
    }

    /// The operating system refused.
    pub fn io(path: &Path, error: &std::io::Error) -> Failure {
        Failure { code: 3, message: format!("{}: {error}", path.display()) }
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Failure {
        let code = match &error {
            JournalError::InUse { .. } | JournalError::Fenced { .. } => 5,
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
