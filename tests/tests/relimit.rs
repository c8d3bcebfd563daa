//! What the engine thread pays for other limits.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Instant;

use engine::config::Config;
use engine::step::{Engine, Prepared, prepare};
use model::{Body, Event, Input, Note, OperatorName, Symbol, Ts, VenueNumber};
use tests::Stage;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// Counts what each thread takes from the heap and gives back.
struct Counting;

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The wide limits with one number changed, and so many accounts of the kind of the second.
fn limits(config: &Config, clip: &str, accounts: usize) -> String {
    let text = config.limits_text().replace("clip_max = \"10000000\"", clip);
    let tables: Vec<&str> = text.split("[[").collect();
    let of = |kind: &str| {
        let table = tables.iter().rfind(|table| table.starts_with(kind)).unwrap();
        (2..accounts).map(|n| format!("[[{}", table.replace("probe", &format!("p{n}")))).collect()
    };
    let (more, rows): (String, String) = (of("account]]"), of("limit]]"));
    format!("{text}\n{more}\n{rows}")
}

/// Goal: the step that puts limits in force neither allocates nor frees, and takes a time that is printed. Method: every
/// instrument of a large venue, few accounts and many; a thread's calls to the allocator counted around the step.
#[test]
fn relimit_allocates_nothing() {
    let stage = Stage::new(1000, 1);
    for (instruments, accounts) in [(100_u32, 2), (10_000, 3), (10_000, 100)] {
        let mut config = stage.config("relimit");
        let mut small = config.engine.clone();
        small.capacity.instruments = instruments;
        config = config.with_engine(small);
        config = config.with_limits(&limits(&config, "clip_max = \"10\"", accounts)).unwrap();
        let mut engine = Engine::new(&config).unwrap();
        let mut out = engine.output();
        let mut step = |engine: &mut Engine, body| {
            let seq = engine.seq() + 1;
            engine.step(&Input { seq, now: Ts(seq), body }, &mut out, &mut ());
        };
        for number in 1..=instruments {
            let symbol = Symbol::new(&format!("S{number}")).unwrap();
            step(&mut engine, Body::Event(Event::directory(VenueNumber(number), symbol, 4, 0)));
        }
        let text = config.limits_text().replace("clip_max = \"10\"", "clip_max = \"9\"");
        let begun = Instant::now();
        let Prepared { rules, changes, .. } = prepare(&config, 1, &text).unwrap();
        let prepared = begun.elapsed();
        assert_eq!(changes.len(), accounts);
        let control = rules.control(OperatorName::default(), Note::default());
        let before = CALLS.get();
        let begun = Instant::now();
        engine.offer(rules);
        step(&mut engine, Body::Control(control));
        let spent = engine.take_spent();
        let took = begun.elapsed();
        assert_eq!(CALLS.get() - before, 0, "{instruments} {accounts}");
        assert_eq!(engine.limits_version(), 2);
        drop(spent);
        println!(
            "{instruments} instruments, {accounts} accounts: prepared in {prepared:?}, in force in {took:?}"
        );
    }
}
