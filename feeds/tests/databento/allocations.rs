//! Nothing is allocated for a record.

use std::alloc::System;

use dbn::{MboMsg, Schema, flags};
use feeds::databento::{DbnOptions, DbnReader};
use host::{Counting, allocations};

use super::streams::{encode, mbo};

#[global_allocator]
static ALLOCATOR: Counting<System> = Counting(System);

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
    let before = allocations();
    while reader.next(&mut take).unwrap() {}
    assert_eq!(allocations() - before, 0);
    assert!(events > 20_000 && reader.counters().snapshots > 1_000);
}
