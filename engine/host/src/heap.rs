//! How often a thread takes from the heap.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// An allocator that counts for each thread how often it is asked for memory; a program makes it its global one.
pub struct Counting<A>(pub A);

/// Times that the calling thread asked for memory; always zero where [`Counting`] is not the global allocator.
pub fn allocations() -> u64 {
    TAKEN.with(Cell::get)
}

fn count() {
    // A thread that ends may allocate when its own variables are gone.
    let _ = TAKEN.try_with(|taken| taken.set(taken.get() + 1));
}

// SAFETY: every call is handed to the inner allocator unchanged, and counting neither allocates nor unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { self.0.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { self.0.dealloc(pointer, layout) }
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::System;
    use std::hint::black_box;

    use super::*;

    #[global_allocator]
    static ALLOCATOR: Counting<System> = Counting(System);

    /// Goal: each way of taking memory counts on the thread that takes it, giving back does not. Method: each once, and
    /// another thread's look at its own count.
    #[test]
    fn takers_count() {
        let counted = |work: &mut dyn FnMut()| {
            let before = allocations();
            work();
            allocations() - before
        };
        let mut bytes = Vec::new();
        assert_eq!(counted(&mut || bytes.reserve_exact(8)), 1);
        bytes.extend([0_u8; 8]);
        assert_eq!(counted(&mut || bytes.reserve_exact(64)), 1, "it grows");
        assert_eq!(counted(&mut || drop(black_box(std::mem::take(&mut bytes)))), 0);
        assert_eq!(counted(&mut || drop(black_box(vec![0_u64; 100]))), 1);
        let others = std::thread::spawn(allocations).join().unwrap();
        let here = allocations();
        (0..1000).for_each(|_| drop(black_box(Box::new(1))));
        assert_eq!(allocations() - here, 1000);
        assert!(others < 1000, "{others}: its own alone");
    }
}
