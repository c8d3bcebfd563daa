//! A passphrase on its way from a terminal to its check.

use serde::{Deserialize, Serialize};

/// Fewest characters of a passphrase that is taken for an operator.
pub const WEAK_BELOW: usize = 12;

/// A passphrase. It cannot be printed, and its memory is overwritten when it is dropped.
#[derive(Deserialize, Serialize)]
#[serde(transparent)]
pub struct Passphrase(String);

impl Passphrase {
    /// Takes what was typed.
    pub fn new(typed: String) -> Passphrase {
        Passphrase(typed)
    }

    /// Whether it is too short to be one.
    pub fn is_weak(&self) -> bool {
        self.0.chars().count() < WEAK_BELOW
    }

    /// Whether both are the same. For a passphrase typed twice, not for a check: it stops at the first difference.
    pub fn is_same(&self, other: &Passphrase) -> bool {
        self.0 == other.0
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("passphrase")
    }
}

impl Drop for Passphrase {
    fn drop(&mut self) {
        wipe(&mut std::mem::take(&mut self.0).into_bytes());
    }
}

/// Overwrites what must not stay in memory.
pub(crate) fn wipe(bytes: &mut Vec<u8>) {
    bytes.fill(0);
    std::hint::black_box(&*bytes); // Somebody might look: the zeros must be written.
    bytes.clear();
}
