use std::sync::atomic::Ordering;

use super::*;

/// A tap, the other end of its ring, and what the audit thread would tell.
fn tap(places: usize, reserve: usize) -> (Tap, rtrb::Consumer<Words>, Arc<Progress>) {
    let (to, from) = rtrb::RingBuffer::new(places);
    let progress = Arc::new(Progress::default());
    (Tap::new(to, Arc::clone(&progress), reserve), from, progress)
}

fn record() -> AuditRecord {
    AuditRecord::bare(AuditKind::Act, Actor::Operator, 1, model::Ts(2))
}

/// Goal: the log is full when the ring has no room beyond its reserve, and not when it has again; what passed still
/// finds its
/// place. Method: fill it while nobody writes, then take out.
#[test]
fn full_ring_keeps_its_reserve() {
    let (mut tap, mut ring, progress) = tap(RECORDS_PER_INPUT + 100, 50);
    assert!(!tap.is_full(5));
    (0..50).for_each(|_| tap.push(record()));
    assert!(tap.is_full(6));
    (0..50 + RECORDS_PER_INPUT).for_each(|_| tap.push(record()));
    assert_eq!(tap.lost, 0, "the reserve takes what follows");
    while ring.pop().is_ok() {}
    progress.appended.store(tap.to.pushed, Ordering::Release);
    assert!(!tap.is_full(7));
}

/// Goal: a record that found no room is never forgotten: the log stays full. Method: one more than fit.
#[test]
fn lost_record_latches() {
    let (mut tap, mut ring, progress) = tap(RECORDS_PER_INPUT + 10, 1);
    (0..RECORDS_PER_INPUT + 11).for_each(|_| tap.push(record()));
    while ring.pop().is_ok() {}
    progress.appended.store(tap.to.pushed, Ordering::Release);
    assert!(tap.is_full(1) && tap.is_full(2) && tap.lost == 1);
}

/// Goal: a log that hangs counts as full after the stated time, not before, and not when nothing waits. Method: a
/// clock by hand.
#[test]
fn hanging_log_is_full() {
    let (mut tap, _ring, progress) = tap(1000, 10);
    assert!(!tap.is_full(10));
    assert!(!tap.is_full(10 + 5 * STALL_NS), "nothing waits");
    let now = 10 + 5 * STALL_NS;
    tap.push(record());
    assert!(!tap.is_full(now + STALL_NS));
    assert!(tap.is_full(now + STALL_NS + 1));
    progress.appended.store(1, Ordering::Release);
    assert!(!tap.is_full(now + STALL_NS + 2), "it came on");
}

/// Goal: a failed write and a dead thread are for good. Method: set the one, drop the other.
#[test]
fn failure_latches() {
    let (mut failing, _ring, progress) = tap(1000, 10);
    assert!(!failing.is_full(1));
    progress.failed.store(true, Ordering::Release);
    assert!(failing.is_full(2));
    let (mut dead, ring, _) = tap(1000, 10);
    drop(ring);
    assert!(dead.is_full(1));
}

/// A small engine with the shipped rules whose log is heard.
fn heard() -> (crate::sequencer::Sequencer, rtrb::Consumer<Words>) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/engine.toml");
    let config = crate::config::Config::load(&folder).unwrap();
    let mut small = config.engine.clone();
    small.capacity = crate::config::Capacity { instruments: 2, ..crate::config::Capacity::SMALL };
    let engine = Engine::new(&config.with_engine(small)).unwrap();
    let (tap, ring, _) = tap(1000, 10);
    let mut sequencer = crate::sequencer::Sequencer::new(engine, None);
    sequencer.audit = Some(tap);
    (sequencer, ring)
}

