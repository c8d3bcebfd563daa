//! Torn ends: whatever a crash cuts off or turns over, what is left is a state that the engine was in.

use std::os::unix::fs::FileExt;

use engine::journal::reader::Reader;
use engine::journal::storage::Disk;
use engine::journal::{numbers, path_of};

use crate::run::{Day, end_of};

/// Bytes before the end at which the journal is cut, by default.
const CUTS: u64 = 1_500;

/// Goal: a journal cut at any byte, or with any bit of its last record turned over, comes to the state that the engine was
/// in after the last record that is whole. Method: every byte of the last records (TICKGATE_EVERY_BYTE=1: of the last
/// segment), each in two ways (gone, zero); every bit of the last record.
#[test]
fn every_byte_and_every_bit() {
    let day = Day::new();
    let folder = tempfile::tempdir().unwrap();
    day.record(folder.path(), Disk, 1 << 20).unwrap();
    let last = *numbers(folder.path()).unwrap().last().unwrap();
    let path = path_of(folder.path(), last);
    let whole = std::fs::read(&path).unwrap();

    // Where each record of the last segment ends, and the input that it is.
    let mut reader = Reader::open(folder.path()).unwrap();
    let (mut ends, mut seq, mut is_open) = (vec![], 0, false);
    while let Some(record) = reader.next_record().unwrap() {
        match record {
            engine::journal::Record::Input(input) => seq = input.seq,
            engine::journal::Record::Run { first_seq, count, .. } => seq = first_seq + count - 1,
            engine::journal::Record::Opened { .. } => is_open = true,
            _ => {}
        }
        if is_open && reader.tail().segment == last {
            ends.push((reader.tail().offset, seq));
        }
    }
    let (end, total) = *ends.last().unwrap();
    assert_eq!(total as usize, day.hashes.len() - 1);
    let cuts = if std::env::var_os("TICKGATE_EVERY_BYTE").is_some() { u64::MAX } else { CUTS };
    let first = end.saturating_sub(cuts).max(ends[0].0);
    let expect = |at: u64, what: &str| {
        let (_, seq) = *ends.iter().rev().find(|(end, _)| *end <= at).unwrap();
        let (recovered, hash) = end_of(folder.path());
        assert_eq!(recovered, seq, "{what} {at}");
        assert_eq!(hash, day.hashes[seq as usize], "{what} {at}");
    };
    let mut cuts = 0;
    for at in first..end {
        std::fs::write(&path, &whole[..at as usize]).unwrap();
        expect(at, "cut at");
        let mut zeroed = whole.clone();
        zeroed[at as usize..].fill(0);
        if zeroed[..end as usize] != whole[..end as usize] {
            // Zeros that the record had anyway take nothing away.
            let differs = zeroed.iter().zip(&whole).position(|(a, b)| a != b).unwrap() as u64;
            std::fs::write(&path, &zeroed).unwrap();
            expect(differs, "zeros from");
        }
        cuts += 1;
    }
    std::fs::write(&path, &whole).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    let (begin, _) = ends[ends.len() - 2];
    for at in begin..end {
        for bit in 0..8 {
            file.write_all_at(&[whole[at as usize] ^ 1 << bit], at).unwrap();
            expect(begin, "bit of byte");
        }
        file.write_all_at(&[whole[at as usize]], at).unwrap();
    }
    println!("{cuts} cuts, {} bits", (end - begin) * 8);
    assert_eq!(end_of(folder.path()).0, total);
}
