//! Memory that two processes share and neither can pull away from under the other: sealed memfds
//! and their maps.
//!
//! | kind | made by | seals | maps |
//! |---|---|---|---|
//! | pages | [`create`], mapped, [`seal`] | no resize, no further writer | engine RW, clients R |
//! | desk | [`create`], mapped by its client, [`seal`] | the same | client RW, engine R |
//!
//! After [`seal`] the kernel refuses, to whoever holds the descriptor, a new writable map,
//! `mprotect`, `write`, `ftruncate` and punching holes (memfd_create(2), fcntl(2)
//! F_SEAL_FUTURE_WRITE, Linux 5.1).

use core::ptr::{NonNull, null_mut};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};

use crate::sync::AtomicU64;

/// What a map may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Loads alone; a store ends the process.
    Read,
    /// Loads and stores.
    Write,
}

/// Makes a memory of `words` zeros whose size can never change.
pub(crate) fn create(name: &str, words: usize) -> Result<OwnedFd, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Linux before 6.3 does not know the flag that forbids executing the memory.
    let file = match rustix::fs::memfd_create(name, flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => rustix::fs::memfd_create(name, flags)?,
        made => made?,
    };
    let bytes = (words * size_of::<u64>()) as u64;
    // Allocates every page now: a machine without the memory says so here and not in a hot thread.
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes)?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW)?;
    Ok(file)
}

/// Forbids every writable map but those that exist, and any further seal.
pub(crate) fn seal(file: impl AsFd) -> Result<(), Errno> {
    rustix::fs::fcntl_add_seals(file, SealFlags::FUTURE_WRITE | SealFlags::SEAL)
}

/// A descriptor of the same memory that cannot write.
pub(crate) fn read_only(file: &OwnedFd) -> Result<OwnedFd, Errno> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

/// A shared map of a whole memory; unmapped when dropped.
#[derive(Debug)]
pub(crate) struct Map {
    start: NonNull<AtomicU64>,
    words: usize,
}

impl Map {
    /// Maps a memory of `words` words, every page present from the start.
    pub(crate) fn new(file: impl AsFd, words: usize, access: Access) -> Result<Map, Errno> {
        let bytes = words * size_of::<u64>();
        let size = rustix::fs::fstat(&file)?.st_size;
        let fixed = SealFlags::SHRINK | SealFlags::GROW;
        let sealed = rustix::fs::fcntl_get_seals(&file)?.contains(fixed);
        if bytes == 0 || !sealed || usize::try_from(size) != Ok(bytes) {
            return Err(Errno::INVAL);
        }
        let prot = match access {
            Access::Read => ProtFlags::READ,
            Access::Write => ProtFlags::READ | ProtFlags::WRITE,
        };
        let flags = MapFlags::SHARED | MapFlags::POPULATE;
        // SAFETY: a new map at an address of the kernel's choice touches no memory that exists.
        let start = unsafe { rustix::mm::mmap(null_mut(), bytes, prot, flags, &file, 0)? };
        let start = NonNull::new(start.cast()).ok_or(Errno::FAULT)?;
        Ok(Map { start, words })
    }

    /// The words. Through a map for reading they may only be loaded, which `core::sync::atomic`
    /// allows on read-only memory for words of this size.
    pub(crate) fn words(&self) -> &[AtomicU64] {
        // SAFETY: the map is that long, page-aligned, lives as long as `self`, cannot shrink
        // (checked seals), and whoever else maps it is another process or touches it through the
        // same atomics; any bit pattern is a u64.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.words) }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        let bytes = self.words * size_of::<u64>();
        // SAFETY: exactly what `new` mapped, and no reference outlives `self`. A failure would
        // leave it mapped: no harm.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), bytes) };
    }
}

// SAFETY: the map belongs to no thread, and its words are atomics.
unsafe impl Send for Map {}
// SAFETY: shared access is through atomics alone.
unsafe impl Sync for Map {}

#[cfg(test)]
mod tests;
