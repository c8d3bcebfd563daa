//! The atomics of this crate. The model checker brings its own, on the heap.

#[cfg(not(loom))]
pub use core::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU64, Ordering, fence};

/// Reads a word that nobody but the calling thread ever writes.
#[cfg(not(loom))]
pub fn load_own(word: &AtomicU64) -> u64 {
    word.load(Ordering::Relaxed)
}

/// The same. The model checker remembers one access a word: a load here would hide the loads of
/// other threads from it, and it would never try the store that follows before them.
#[cfg(loom)]
pub fn load_own(word: &AtomicU64) -> u64 {
    // SAFETY: no other thread writes the word, so no write is concurrent; the checker verifies
    // that.
    unsafe { word.unsync_load() }
}

/// Asks for the cache line of a word, as far as the processor likes. Changes nothing.
#[inline(always)]
pub fn prefetch(word: &AtomicU64) {
    #[cfg(all(target_arch = "x86_64", not(loom)))]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing that the program could see and cannot fault; the baseline of x86-64 has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(word).cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(loom))))]
    let _ = word;
}
