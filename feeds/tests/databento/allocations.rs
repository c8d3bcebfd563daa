//! Nothing is allocated for a record.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use dbn::{MboMsg, Schema, flags};
use feeds::databento::{DbnOptions, DbnReader};

use super::streams::{encode, mbo};

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// Counts what each thread takes from the heap.
struct Counting;

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Goal: once every instrument is named, records cost no allocation. Method: count through thousands of records of fifty
/// instruments, snapshots and doubtful ones among them, in a stream many times as long as the reader's buffer.
#[test]
fn none() {
    let record = |at: u64| {
        let bits = [flags::LAST, 0, flags::SNAPSHOT, flags::MAYBE_BAD_BOOK][at as usize / 50 % 4];
        let mut record: MboMsg = mbo(b"AMCTF"[at as usize % 5], b'B', at, 5, 1, bits);
        record.hd.instrument_id = at as u32 % 50;
        record
    };
    let records: Vec<_> = (0..20_000).map(record).collect();
    let bytes = encode(Some(Schema::Mbo), &records);
    let mut reader = DbnReader::open(bytes.as_slice(), DbnOptions::default()).unwrap();
    let mut events = 0_u64;
    let mut take = |_| events += 1;
    for _ in 0..50 {
        assert!(reader.next(&mut take).unwrap());
    }
    let before = COUNT.get();
    while reader.next(&mut take).unwrap() {}
    assert_eq!(COUNT.get() - before, 0);
    assert!(events > 20_000 && reader.counters().snapshots > 1_000);
}
