//! File calls that the standard library lacks or names otherwise.

use std::fs::File;
use std::io;

use rustix::fs::{FallocateFlags, fallocate};

/// Gives the file `len` bytes of disk now, zeros where nothing was written: a full disk says so
/// here, not at a later write.
///
/// # Errors
///
/// What the file system says; [`io::ErrorKind::StorageFull`] if there is no room.
pub fn preallocate(file: &File, len: u64) -> io::Result<()> {
    Ok(fallocate(file, FallocateFlags::empty(), 0, len)?)
}

/// Waits until what was written has reached the disk, with as much of the metadata as reading it
/// back needs.
///
/// # Errors
///
/// What the file system says. After an error nothing is known of what was written since the last
/// success.
pub fn sync_data(file: &File) -> io::Result<()> {
    Ok(rustix::fs::fdatasync(file)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    /// Goal: the disk is really taken, and more than there can be is refused. Method: blocks of the
    /// file; an absurd length.
    #[test]
    fn preallocated_file_has_its_blocks() {
        let file = tempfile::tempfile().unwrap();
        preallocate(&file, 1 << 20).unwrap();
        sync_data(&file).unwrap();
        let metadata = file.metadata().unwrap();
        assert_eq!(metadata.len(), 1 << 20);
        assert!(metadata.blocks() * 512 >= 1 << 20);
        assert!(preallocate(&file, 1 << 60).is_err());
    }
}
