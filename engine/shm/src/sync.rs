//! The atomics of this crate. The model checker brings its own, on the heap.

#[cfg(not(loom))]
pub use core::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(loom)]
use loom::cell::UnsafeCell;
#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU64, Ordering, fence};

/// Shaped like the model checker's.
#[cfg(not(loom))]
struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    fn new(value: T) -> UnsafeCell<T> {
        UnsafeCell(core::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    #[inline(always)]
    fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}

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

/// Asks for the cache line of a word in order to write it, so that the store does not wait until another processor has given it
/// up. Changes nothing.
#[inline(always)]
pub fn prefetch_to_write(word: &AtomicU64) {
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    // SAFETY: as above. Every x86-64 processor takes the instruction, a few old ones as none; the compiler's own way to it
    // makes one to read where it is not told of the processor.
    unsafe {
        core::arch::asm!("prefetchw [{}]", in(reg) word, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(all(target_arch = "x86_64", not(any(loom, miri)))))]
    let _ = word;
}

/// Plain memory that a word beside it hands from one thread to another, so that never two use it at once. The model checker
/// verifies that.
pub struct Plain<T>(UnsafeCell<T>);

// SAFETY: whoever uses it promises that nobody else does meanwhile.
unsafe impl<T: Send> Sync for Plain<T> {}

impl<T: Copy> Plain<T> {
    pub fn new(value: T) -> Plain<T> {
        Plain(UnsafeCell::new(value))
    }

    /// # Safety
    ///
    /// No thread writes it meanwhile.
    #[inline(always)]
    pub unsafe fn get(&self) -> T {
        // SAFETY: guaranteed by the caller (# Safety).
        self.0.with(|value| unsafe { *value })
    }

    /// # Safety
    ///
    /// No other thread reads or writes it meanwhile.
    #[inline(always)]
    pub unsafe fn set(&self, value: T) {
        // SAFETY: guaranteed by the caller (# Safety).
        self.0.with_mut(|to| unsafe { *to = value });
    }
}

/// Words of a cache line.
pub const LINE: usize = 8;

/// The words of a line, each as a relaxed load reads it, in no order.
#[cfg(not(all(target_arch = "x86_64", not(any(loom, miri)))))]
#[inline(always)]
pub fn load_line(line: &[AtomicU64; LINE]) -> [u64; LINE] {
    line.each_ref().map(|word| word.load(Ordering::Relaxed))
}

/// Replaces the words of a line, each as a relaxed store does, in no order.
#[cfg(not(all(target_arch = "x86_64", not(any(loom, miri)))))]
#[inline(always)]
pub fn store_line(line: &[AtomicU64; LINE], words: &[u64; LINE]) {
    line.iter().zip(words).for_each(|(word, value)| word.store(*value, Ordering::Relaxed));
}

#[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
pub use wide::{load_line, store_line};

/// The same, several words at once, which no compiler does with atomics.
///
/// Another thread may use the words meanwhile. To the compiler, what is loaded is what an instruction found that it does not
/// know and may not move over a fence or another access; the processor moves no load before an earlier load, and no store before
/// an earlier store. Whoever loads so must find out by a later load that a copy is torn, as a cell does, be it in the middle of a
/// word.
#[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
mod wide {
    use super::{AtomicU64, LINE};
    use core::arch::{asm, x86_64::__m128i};

    /// Four words at once where the build is for processors that do: a page takes six tenths of the time of two at once, and
    /// that two thirds of one by one.
    #[cfg(target_feature = "avx")]
    #[inline(always)]
    pub fn load_line(line: &[AtomicU64; LINE]) -> [u64; LINE] {
        use core::arch::x86_64::__m256i;
        let (a, b): (__m256i, __m256i);
        // SAFETY: reads the 64 bytes of the line, of any alignment, and writes nothing; any bytes are words.
        unsafe {
            asm!(
                "vmovdqu {a}, [{line}]",
                "vmovdqu {b}, [{line} + 32]",
                line = in(reg) line,
                a = out(ymm_reg) a,
                b = out(ymm_reg) b,
                options(nostack, preserves_flags, readonly),
            );
            core::mem::transmute([a, b])
        }
    }

    #[cfg(not(target_feature = "avx"))]
    #[inline(always)]
    pub fn load_line(line: &[AtomicU64; LINE]) -> [u64; LINE] {
        let (a, b, c, d): (__m128i, __m128i, __m128i, __m128i);
        // SAFETY: as above; the baseline of x86-64 has these instructions.
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

    /// Two words at once; four are no faster, for the processor writes as many bytes at a time either way.
    #[inline(always)]
    pub fn store_line(line: &[AtomicU64; LINE], words: &[u64; LINE]) {
        // SAFETY: writes the 64 bytes of the line, of any alignment, which are atomics, so that a shared reference may be
        // written through; the baseline of x86-64 has these instructions.
        unsafe {
            let [a, b, c, d]: [__m128i; 4] = core::mem::transmute(*words);
            asm!(
                "movdqu [{line}], {a}",
                "movdqu [{line} + 16], {b}",
                "movdqu [{line} + 32], {c}",
                "movdqu [{line} + 48], {d}",
                line = in(reg) line,
                a = in(xmm_reg) a,
                b = in(xmm_reg) b,
                c = in(xmm_reg) c,
                d = in(xmm_reg) d,
                options(nostack, preserves_flags),
            );
        }
    }
}
