use super::*;

/// Goal: objects neither overlap nor leave a hole, and a place that does not exist has no words.
/// Method: walk all regions in the order of the picture at the head of the file.
#[test]
fn regions_follow_each_other() {
    let capacity = Capacity { instruments: 3, lines: 5, ..Capacity::default() };
    let layout = Layout::new(&capacity);
    let regions = [
        (layout.header, 1),
        (layout.pulse, 1),
        (layout.control, 1),
        (layout.boards, 3),
        (layout.depths, 3),
        (layout.accounts, 16),
        (layout.lines, 5),
        (layout.watches, WATCHES as usize),
        (layout.orders, 1 << 12),
        (layout.tape, 1),
        (layout.ports, 16),
        (layout.answers, 16),
    ];
    let mut end = 0;
    for (region, count) in regions {
        for index in 0..count {
            let words = region.at(index).unwrap();
            assert_eq!(words.start, end);
            assert!(words.start % 16 == 0, "on a pair of cache lines");
            end = words.end;
        }
        assert_eq!(region.at(count), None);
        assert_eq!(region.at(usize::MAX), None);
    }
    assert_eq!(end, layout.words);
}

/// Goal: a capacity out of range is named, one in range survives its words. Method: both ends of
/// each field, and rings that are no power of two.
#[test]
fn capacity_has_bounds() {
    let good = Capacity::default();
    assert_eq!(good.fault(), None);
    assert_eq!(Capacity::from_words(good.to_words()), Some(good));
    let bad = [
        Capacity { instruments: 0, ..good },
        Capacity { instruments: (1 << 20) + 1, ..good },
        Capacity { accounts: (1 << 16) + 1, ..good },
        Capacity { lines: 0, ..good },
        Capacity { orders: u32::MAX, ..good },
        Capacity { tape: 100, ..good },
        Capacity { desks: 65, ..good },
        Capacity { requests: 4, ..good },
        Capacity { answers: 1 << 13, ..good },
    ];
    for capacity in bad {
        assert!(capacity.fault().is_some(), "{capacity:?}");
        assert_eq!(Capacity::from_words(capacity.to_words()), None);
    }
    let largest = Capacity { instruments: 1 << 20, desks: 64, answers: 1 << 12, ..good };
    assert_eq!(largest.fault(), None);
    assert!(Layout::new(&largest).words > 1 << 30);
}

/// Goal: the documented size of the default stays true. Method: compute it.
#[test]
fn default_fits_its_doc() {
    let megabytes = Layout::new(&Capacity::default()).words * 8 / 1_000_000;
    assert!((30..40).contains(&megabytes), "{megabytes} MB");
}
