//! What journal and snapshots ask of the disk: few things, so that a test can refuse each of them at any moment.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// Mode of a file that the user's mask alone keeps others from.
pub const SHARED: u32 = 0o666;
/// Mode of a file that is for nobody else.
pub const PRIVATE: u32 = 0o600;

/// Where segments and snapshots are kept.
pub trait Storage {
    /// A file that is open.
    type Segment;

    /// Makes a file that must not exist, `bytes` long, with room on the disk for all of it, and its name safe in the folder.
    ///
    /// # Errors
    ///
    /// What the disk says; a file may be left behind.
    fn create(&mut self, path: &Path, bytes: u64, mode: u32) -> io::Result<Self::Segment>;

    /// Opens a file that exists, cuts it to `keep` bytes, which are synced whatever became of earlier syncs, and makes it `bytes`
    /// long again: zeros, with room for all.
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

    /// Gives a file another name in its folder, in place of what had that name, and safe there.
    ///
    /// # Errors
    ///
    /// What the disk says; it may have the one name or the other.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file; after a loss of power it may be there again.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn remove(&mut self, path: &Path) -> io::Result<()>;

    /// Writes all of it at a place. A write may take less than it is given, and may be interrupted.
    ///
    /// # Errors
    ///
    /// What the disk says; a part may be written.
    fn write_all_at(
        &mut self,
        segment: &Self::Segment,
        mut bytes: &[u8],
        mut offset: u64,
    ) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = match self.write_at(segment, bytes, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Ok(0) => Err(io::ErrorKind::WriteZero.into()),
                other => other,
            }?;
            offset += written as u64;
            bytes = bytes.get(written..).unwrap_or(&[]);
        }
        Ok(())
    }
}

/// The disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Storage for Disk {
    type Segment = File;

    fn create(&mut self, path: &Path, bytes: u64, mode: u32) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(mode).open(path)?;
        reserve(&file, bytes)?;
        file.sync_all()?;
        sync_folder(path)?;
        Ok(file)
    }

    fn reopen(&mut self, path: &Path, keep: u64, bytes: u64) -> io::Result<File> {
        let file = File::options().read(true).write(true).open(path)?;
        // A sync that failed may have left pages that are whole here, not on the disk, and no longer dirty: only what is
        // written anew is sure to be synced.
        let mut kept = vec![0; keep as usize];
        file.read_exact_at(&mut kept, 0)?;
        file.write_all_at(&kept, 0)?;
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

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)?;
        sync_folder(to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }
}

/// Else a name that is new there may be gone after a loss of power.
fn sync_folder(of: &Path) -> io::Result<()> {
    File::open(of.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    Ok(rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, bytes)?)
}
