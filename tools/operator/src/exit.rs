//! Exit codes and what is said with them.

use std::process::ExitCode;

use program::eprintln;
use switch::{AskError, Refusal};

/// Why a command ends without success.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What is said on standard error.
    pub message: String,
}

impl Failure {
    /// Usage or configuration.
    pub fn usage(message: impl ToString) -> Failure {
        Failure { code: 2, message: message.to_string() }
    }

    /// A file that cannot be read or written.
    pub fn file(message: impl ToString) -> Failure {
        Failure { code: 3, message: message.to_string() }
    }

    /// No engine, or none that answers.
    pub fn no_engine(message: impl ToString) -> Failure {
        Failure { code: 4, message: message.to_string() }
    }

    /// The engine refused.
    pub fn refused(refusal: &Refusal) -> Failure {
        Failure { code: 5, message: format!("refused: {}: {}", refusal.code, refusal.message) }
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Failure {
        Failure::no_engine(error)
    }
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
