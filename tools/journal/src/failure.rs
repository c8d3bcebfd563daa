//! Why a command ends without success, and the exit code that says so.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use engine::config::ConfigErrors;
use engine::journal::JournalError;
use engine::journal::reader::Fault;
use engine::replay::{Replay, ReplayError};
use engine::step::StartError;
use program::eprintln;

/// Exit code and what is said on standard error.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What is said; nothing if empty.
    pub message: String,
}

impl Failure {
    /// Something is not what it was, or what was asked for is not there.
    pub fn check(message: impl ToString) -> Failure {
        Failure { code: 1, message: message.to_string() }
    }

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

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Failure {
        Failure::usage(errors)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Failure {
        Failure::usage(error)
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

/// See [`program::stop_on_signal`].
///
/// # Errors
///
/// The operating system refuses to tell.
pub fn stop_on_signal() -> Result<Arc<AtomicBool>, Failure> {
    program::stop_on_signal()
        .map_err(|error| Failure::check(format!("cannot listen for signals: {error}")))
}

/// Says on standard error what stopped the reading before the last record, if something did.
pub fn warn(program: &str, replay: &Replay) {
    if let Some(fault) = replay.fault() {
        let (path, offset, why) = (fault.path.display(), fault.offset, fault.why);
        eprintln!("{program}: {path}: byte {offset}: {why}; what is behind it was not read");
    }
}

/// The end of a program.
pub fn end(program: &str, outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, message }) => {
            if !message.is_empty() {
                eprintln!("{program}: {message}");
            }
            ExitCode::from(code)
        }
    }
}
