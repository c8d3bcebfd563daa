//! What went wrong, in words that tell an agent what to change.

use schemars::JsonSchema;
use serde::Serialize;

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fault {
    /// Stable name of its kind.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

/// The body of a result that is a fault.
#[derive(Serialize, JsonSchema)]
pub struct Refusal {
    /// The fault.
    pub error: Fault,
}

impl Fault {
    /// A fault of `code`.
    pub fn new(code: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Fault {
        Fault { code, message: message.into(), fix: fix.into() }
    }

    /// The arguments cannot be used as they are.
    pub fn argument(message: impl Into<String>, fix: impl Into<String>) -> Fault {
        Fault::new("bad_argument", message, fix)
    }
}
