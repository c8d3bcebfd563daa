//! Versions of the rivals, out of the lock file that the program was built by.

const LOCK: &str = include_str!("../Cargo.lock");

/// The version of a crate; empty if it is none of ours.
pub fn version(name: &str) -> &'static str {
    let mut lines = LOCK.lines();
    let head = format!("name = \"{name}\"");
    lines.by_ref().find(|line| *line == head);
    let version = lines.next().and_then(|line| line.strip_prefix("version = \""));
    version.and_then(|version| version.strip_suffix('"')).unwrap_or("")
}