/// Goal: what a basket was announced to be, what was said to it and how it was over is recorded. Method: one that the shipped
/// limits allow, and one a unit beyond; then the engine starts anew.
#[test]
fn baskets_are_recorded() {
    let (mut sequencer, mut ring) = heard();
    let account = sequencer.engine.account(Symbol::new("agent").unwrap()).unwrap();
    let most = 250_000 * 1_000_000_000_000;
    for (number, money) in [(8, most + 1), (7, most)] {
        let announced = Announced { number, legs: 2, money: model::Money(money) };
        let (origin, note) = (Origin::File, Note::lossy("why"));
        let request = Request { id: 5, origin, account, ask: Ask::Basket(announced), note };
        sequencer.input(model::Ts(1), Body::Request(request), &mut ());
    }
    sequencer.input(model::Ts(1), Body::Control(Control::Restarted { epoch: 2 }), &mut ());
    let mut records = std::iter::from_fn(|| ring.pop().ok())
        .map(|words| AuditRecord::from_words(&words).unwrap());
    let [asked, refused] = std::array::from_fn(|_| records.next().unwrap());
    assert_eq!((asked.kind, asked.bits, asked.qty, asked.aux), (AuditKind::Basket, 8, Qty(2), 5));
    assert_eq!((asked.actor, asked.reached.limit), (Actor::Origin(Origin::File), most + 1));
    assert_eq!(refused.reason(), Some(Reject::Basket));
    assert_eq!(refused.reached, Reached { limit: most, used: most + 1 });
    assert_eq!(records.next().unwrap().bits, 7);
    let end = records.next().unwrap();
    assert_eq!((end.kind, end.code), (AuditKind::BasketEnd, model::BasketEnd::AskerGone.code()));
    assert_eq!((end.account, end.aux, end.qty), (account, 7, Qty(0)));
    assert!(records.next().is_none());
}

/// Goal: an approval is recorded with who and why, and what of it the engine refused. Method: one of an order that does not wait.
#[test]
fn approvals_are_recorded() {
    let (mut sequencer, mut ring) = heard();
    let (operator, note) = (OperatorName::new("ann").unwrap(), Note::lossy("why"));
    let control = Control::Approve { number: 7, for_ns: 9, operator, note };
    sequencer.input(model::Ts(1), Body::Control(control), &mut ());
    let record = AuditRecord::from_words(&ring.pop().unwrap()).unwrap();
    assert_eq!((record.kind, record.actor), (AuditKind::Approve, Actor::Operator));
    assert_eq!((record.aux, record.bits, record.note), (7, 9, note));
    assert_eq!(record.name.as_str(), "ann");
    assert_eq!(record.code, model::ResumeRefusal::UnknownScope.code());
}

/// Goal: limits that come into force are recorded with who and why, and every record from there on is stamped with them.
/// Method: a reload of an operator's, and one of a start; then anything.
#[test]
fn limits_are_recorded() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/engine.toml");
    let config = crate::config::Config::load(&folder).unwrap();
    let mut small = config.engine.clone();
    small.capacity = crate::config::Capacity { instruments: 2, ..crate::config::Capacity::SMALL };
    let mut config = config.with_engine(small);
    let engine = Engine::new(&config).unwrap();
    let (tap, mut ring, _) = tap(1000, 10);
    let mut sequencer = crate::sequencer::Sequencer::new(engine, None);
    sequencer.audit = Some(tap);
    let ann = OperatorName::new("ann").unwrap();
    for (operator, actor) in [(ann, Actor::Operator), (OperatorName::default(), Actor::Engine)] {
        let version = sequencer.engine.limits_version();
        let text = format!("{}\n# {version}\n", config.limits_text());
        let prepared = crate::step::prepare(&config, version, &text).unwrap();
        let control = prepared.rules.control(operator, Note::lossy("why"));
        let now = sequencer.engine.now();
        assert!(sequencer.limits(now, prepared.rules, control, &mut ()).unwrap().is_some());
        config = prepared.config;
        let record = AuditRecord::from_words(&ring.pop().unwrap()).unwrap();
        let digest = config.digest();
        assert_eq!((record.kind, record.actor), (AuditKind::Limits, actor));
        assert_eq!((record.aux, record.limits_version), (digest, digest));
        assert_eq!((record.bits, record.note), (u64::from(version) + 1, Note::lossy("why")));
        assert_eq!(record.name.as_str(), operator.as_str());
        sequencer.input(now, Body::Control(Control::DeskClosed(model::DeskId(1))), &mut ());
        let next = AuditRecord::from_words(&ring.pop().unwrap()).unwrap();
        assert_eq!((next.kind, next.limits_version), (AuditKind::Disconnect, digest));
    }
}
