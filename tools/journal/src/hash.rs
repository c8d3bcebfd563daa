//! Hashes as text.

/// A hash in hexadecimal.
pub fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}
