//! Memory that is there before it is needed.

use std::hint::black_box;
use std::io;

use rustix::mm::MlockAllFlags;

/// Smallest page of any host.
const PAGE: usize = 4096;

/// Keeps every page of the process in memory, now and from now on. Needs CAP_IPC_LOCK or a large
/// RLIMIT_MEMLOCK.
///
/// # Errors
///
/// What the host says; the process runs on without.
pub fn lock_memory() -> io::Result<()> {
    Ok(rustix::mm::mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE)?)
}

/// Writes to every page of an arena, so that no later write faults. Values stay as they are.
pub fn prefault<T: Copy>(arena: &mut [T]) {
    let step = (PAGE / size_of::<T>().max(1)).max(1);
    for item in arena.iter_mut().step_by(step) {
        *item = black_box(*item);
    }
    if let Some(last) = arena.last_mut() {
        *last = black_box(*last);
    }
}

/// Tells the processor that the item will be read soon. Nothing happens if there is none.
#[inline]
pub fn prefetch<T>(items: &[T], index: usize) {
    if let Some(item) = items.get(index) {
        #[cfg(target_arch = "x86_64")]
        {
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: a hint that cannot fault, on the address of a live item.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(item).cast()) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = item;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ThreadUsage;

    /// Goal: a prefaulted arena is written without a fault and keeps its values; locked memory is
    /// locked. Method: count faults of this thread around a write to every page; lazily zeroed
    /// memory faults, which shows that the count counts. Then lock, if the host allows it, and ask
    /// /proc. One test, because a lock is the whole process's.
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

    /// Goal: prefetching changes nothing and takes any index. Method: inside, at the end, beyond.
    #[test]
    fn prefetch_takes_any_index() {
        let items = [1_u64, 2];
        [0, 1, 2, usize::MAX].into_iter().for_each(|index| prefetch(&items, index));
        prefetch::<u64>(&[], 0);
        assert_eq!(items, [1, 2]);
    }
}
