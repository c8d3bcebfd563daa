//! How far a follower is behind.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use engine::journal::reader::newest_input;
use engine::replay::Replay;
use engine::snapshot::Written;
use program::println;
use serde_json::json;

/// Since when it is behind, and what is said of that.
pub struct Lag {
    /// Whether it may have to become the engine: then reports that nobody can read do not end it.
    is_standby: bool,
    json: bool,
    every: Duration,
    next: Instant,
    /// When all that was written was replayed last.
    level: Instant,
}

impl Lag {
    pub fn new(json: bool, every: Duration, is_standby: bool) -> Lag {
        let now = Instant::now();
        Lag { is_standby, json, every, next: now + every, level: now }
    }

    /// All that was written is replayed.
    pub fn is_level(&mut self) {
        self.level = Instant::now();
    }

    /// Says where it stands, if it is time to, or `now`.
    pub fn report(&mut self, folder: &Path, replay: &Replay, caught_up: bool, now: bool) {
        if !now && Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + self.every;
        let seq = replay.engine.seq();
        // What cannot be read now is read, and told, by the replay.
        let newest = if caught_up { seq } else { newest_input(folder).unwrap_or(seq).max(seq) };
        let lag_ms = if caught_up { 0 } else { self.level.elapsed().as_millis() as u64 };
        let (lag, checkpoints) = (newest - seq, replay.checkpoints);
        if self.json {
            self.say(json!({
                "seq": seq, "lag_seq": lag, "lag_ms": lag_ms, "checkpoints": checkpoints,
                "epoch": replay.epoch, "closed": replay.closed,
                "state_hash": format!("{:016x}", replay.engine.state_hash()),
            }));
        } else {
            self.say(format_args!(
                "input {seq}, {lag} inputs and {lag_ms} ms behind; {checkpoints} hashes compared"
            ));
        }
    }

    /// Says that a snapshot was written.
    pub fn written(&self, written: &Written, took: Duration) {
        let Written { path, seq, bytes } = written;
        let ms = took.as_millis() as u64;
        if self.json {
            let path = path.display().to_string();
            self.say(json!({ "snapshot": path, "seq": seq, "bytes": bytes, "ms": ms }));
        } else {
            self.say(format_args!("snapshot of input {seq}: {bytes} bytes in {ms} ms"));
        }
    }

    fn say(&self, line: impl Display) {
        if self.is_standby {
            let _ = writeln!(std::io::stdout(), "{line}");
        } else {
            println!("{line}");
        }
    }
}
