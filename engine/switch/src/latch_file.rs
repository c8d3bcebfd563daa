//! `halts.json`: what is halted, kept from one start of an engine to the next. Written whole beside the old one, synced and
//! renamed over it, so that it is the old or the new one after any crash. What cannot be read halts everything.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::words::Halt;

/// A halt as it is kept.
pub type Latch = Halt;

/// The file's name in a journal's folder.
pub const FILE: &str = "halts.json";
/// Longest file.
const BYTES_MAX: u64 = 32 << 20;
const VERSION: u32 = 1;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    halts: Vec<Latch>,
}

/// Why the file cannot be believed or written.
#[derive(Debug, thiserror::Error)]
pub enum LatchError {
    /// The operating system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What it said.
        error: std::io::Error,
    },
    /// It is not what was written.
    #[error("{}: {reason}", path.display())]
    Bad {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// What is halted; nothing if there is no file.
///
/// # Errors
///
/// [`LatchError`]: everything must count as halted.
pub fn read(path: &Path) -> Result<Vec<Latch>, LatchError> {
    let io = |error| LatchError::Io { path: path.into(), error };
    let bad = |reason: String| LatchError::Bad { path: path.into(), reason };
    let file = match open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        file => file.map_err(io)?,
    };
    if !file.metadata().map_err(io)?.is_file() {
        return Err(bad("not a file".into()));
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(bad(format!("longer than {BYTES_MAX} bytes")));
    }
    let kept: Kept = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    if kept.version != VERSION {
        return Err(bad(format!("version {} is not {VERSION}", kept.version)));
    }
    Ok(kept.halts)
}

/// Opens without waiting, should somebody have put a pipe there.
fn open(path: &Path) -> std::io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    File::options().read(true).custom_flags(flags).open(path)
}

/// Writes what is halted. On return it survives the loss of power.
///
/// # Errors
///
/// [`LatchError::Io`]; the old file stands.
pub fn write(path: &Path, halts: &[Latch]) -> Result<(), LatchError> {
    let io = |error| LatchError::Io { path: path.into(), error };
    let kept = Kept { version: VERSION, halts: halts.to_vec() };
    let mut text = serde_json::to_vec_pretty(&kept).map_err(|error| io(error.into()))?;
    text.push(b'\n');
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let beside = path.with_extension("json.new");
    let put = || -> std::io::Result<()> {
        let mut file =
            File::options().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        File::open(folder)?.sync_all()
    };
    put().map_err(io)
}

/// Puts a file that cannot be read out of the way, for whoever wants to know what it was.
pub fn set_aside(path: &Path) {
    let _ = std::fs::rename(path, path.with_extension("json.unreadable"));
}

#[cfg(test)]
mod tests {
    use model::{HaltCause, HaltLevel};

    use super::*;
    use crate::words::Scope;

    fn latch(scope: Scope) -> Latch {
        let (level, cause) = (HaltLevel::Halted, HaltCause::Human);
        let (operator, reason) = ("ann".into(), "why \"not\"\\".into());
        Latch { scope, level, cause, operator, reason, since_ns: u64::MAX }
    }

    /// Goal: what was written is read, no file is no halt. Method: every kind of scope, twice over.
    #[test]
    fn reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(read(&path).unwrap(), []);
        let scopes = [Scope::All, Scope::Symbol("A B".into()), Scope::Strategy(3)];
        let halts = scopes.map(latch);
        for halts in [&halts[..], &halts[..1], &[]] {
            write(&path, halts).unwrap();
            assert_eq!(read(&path).unwrap(), halts);
        }
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "nothing else is left: {names:?}");
    }

    /// Goal: a file that is cut or changed anywhere is not believed, unless it still says the same. Method: cut at every
    /// byte; flip a bit of every byte.
    #[test]
    fn damage_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let halts = [latch(Scope::Account("agent".into())), latch(Scope::All)];
        write(&path, &halts).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() - 2 {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(read(&path).is_err(), "cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut spoiled = whole.clone();
            spoiled[at] ^= 0x80;
            std::fs::write(&path, &spoiled).unwrap();
            assert!(read(&path).is_err(), "spoiled at {at}");
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(read(&path).is_err(), "a folder");
    }
}
