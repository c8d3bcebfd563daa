//! Memory that is there before it is needed, in pages that are as large as the host has them.

use std::hint::black_box;
use std::io;
use std::ops::Range;

use rustix::mm::MlockAllFlags;

/// Bytes of a cache line.
const CACHE_LINE: usize = 64;
/// Smallest page of any host.
const PAGE: usize = 4096;
/// A huge page of x86-64, and of ARM with pages of 4 KiB. Smaller arenas cannot have one.
const HUGE_PAGE: usize = 2 << 20;

/// Keeps every page of the process in memory, now and from now on. Needs CAP_IPC_LOCK or a large
/// RLIMIT_MEMLOCK.
///
/// # Errors
///
/// What the host says; the process runs on without.
pub fn lock_memory() -> io::Result<()> {
    Ok(rustix::mm::mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE)?)
}

/// Bytes that the host could give to a process that starts now; `None`: it does not tell.
pub fn available_bytes() -> Option<u64> {
    kib_of("/proc/meminfo", "MemAvailable:")
}

/// A number of a file of the kernel's, which counts in KiB, as bytes.
fn kib_of(path: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1 << 10)
}

/// Whether [`prefault`] gets huge pages, from now on and for the whole process; allowed until it is forbidden. The kernel's own
/// settings stand above it.
pub fn allow_huge_pages(allowed: bool) {
    // SAFETY: sets a flag of this process; the kernel reads no memory of ours.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, libc::c_ulong::from(!allowed), 0, 0, 0) };
}

/// Bytes of this process that lie in huge pages; `None`: the kernel does not tell.
pub fn huge_bytes() -> Option<u64> {
    kib_of("/proc/self/smaps_rollup", "AnonHugePages:")
}

/// Writes to every page of an arena, so that no later write faults. Values stay as they are. A large arena lies in huge pages
/// afterwards, if the kernel has them: then it takes fewer walks through tables of addresses to find a record.
pub fn prefault<T: Copy>(arena: &mut [T]) {
    let pages = whole_pages(arena);
    if pages.len() >= HUGE_PAGE {
        advise(&pages, libc::MADV_HUGEPAGE); // For what was never touched.
    }
    let step = (PAGE / size_of::<T>().max(1)).max(1);
    for item in arena.iter_mut().step_by(step) {
        *item = black_box(*item);
    }
    if let Some(last) = arena.last_mut() {
        *last = black_box(*last);
    }
    if pages.len() >= HUGE_PAGE {
        advise(&pages, libc::MADV_COLLAPSE); // For what was, before it came here. Linux 6.1.
    }
}

/// Addresses of the pages that an arena fills.
fn whole_pages<T>(arena: &[T]) -> Range<usize> {
    let Range { start, end } = arena.as_ptr_range();
    start.addr().next_multiple_of(PAGE)..end.addr() / PAGE * PAGE
}

/// Tells the kernel how pages of ours will be used. It may refuse: then they stay as they are.
fn advise(pages: &Range<usize>, advice: libc::c_int) {
    let start = core::ptr::without_provenance_mut(pages.start);
    // SAFETY: advice of these two kinds changes no byte of the pages, all of which belong to an arena that lives.
    unsafe { libc::madvise(start, pages.len(), advice) };
}

/// Tells the processor that the item will be read soon. Nothing happens if there is none.
#[inline]
pub fn prefetch<T>(items: &[T], index: usize) {
    if let Some(item) = items.get(index) {
        prefetch_line(item, 0);
    }
}

/// The same of every cache line of an item.
#[inline]
pub fn prefetch_whole<T>(item: &T) {
    let starts = (0..size_of::<T>()).step_by(CACHE_LINE);
    let end = size_of::<T>().saturating_sub(1); // An item need not begin with a line.
    starts.chain([end]).for_each(|offset| prefetch_line(item, offset));
}

#[inline(always)]
fn prefetch_line<T>(item: &T, offset: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let byte = core::ptr::from_ref(item).cast::<i8>().wrapping_add(offset);
        // SAFETY: a hint, which cannot fault wherever it points.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(byte) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (item, offset);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ThreadUsage;

    /// Goal: a prefaulted arena is written without a fault and keeps its values, and lies in huge pages unless they are
    /// forbidden; locked memory is locked. Method: count faults of this thread around a write to every page; lazily zeroed
    /// memory faults, which shows that the count counts. Ask /proc for the huge pages of an arena that was written before, with
    /// and without leave. Then lock, if the host allows it, and ask again. One test, because all that is the whole process's.
    #[test]
    fn memory_is_there_before_it_is_needed() {
        const WORDS: usize = 1 << 20;
        let faults = |arena: &mut [u64]| {
            let before = ThreadUsage::now();
            for word in arena.iter_mut().step_by(512) {
                *word = black_box(*word + 1);
            }
            ThreadUsage::now().since(&before).minor_faults
        };
        let mut lazy = vec![0_u64; WORDS];
        assert!(faults(&mut lazy) > 0, "zeroed memory of this size is not there yet");
        let mut arena = vec![0_u64; WORDS];
        prefault(&mut arena);
        assert_eq!(faults(&mut arena), 0);
        assert_eq!(arena.iter().sum::<u64>(), (WORDS / 512) as u64);

        let huge = huge_bytes().unwrap_or(0);
        let mut written = vec![1_u64; 4 * WORDS];
        assert!(huge_bytes().unwrap_or(0) < huge + (8 << 20), "nobody asked for huge pages yet");
        prefault(&mut written);
        let got = huge_bytes().unwrap_or(0).saturating_sub(huge);
        let mode = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
        match mode {
            Ok(mode) if !mode.contains("[never]") => assert!(got >= 24 << 20, "{got} of 32 MiB"),
            mode => println!("no huge pages here: {mode:?}"),
        }
        assert_eq!(written.iter().sum::<u64>(), 4 * WORDS as u64);
        allow_huge_pages(false);
        let huge = huge_bytes().unwrap_or(0);
        let mut small = vec![1_u64; 4 * WORDS];
        prefault(&mut small);
        assert!(huge_bytes().unwrap_or(0) < huge + (8 << 20), "they are forbidden");
        allow_huge_pages(true);

        match lock_memory() {
            Ok(()) => {
                let status = std::fs::read_to_string("/proc/self/status").unwrap();
                let locked = status.lines().find(|line| line.starts_with("VmLck:")).unwrap();
                assert!(!locked.contains(" 0 kB"), "{locked}");
                rustix::mm::munlockall().unwrap();
            }
            Err(error) => println!("not allowed here: {error}"),
        }
    }

    /// Goal: prefetching changes nothing and takes any index and any item. Method: inside, at the end, beyond; of nothing, of
    /// several lines.
    #[test]
    fn prefetch_takes_anything() {
        let items = [1_u64, 2];
        [0, 1, 2, usize::MAX].into_iter().for_each(|index| prefetch(&items, index));
        prefetch::<u64>(&[], 0);
        prefetch_whole(&());
        prefetch_whole(&[items; 20]);
        assert_eq!(items, [1, 2]);
    }
}
