//! Where captures are. They are not part of the repository: a test that finds none says so and passes.
#![allow(dead_code, reason = "not every test that includes this file needs all")]

use std::io::Read;
use std::path::{Path, PathBuf};

/// The folder of captures: `$TICKGATE_DATA`, or beside the repository.
pub fn folder() -> PathBuf {
    std::env::var_os("TICKGATE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    )
}

/// A capture by its name under [`folder`].
pub fn capture(name: &str) -> Option<PathBuf> {
    let path = folder().join(name);
    if !path.exists() {
        eprintln!("SKIPPED: no capture {}; set TICKGATE_DATA to their folder", path.display());
        return None;
    }
    Some(path)
}

/// The texts of a gzip capture of `seconds: json` lines with their receive times, without those that were sent.
pub fn lines(path: &Path) -> Vec<(u64, String)> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let line = |line: &str| {
        let (seconds, json) = line.split_once(": ")?;
        let ns = model::parse_decimal(seconds, 9).ok()?;
        Some((ns as u64, json.to_owned()))
    };
    text.lines().filter(|line| !line.starts_with("wss:")).filter_map(line).collect()
}
