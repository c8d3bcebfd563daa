//! Exit codes and what is said with them.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use engine::config::ConfigErrors;
use engine::journal::JournalError;
use engine::replay::ReplayError;
use engine::step::StartError;
use program::eprintln;

/// Why a command ends without success.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What is said on standard error.
    pub message: String,
}

impl Failure {
    /// What was asked for is not there, or something is not what it was.
    pub fn check(message: impl ToString) -> Failure {
        Failure { code: 1, message: message.to_string() }
    }

    /// Usage or configuration.
    pub fn usage(message: impl ToString) -> Failure {
        Failure { code: 2, message: message.to_string() }
    }

    /// A file that cannot be read.
    pub fn file(path: &Path, error: &std::io::Error) -> Failure {
        Failure { code: 3, message: format!("{}: {error}", path.display()) }
    }

    /// Ended by Ctrl-C.
    pub fn interrupted() -> Failure {
        Failure { code: 130, message: "interrupted".into() }
    }

    /// The folder holds no journal.
    pub fn no_journal(folder: &Path) -> Failure {
        Failure { code: 3, message: format!("{}: holds no journal", folder.display()) }
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

/// The end of a program.
pub fn end(program: &str, outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, message }) => {
            eprintln!("{program}: {message}");
            ExitCode::from(code)
        }
    }
}
