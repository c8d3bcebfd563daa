//! What a check says.

use serde::Serialize;

/// What a check concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Which processors the hot threads have for themselves.
    Cores,
    /// How fast a processor wakes and runs.
    Power,
    /// Who else may interrupt it.
    Interrupts,
    /// How time is read.
    Clock,
    /// Memory of the process and of the host.
    Memory,
    /// What the user may do.
    Limits,
    /// Network devices and sockets.
    Network,
    /// Kernel and machine.
    Machine,
    /// What was measured, not read.
    Measured,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it is wanted.
    Good,
    /// It costs latency at times; what is measured tells how much.
    Advice,
    /// Required, and not so: nothing that is measured on this host can be relied on.
    Failed,
    /// The host does not tell, and it is not required.
    Unknown,
}

/// One check's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check's name, stable.
    pub check: &'static str,
    /// What it concerns.
    pub group: Group,
    /// How it stands.
    pub outcome: Outcome,
    /// Whether a host that is not so fails as a whole.
    pub required: bool,
    /// What the host says.
    pub found: String,
    /// What it should say.
    pub wanted: String,
    /// What happens otherwise.
    pub why: &'static str,
    /// What to type, one command or one step each; empty if all is well.
    pub fix: Vec<String>,
}

/// What a check saw, before it is weighed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whether it is as wanted; `None`: the host does not tell.
    pub good: Option<bool>,
    /// What the host says.
    pub found: String,
    /// What it should say.
    pub wanted: String,
    /// What to change.
    pub fix: Vec<String>,
}

impl Seen {
    /// Found to be so, or not.
    pub fn of(good: bool, found: impl Into<String>, wanted: impl Into<String>) -> Seen {
        Seen { good: Some(good), found: found.into(), wanted: wanted.into(), fix: Vec::new() }
    }

    /// The host does not tell; `found` says what is missing.
    pub fn unknown(found: impl Into<String>, wanted: impl Into<String>) -> Seen {
        Seen { good: None, found: found.into(), wanted: wanted.into(), fix: Vec::new() }
    }

    /// What to do about it, if it is not as wanted.
    pub fn fix(mut self, step: impl Into<String>) -> Seen {
        self.fix.push(step.into());
        self
    }

    /// The weighed answer: what is required and unknown fails too.
    pub fn weighed(self, required: bool) -> (Outcome, Seen) {
        match self.good {
            Some(true) => (Outcome::Good, Seen { fix: Vec::new(), ..self }),
            _ if required => (Outcome::Failed, self),
            Some(false) => (Outcome::Advice, self),
            None => (Outcome::Unknown, self),
        }
    }
}
