//! Reads a file that nobody is writing. Half a file may be whole to a reader, and limits of which a row or the end of a number is
//! missing are other limits.

use std::fs::Metadata;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// A file that did not change for so long is whole.
const SETTLED: Duration = Duration::from_millis(200);
/// How long is waited for that.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause between looks.
const PAUSE: Duration = Duration::from_millis(20);

/// The text of a file, once that is settled.
///
/// # Errors
///
/// What the disk says, or that the file goes on changing.
pub(super) fn read(path: &Path) -> Result<String> {
    let begun = Instant::now();
    let mut watch = Watch { seen: look(path)?, since: begun };
    loop {
        let text = std::fs::read_to_string(path)?;
        let (seen, now) = (look(path)?, Instant::now());
        // A time to come says nothing: a clock may have been set back. Nor does that of an empty file: one that is about to be
        // written anew is empty before the disk says when.
        let is_old = seen.bytes > 0 && seen.changed.elapsed().is_ok_and(|ago| ago >= SETTLED);
        let unchanged = watch.unchanged(seen, now).filter(|_| text.len() as u64 == seen.bytes);
        if unchanged.is_some_and(|since| is_old || since >= SETTLED) {
            return Ok(text);
        }
        if now.duration_since(begun) >= PATIENCE {
            return Err(Error::new(ErrorKind::ResourceBusy, "somebody is writing it"));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Which file it is, when it changed, and its length.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    inode: u64,
    changed: SystemTime,
    bytes: u64,
}

fn look(path: &Path) -> Result<Look> {
    let of = |meta: Metadata| {
        Ok(Look { inode: meta.ino(), changed: meta.modified()?, bytes: meta.len() })
    };
    std::fs::metadata(path).and_then(of)
}

/// What was seen last, and since when.
struct Watch {
    seen: Look,
    since: Instant,
}

impl Watch {
    /// For how long it has looked like that; `None`: it has changed.
    fn unchanged(&mut self, seen: Look, now: Instant) -> Option<Duration> {
        if seen != self.seen {
            (self.seen, self.since) = (seen, now);
            return None;
        }
        Some(now.duration_since(self.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: whatever changes of a file, the time that it must rest begins anew. Method: looks by hand.
    #[test]
    fn every_change_counts() {
        let begun = Instant::now();
        let at = |ms| begun + Duration::from_millis(ms);
        let first = Look { inode: 1, changed: SystemTime::UNIX_EPOCH, bytes: 10 };
        let mut watch = Watch { seen: first, since: begun };
        assert_eq!(watch.unchanged(first, at(199)), Some(Duration::from_millis(199)));
        let later = SystemTime::UNIX_EPOCH + Duration::from_nanos(1);
        let mut now = 200;
        for look in [
            Look { bytes: 11, ..first },
            Look { changed: later, ..first },
            Look { inode: 2, ..first },
        ] {
            assert_eq!(watch.unchanged(look, at(now)), None);
            assert_eq!(watch.unchanged(look, at(now + 50)), Some(Duration::from_millis(50)));
            now += 100;
        }
    }

    /// Goal: a file that rests is read, at once or after a while, also one that changed in times to come; one that is not there
    /// is an error. Method: one file with three times.
    #[test]
    fn what_rests_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("limits.toml");
        assert_eq!(read(&path).unwrap_err().kind(), ErrorKind::NotFound);
        std::fs::write(&path, "whole").unwrap();
        let hour = Duration::from_secs(3_600);
        for changed in [SystemTime::now(), SystemTime::now() - hour, SystemTime::now() + hour] {
            std::fs::File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(changed)
                .unwrap();
            assert_eq!(read(&path).unwrap(), "whole");
        }
    }
}
