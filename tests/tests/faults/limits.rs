//! A limits.toml that is written while it is read.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::place::{Place, until};
use tests::rogue::Dice;

use crate::replayed;

/// Texts that are written meanwhile.
const TEXTS: u64 = 15;
/// A pause of the writer's that may be taken for its end.
const HELD_UP: Duration = Duration::from_millis(150);

/// Goal: a file that somebody writes while it is read is taken whole or not at all: limits in force are always those of a
/// text that was meant. Method: a writer that cuts the file to nothing and writes it again in pieces, at rows and in the middle
/// of numbers, with a tighter number each time; reloads meanwhile, at any moment; what each changed, the texts in the journal.
#[test]
fn half_a_file_is_no_file() {
    let place = Place::new("fault-file");
    let engine = place.start();
    let config = place.config_path();
    let path = PathBuf::from(&config).with_file_name("limits.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    let meant = |number: u64| {
        let clip = format!("clip_max = \"{}\"", 9_000_000 - number);
        // The last line of the file ends in a number: a part of it is a number too, and tighter.
        let text =
            good.replace("clip_max = \"10000000\"", &clip).replace("age_max_ms = 86400000\n", "");
        text.replace("fees = \"none\"", "fees = \"none\"\nage_max_ms = 86400000")
    };
    let writer = Writer::default();
    let texts = || writer.texts.load(Ordering::Relaxed);
    let (mut taken, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| writer.run(&path, meant));
        let _ends = Ends(&writer.stop);
        while texts() < TEXTS {
            let (code, said) = place.run("tickgate-reload", &["--config", &config, "--json"]);
            if code == 0 && is_meant(&serde_json::from_str(&said).unwrap()) {
                taken += 1;
            } else if code == 2 && said.contains("somebody is writing it") {
                refused += 1;
            } else {
                // A writer that is held up for long looks like one that is done.
                let gap = writer.longest_gap();
                assert!(gap >= HELD_UP, "{gap:?} between two pieces: {code} {said}");
                println!("the writer was held up for {gap:?}: nothing is shown");
                return;
            }
        }
    });
    println!("{} texts; {taken} reloads taken, {refused} refused", texts());
    if texts() < TEXTS {
        return;
    }
    assert!(taken > 0, "nothing was ever whole");
    let last = meant(texts() + 1);
    std::fs::write(&path, &last).unwrap();
    place.done("tickgate-reload", &["--config", &config]);
    engine.ends();
    assert_eq!(replayed(&place).config.limits_text(), last);
}

/// Whether the changes are those between two texts that were meant: none, or of both accounts the same number.
fn is_meant(said: &Value) -> bool {
    let changes = said["limits"]["changes"].as_array().unwrap();
    let is_clip = |change: &Value| change["what"].as_str().unwrap().ends_with(" * clip_max");
    let same = changes.iter().all(|change| is_clip(change) && change["new"] == changes[0]["new"]);
    same && [0, 2].contains(&changes.len())
}

/// Ends a writer, however a test ends.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes texts again and again.
#[derive(Default)]
struct Writer {
    stop: AtomicBool,
    /// Texts that were begun.
    texts: AtomicU64,
    /// Texts that are whole, and the longest time between two pieces of one.
    done: AtomicU64,
    gap_ns: AtomicU64,
}

impl Writer {
    fn run(&self, path: &Path, meant: impl Fn(u64) -> String) {
        let mut dice = Dice(18);
        while !self.stop.load(Ordering::Relaxed) {
            let number = 1 + self.texts.fetch_add(1, Ordering::Relaxed);
            let gap = writes(path, &meant(number), &mut dice).as_nanos() as u64;
            self.gap_ns.fetch_max(gap, Ordering::Relaxed);
            self.done.store(number, Ordering::Release);
            std::thread::sleep(Duration::from_millis(dice.below(800)));
        }
    }

    /// The longest time between two pieces so far, those of the text that is being written among them.
    fn longest_gap(&self) -> Duration {
        let number = self.texts.load(Ordering::Relaxed);
        until("the writer stands still", || self.done.load(Ordering::Acquire) >= number);
        Duration::from_nanos(self.gap_ns.load(Ordering::Relaxed))
    }
}

/// Cuts the file to nothing and writes it in pieces, some of which end at a row or in its last number; the longest time
/// between two of them.
fn writes(path: &Path, text: &str, dice: &mut Dice) -> Duration {
    let row = text.rfind("[[limit]]").unwrap();
    let cuts = match dice.below(3) {
        0 => vec![row, text.len() - 4],
        1 => vec![text.len() - 5],
        _ => vec![dice.below(text.len() as u64) as usize],
    };
    let mut longest = Duration::ZERO;
    let mut written = Instant::now();
    let mut file = File::create(path).unwrap();
    let mut from = 0;
    for cut in cuts.into_iter().chain([text.len()]) {
        file.write_all(&text.as_bytes()[from..cut]).unwrap();
        longest = longest.max(written.elapsed());
        (from, written) = (cut, Instant::now());
        if cut < text.len() {
            std::thread::sleep(Duration::from_millis(dice.below(60)));
        }
    }
    longest
}
