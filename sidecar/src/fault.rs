//! What went wrong, in words that tell an agent what to change.

use schemars::JsonSchema;
use serde::Serialize;
use shm::{AttachError, Client, ReadError, SendError};

const START: &str = "start one: `tickgate demo` (synthetic data, on paper) or \
                     `tickgate run --config deploy/engine.toml`";

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
#[derive(Serialize)]
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

    /// There is no engine to talk to.
    pub fn no_engine(error: &AttachError) -> Fault {
        let (code, fix) = match error {
            AttachError::NoEngine(_) => ("no_engine", START),
            AttachError::SeveralEngines(_) => (
                "several_engines",
                "start this sidecar with --engine NAME, one of the names in the message",
            ),
            AttachError::Version { .. } => (
                "version_mismatch",
                "build the engine and tickgate-mcp from the same source, and restart both",
            ),
            AttachError::NoDesk => ("no_desk", "close another client of this engine"),
            AttachError::Silent => (
                "engine_silent",
                "look at the engine's terminal: it may be stopped; then call again",
            ),
            _ => (
                "attach_failed",
                "check who owns the folder of the sockets, and that an engine of yours is running",
            ),
        };
        Fault::new(code, error.to_string(), fix)
    }

    /// The engine attached to is no more.
    pub fn gone() -> Fault {
        Fault::new("no_engine", "the engine is gone", START)
    }

    /// A page cannot be read.
    pub fn unread(client: &Client, error: ReadError) -> Fault {
        let silence = client.heartbeat_age().unwrap_or_default().as_secs();
        match error {
            ReadError::Stale if silence > 0 => Fault::new(
                "engine_silent",
                format!(
                    "the engine gave no sign of life for {silence} s: it is stopped or stuck, and \
                     nothing is current"
                ),
                "look at the engine's terminal; call again when it runs",
            ),
            ReadError::Stale => {
                Fault::new("busy", "the page changed at every attempt to read it", "call again")
            }
            ReadError::Absent => Fault::new(
                "not_published",
                "the engine has not published this page yet",
                "call again in a second; engine_health shows how far the engine is",
            ),
            ReadError::Bad(_) | ReadError::OutOfRange => Fault::new(
                "unreadable",
                format!("the engine published a page that cannot be read ({error:?})"),
                "report this: sidecar and engine disagree; do not trade on it",
            ),
        }
    }

    /// A request could not be sent.
    pub fn unsent(error: SendError) -> Fault {
        match error {
            SendError::Full => Fault::new(
                "desk_full",
                "nothing was sent: too many requests wait for the engine",
                "wait a second and send it again; the same client_request_id is safe",
            ),
            SendError::Gone => {
                Fault::new("no_engine", "nothing was sent: the engine is gone", START)
            }
        }
    }
}
