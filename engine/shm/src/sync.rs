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
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing that the program could see and cannot fault; the baseline of x86-64 has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(word).cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(any(loom, miri)))))]
    let _ = word;
}

/// Words of a cache line.
pub const LINE: usize = 8;

/// The words of a line, each as a relaxed load reads it, in no order.
#[cfg(not(all(target_arch = "x86_64", not(any(loom, miri)))))]
#[inline(always)]
pub fn load_line(line: &[AtomicU64; LINE]) -> [u64; LINE] {
    line.each_ref().map(|word| word.load(Ordering::Relaxed))
}

/// The same, two words at once, which no compiler does with atomic loads: two thirds of the time of a page.
#[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
#[inline(always)]
pub fn load_line(line: &[AtomicU64; LINE]) -> [u64; LINE] {
    use core::arch::{asm, x86_64::__m128i};
    let (a, b, c, d): (__m128i, __m128i, __m128i, __m128i);
    // SAFETY: reads the 64 bytes of the line and writes nothing; the baseline of x86-64 has these instructions, which want no
    // alignment, and any bytes are words. Another thread may write them meanwhile: to the compiler they are what an instruction
    // found that it does not know and may not move over a fence; the processor does not move a later load before it. Whoever
    // reads so must find out by such a load that a copy is torn, as a cell does, be it in the middle of a word.
    unsafe {
        asm!(
            "movdqu {a}, [{line}]",
            "movdqu {b}, [{line} + 16]",
            "movdqu {c}, [{line} + 32]",
            "movdqu {d}, [{line} + 48]",
            line = in(reg) line,
            a = out(xmm_reg) a,
            b = out(xmm_reg) b,
            c = out(xmm_reg) c,
            d = out(xmm_reg) d,
            options(nostack, preserves_flags, readonly),
        );
        core::mem::transmute([a, b, c, d])
    }
}
