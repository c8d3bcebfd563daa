//! A disk that fails at one of its calls.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::journal::storage::Storage;

/// A call of the engine to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    Create,
    Extend,
    Write,
    Sync,
    Rename,
    Remove,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No room on the disk.
    NoSpace,
    /// An I/O error, nothing done.
    Io,
    /// An I/O error after half of it was written, or after a file has its new name.
    Half,
    /// A sync fails, and what was not synced is lost; later syncs succeed.
    LostPages,
    /// The process is killed: nothing is done from this call on.
    Killed,
    /// It is killed when a half of this call is done.
    KilledHalfway,
    /// Power is lost: what was not synced is as it was before, and what was removed is there again.
    Unplugged,
    /// Power is lost, and what was not synced is anything.
    Scrambled,
}

impl Fault {
    pub fn fits(self, call: Call) -> bool {
        match self {
            Fault::NoSpace => matches!(call, Call::Create | Call::Extend | Call::Write),
            Fault::Half | Fault::KilledHalfway => matches!(call, Call::Write | Call::Rename),
            Fault::LostPages => call == Call::Sync,
            Fault::Io | Fault::Killed | Fault::Unplugged | Fault::Scrambled => true,
        }
    }

    /// Whether nobody is there any more who could do something about it.
    pub fn is_death(self) -> bool {
        use Fault::{Killed, KilledHalfway, Scrambled, Unplugged};
        matches!(self, Killed | KilledHalfway | Unplugged | Scrambled)
    }
}

/// A disk that fails once, at its `at`-th call. Its syncs only keep a copy: the test asks what survives, not how long a
/// real one takes.
pub struct Faulty {
    pub calls: Arc<AtomicU64>,
    pub log: Vec<Call>,
    at: u64,
    fault: Option<Fault>,
    /// Most bytes that a write takes.
    pub write_max: usize,
    /// By file that was made here: what a sync made safe.
    safe: BTreeMap<PathBuf, Vec<u8>>,
    removed: Vec<(PathBuf, Vec<u8>)>,
    pub struck: bool,
}

pub struct Segment {
    file: File,
    path: PathBuf,
}

impl Faulty {
    pub fn new(at: u64, fault: Option<Fault>) -> Faulty {
        let (calls, log) = (Arc::default(), Vec::new());
        let (safe, removed) = (BTreeMap::new(), Vec::new());
        Faulty { calls, log, at, fault, write_max: usize::MAX, safe, removed, struck: false }
    }

    /// Whether this call is the one that fails, and how. After a death every call fails.
    fn strikes(&mut self, call: Call) -> Option<Fault> {
        self.log.push(call);
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        if self.struck && self.fault.is_some_and(Fault::is_death) {
            return Some(Fault::Killed);
        }
        let fault = self.fault.filter(|fault| number == self.at && fault.fits(call));
        self.struck |= fault.is_some();
        fault
    }

    /// What a loss of power leaves, if it was one.
    pub fn come_back(self) {
        let Some(fault @ (Fault::Unplugged | Fault::Scrambled)) = self.fault else { return };
        for (path, safe) in &self.safe {
            let Ok(mut bytes) = std::fs::read(path) else { continue };
            let unsafe_bytes = bytes.iter_mut().zip(safe).filter(|(is, was)| is != was);
            unsafe_bytes.enumerate().for_each(|(place, (is, was))| match fault {
                Fault::Scrambled if place / 512 % 2 == 0 => *is ^= 0x55,
                Fault::Scrambled => {}
                _ => *is = *was,
            });
            std::fs::write(path, bytes).unwrap();
        }
        for (path, bytes) in self.removed {
            std::fs::write(path, bytes).unwrap();
        }
    }
}

fn error(fault: Fault) -> io::Error {
    let errno =
        if fault == Fault::NoSpace { rustix::io::Errno::NOSPC } else { rustix::io::Errno::IO };
    errno.into()
}

impl Storage for Faulty {
    type Segment = Segment;

    fn create(&mut self, path: &Path, bytes: u64, _mode: u32) -> io::Result<Segment> {
        if let Some(fault) = self.strikes(Call::Create) {
            if !fault.is_death() {
                File::create_new(path)?; // As a real one: the name is there, the room is not.
            }
            return Err(error(fault));
        }
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        file.set_len(bytes)?;
        self.safe.insert(path.into(), vec![0; bytes as usize]);
        Ok(Segment { file, path: path.into() })
    }

    fn reopen(&mut self, _: &Path, _: u64, _: u64) -> io::Result<Segment> {
        unreachable!("every run here makes a new journal")
    }

    fn extend(&mut self, segment: &Segment, bytes: u64) -> io::Result<()> {
        match self.strikes(Call::Extend) {
            Some(fault) => Err(error(fault)),
            None => segment.file.set_len(bytes),
        }
    }

    fn write_at(&mut self, segment: &Segment, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let short = &bytes[..bytes.len().min(self.write_max)];
        match self.strikes(Call::Write) {
            Some(fault @ (Fault::Half | Fault::KilledHalfway)) => {
                segment.file.write_all_at(&short[..short.len() / 2], offset)?;
                Err(error(fault))
            }
            Some(fault) => Err(error(fault)),
            None => segment.file.write_all_at(short, offset).map(|()| short.len()),
        }
    }

    fn sync(&mut self, segment: &Segment) -> io::Result<()> {
        let fault = self.strikes(Call::Sync);
        let safe = self.safe.get_mut(&segment.path).unwrap();
        match fault {
            Some(fault) => {
                if fault == Fault::LostPages {
                    segment.file.set_len(0)?;
                    segment.file.write_all_at(safe, 0)?;
                }
                Err(error(fault))
            }
            None => {
                *safe = std::fs::read(&segment.path)?;
                Ok(())
            }
        }
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let fault = self.strikes(Call::Rename);
        if fault.is_none_or(|fault| matches!(fault, Fault::Half | Fault::KilledHalfway)) {
            std::fs::rename(from, to)?;
            if let Some(bytes) = self.safe.remove(from) {
                self.safe.insert(to.into(), bytes);
            }
        }
        fault.map_or(Ok(()), |fault| Err(error(fault)))
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        if let Some(fault) = self.strikes(Call::Remove) {
            return Err(error(fault));
        }
        let bytes = std::fs::read(path)?;
        self.removed.push((path.into(), bytes));
        std::fs::remove_file(path)
    }
}
