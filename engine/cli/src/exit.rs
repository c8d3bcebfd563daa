//! Exit codes and what is said with them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use engine::journal::JournalError;
use engine::replay::ReplayError;
use engine::runtime::RunError;
use shm::ShmError;

/// Why a command ends without success.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What is said on standard error; nothing if empty.
    pub message: String,
}

impl Failure {
    /// Usage or configuration.
    pub fn usage(message: impl ToString) -> Failure {
        Failure { code: 2, message: message.to_string() }
    }

    /// The operating system refused.
    pub fn io(what: &str, error: &std::io::Error) -> Failure {
        Failure { code: 1, message: format!("{what}: {error}") }
    }

    /// Refused, or halted.
    pub fn refused(message: String) -> Failure {
        Failure { code: 5, message }
    }

    /// Ended by Ctrl-C, after a clean stop.
    pub fn interrupted() -> Failure {
        Failure { code: 130, message: String::new() }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        Failure { code: code_of(&error), message: error.to_string() }
    }
}

fn code_of(error: &RunError) -> u8 {
    match error {
        RunError::Feed { .. } => 3,
        RunError::Start(_)
        | RunError::Memory(_)
        | RunError::OtherConfig(_)
        | RunError::OtherLimits { .. }
        | RunError::Line { .. }
        | RunError::Unheard(_)
        | RunError::Password(_) => 2,
        RunError::Replay(
            ReplayError::Source { .. } | ReplayError::SourceChanged(_) | ReplayError::Feed(_),
        ) => 3,
        RunError::Journal(error) | RunError::Replay(ReplayError::Journal(error)) => match error {
            JournalError::InUse { .. } | JournalError::Fenced { .. } => 5,
            JournalError::NotASegment(_)
            | JournalError::BadEpoch(_)
            | JournalError::Gone(_)
            | JournalError::Damaged { .. }
            | JournalError::Unknown { .. } => 3,
            _ => 1,
        },
        RunError::Shard { error, .. } => code_of(error),
        RunError::Shared(ShmError::NameTaken(_)) => 5,
        RunError::Shared(ShmError::Name(_) | ShmError::Folder(_)) => 2,
        RunError::Audit(_)
        | RunError::Replay(_)
        | RunError::Shared(_)
        | RunError::Operator { .. }
        | RunError::Thread(_) => 1,
    }
}

/// See [`program::stop_on_signal`].
pub fn stop_on_signal() -> Result<Arc<AtomicBool>, Failure> {
    program::stop_on_signal().map_err(|error| Failure::io("cannot listen for signals", &error))
}
