//! What the journal asks of the disk: four things, so that a test can refuse each of them at any moment.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Where segments are kept.
pub trait Storage {
    /// A segment that is open.
    type Segment;

    /// Makes a file that must not exist, `bytes` long, with room on the disk for all of it, and its name safe in the folder.
    ///
    /// # Errors
    ///
    /// What the disk says; a file may be left behind.
    fn create(&mut self, path: &Path, bytes: u64) -> io::Result<Self::Segment>;

    /// Opens a file that exists, cuts it to `keep` bytes and makes it `bytes` long again: zeros, with room for all.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn reopen(&mut self, path: &Path, keep: u64, bytes: u64) -> io::Result<Self::Segment>;

    /// Reserves room up to `bytes`.
    ///
    /// # Errors
    ///
    /// What the disk says; what was there stays.
    fn extend(&mut self, segment: &Self::Segment, bytes: u64) -> io::Result<()>;

    /// Writes at a place; how much of it.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn write_at(&mut self, segment: &Self::Segment, bytes: &[u8], offset: u64)
    -> io::Result<usize>;

    /// Returns once everything written is on the disk.
    ///
    /// # Errors
    ///
    /// What the disk says. What was written since the last sync may then be lost, whatever a later sync says.
    fn sync(&mut self, segment: &Self::Segment) -> io::Result<()>;
}

/// The disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Storage for Disk {
    type Segment = File;

    fn create(&mut self, path: &Path, bytes: u64) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        reserve(&file, bytes)?;
        file.sync_all()?;
        let folder = path.parent().unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?; // Else the file may be gone after a loss of power.
        Ok(file)
    }

    fn reopen(&mut self, path: &Path, keep: u64, bytes: u64) -> io::Result<File> {
        let file = File::options().read(true).write(true).open(path)?;
        let bytes = bytes.max(file.metadata()?.len());
        file.set_len(keep)?;
        reserve(&file, bytes)?;
        file.sync_all()?;
        Ok(file)
    }

    fn extend(&mut self, segment: &File, bytes: u64) -> io::Result<()> {
        reserve(segment, bytes)
    }

    fn write_at(&mut self, segment: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(segment, bytes, offset)
    }

    fn sync(&mut self, segment: &File) -> io::Result<()> {
        segment.sync_data()
    }
}

fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    Ok(rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, bytes)?)
}
