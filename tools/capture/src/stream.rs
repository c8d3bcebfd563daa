//! Texts into lines `nanoseconds json`, in zstd frames that each stand alone.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::config::Stream;
use feeds::Venue;
use feeds::stream::StreamConfig;
use model::{Event, FeedId, Ts};
use ws::{Counters, Options, Port, Raw, Tap, drive_venue};
use zstd::stream::write::Encoder;

use crate::files::{Out, Place};
use crate::{Done, Shared};

/// A frame ends so long after its first line, whether more come or not, or after so many bytes: what is in it is lost if
/// the process is killed.
const FRAME_TIME: Duration = Duration::from_millis(250);
const FRAME_BYTES: usize = 1 << 20;
/// Compression: fast, and two thirds of what slower levels save.
const LEVEL: i32 = 3;

/// Connects, and records on a thread of its own until it is stopped.
pub fn start(
    venue: Venue,
    number: u8,
    stream: &Stream,
    place: Place,
    shared: Shared,
) -> JoinHandle<Result<(), String>> {
    let config = StreamConfig {
        feed: FeedId(number),
        symbols: stream.symbols.clone(),
        depth: stream.depth,
        seed: wall().0,
        ws_url: stream.ws_url.clone(),
        rest_url: stream.rest_url.clone(),
    };
    std::thread::spawn(move || {
        let tap = Frames::new(place, shared.clone());
        let failed = tap.failed.clone();
        let port = Nobody { shared };
        drive_venue(venue, config, Options::default(), port, tap).map_err(|e| e.to_string())?;
        let error = failed.lock().map_or(None, |mut failed| failed.take());
        error.map_or(Ok(()), Err)
    })
}

fn wall() -> Ts {
    Ts(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64)
}

/// A port that lets events go: the machine is driven only so that it subscribes and recovers.
struct Nobody {
    shared: Shared,
}

impl Port for Nobody {
    fn now(&self) -> Ts {
        wall()
    }

    fn push(&mut self, _: &Event) -> bool {
        true
    }

    fn is_over(&self) -> bool {
        self.shared.stop.load(Ordering::Acquire)
    }

    fn show(&mut self, _: &Counters) {}
}

/// Writes lines; a line is never split between frames or files.
struct Frames {
    place: Place,
    shared: Shared,
    out: Option<Out>,
    lines: Vec<u8>,
    /// When the first of `lines` came.
    begun: Instant,
    failed: std::sync::Arc<std::sync::Mutex<Option<String>>>,
}

impl Frames {
    fn new(place: Place, shared: Shared) -> Frames {
        let (lines, begun, failed) = (Vec::new(), Instant::now(), std::sync::Arc::default());
        Frames { place, shared, out: None, lines, begun, failed }
    }

    fn line(&mut self, ts: Ts, text: &[u8]) {
        let done: &Done = &self.shared.done;
        done.records.fetch_add(1, Ordering::Relaxed);
        done.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
        if self.lines.is_empty() {
            self.begun = Instant::now();
        }
        self.lines.extend_from_slice(ts.0.to_string().as_bytes());
        self.lines.push(b' ');
        // A venue that sends a text over several lines says the same on one.
        self.lines.extend(text.iter().map(|b| if *b == b'\n' || *b == b'\r' { b' ' } else { *b }));
        self.lines.push(b'\n');
        if self.lines.len() >= FRAME_BYTES {
            self.end_frame();
        }
        self.end_old_frame();
    }

    /// Ends a frame that has waited long enough for more.
    fn end_old_frame(&mut self) {
        if !self.lines.is_empty() && self.begun.elapsed() >= FRAME_TIME {
            self.end_frame();
        }
    }

    fn end_frame(&mut self) {
        let written = self.write_frame();
        self.lines.clear();
        if let Err(error) = written {
            self.shared.stop.store(true, Ordering::Release);
            if let Ok(mut failed) = self.failed.lock() {
                failed.get_or_insert(error);
            }
        }
    }

    fn write_frame(&mut self) -> Result<(), String> {
        let refuse = |error: std::io::Error| format!("cannot write: {error}");
        let mut out = match self.out.take() {
            Some(out) if !self.place.is_full(out.get_ref().bytes()) => out,
            _ => self.place.next("jsonl.zst", &self.shared.done)?,
        };
        let mut encoder = Encoder::new(&mut out, LEVEL).map_err(refuse)?;
        // Without it a damaged frame could be read as another text.
        encoder.include_checksum(true).map_err(refuse)?;
        encoder.write_all(&self.lines).map_err(refuse)?;
        encoder.finish().map_err(refuse)?;
        out.flush().map_err(refuse)?;
        self.out = Some(out);
        Ok(())
    }
}

impl Tap for Frames {
    fn take(&mut self, ts: Ts, raw: Raw<'_>) {
        match raw {
            Raw::Open => self.line(ts, br#"{"tickgate":"open"}"#),
            Raw::Close => self.line(ts, br#"{"tickgate":"close"}"#),
            Raw::Text(text) => self.line(ts, text),
            Raw::Body { request, symbol, body } => {
                let mark =
                    format!(r#"{{"tickgate":"get","request":{request},"symbol":"{symbol}"}}"#);
                self.line(ts, mark.as_bytes());
                self.line(ts, body);
            }
        }
    }

    fn tick(&mut self, _: Ts) {
        self.end_old_frame();
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        if !self.lines.is_empty() {
            self.end_frame();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use feeds::source::LineFile;

    use super::*;

    /// Goal: a text is on disk soon, whether another comes or not. Method: one line, then nothing but time; the file is read
    /// while the recorder still has it open.
    #[test]
    fn the_last_text_does_not_wait() {
        let folder = tempfile::tempdir().unwrap();
        let shared = Shared { stop: Arc::default(), done: Arc::default() };
        let mut frames = Frames::new(Place::new(folder.path(), 0, "kraken", 1 << 20), shared);
        let count = || {
            let file = folder.path().read_dir().unwrap().next()?.unwrap().path();
            let mut lines = LineFile::open(&file).unwrap();
            while lines.next_line().unwrap().is_some() {}
            Some((lines.counts().lines, lines.counts().cut))
        };
        let tap: &mut dyn Tap = &mut frames;
        tap.take(Ts(1), Raw::Text(b"{}"));
        tap.tick(Ts(2));
        assert_eq!(count(), None, "a frame waits for more");
        std::thread::sleep(FRAME_TIME);
        tap.tick(Ts(3));
        assert_eq!(count(), Some((1, 0)));
        tap.tick(Ts(4));
        assert_eq!(count(), Some((1, 0)), "no empty frames");
        tap.take(Ts(5), Raw::Text(b"{}"));
        tap.tick(Ts(6));
        assert_eq!(count(), Some((1, 0)), "its time begins with its first line");
    }
}
