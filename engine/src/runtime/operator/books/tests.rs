use super::super::tests::{Rig, passphrase};
use super::*;
use switch::{Passphrase, Request};

fn rate(num: u64) -> Entry {
    Entry::Rate { from: "EUR".into(), to: "USD".into(), num, den: 10_000, at_ns: 7 }
}

fn by_ann(entry: Entry) -> Books {
    let (operator, reason) = ("ann".into(), "fixing".into());
    Books { entry, dry_run: false, operator, reason, passphrase: Some(passphrase()) }
}

fn code(rig: &mut Rig, books: Books, stalled: bool) -> String {
    match rig.hears(Request::Books(books), stalled) {
        Some(Answer::Refused(refusal)) => refusal.code,
        other => format!("{other:?}"),
    }
}

/// Goal: only a named operator with the right passphrase and a reason changes the books; every refusal has its code and hands
/// nothing over; what is handed over says who and why. Method: each way to fail, then one rate and one split.
#[test]
fn who_may_change_the_books() {
    let mut rig = Rig::new();
    let unnamed = Books { operator: String::new(), ..by_ann(rate(1)) };
    assert_eq!(code(&mut rig, unnamed, false), "bad_operator");
    let unsaid = Books { reason: " ".into(), ..by_ann(rate(1)) };
    assert_eq!(code(&mut rig, unsaid, false), "no_reason");
    let untyped = Books { passphrase: None, ..by_ann(rate(1)) };
    assert_eq!(code(&mut rig, untyped, false), "no_passphrase");
    let wrong = Books { passphrase: Some(Passphrase::new("wrong".into())), ..by_ann(rate(1)) };
    assert_eq!(code(&mut rig, wrong, false), "wrong_passphrase");
    assert_eq!(code(&mut rig, by_ann(rate(1)), true), "stalled");
    for from in ["", "EU R", "EURODOLLAR", "€"] {
        let Entry::Rate { to, num, den, at_ns, .. } = rate(1) else { panic!() };
        let entry = Entry::Rate { from: from.into(), to, num, den, at_ns };
        assert_eq!(code(&mut rig, by_ann(entry), false), "unknown_pair", "{from}");
    }
    for symbol in ["", "a symbol of more than sixteen"] {
        let entry = Entry::Split { symbol: symbol.into(), num: 2, den: 1 };
        assert_eq!(code(&mut rig, by_ann(entry), false), "unknown_symbol", "{symbol}");
    }
    assert!(rig.outbox.unsent.is_empty());

    assert!(rig.hears(Request::Books(by_ann(rate(10_842))), false).is_none());
    let (operator, note) = (OperatorName::new("ann").unwrap(), Note::lossy("fixing"));
    let (from, to) = (*b"EUR\0\0\0\0\0", *b"USD\0\0\0\0\0");
    let (num, den, at) = (10_842, 10_000, Ts(7));
    let (control, waiting) = rig.outbox.unsent.pop_front().unwrap();
    assert_eq!(control, Control::Rate { from, to, num, den, at, operator, note });
    assert!(!waiting.unwrap().is_trial());
    let split = Entry::Split { symbol: "AAPL".into(), num: 4, den: 1 };
    assert!(rig.hears(Request::Books(by_ann(split)), false).is_none());
    let (control, _) = rig.outbox.unsent.pop_front().unwrap();
    let symbol = Symbol::new("AAPL").unwrap();
    assert_eq!(control, Control::Split { symbol, num: 4, den: 1, operator, note });
}

/// Goal: a dry run takes nobody's word and makes no input; it is answered with what the engine thread says of it, as is what is
/// refused. Method: the engine thread's words by hand.
#[test]
fn what_is_told_of_it() {
    let mut rig = Rig::new();
    let dry = Books { dry_run: true, passphrase: None, operator: String::new(), ..by_ann(rate(1)) };
    assert!(rig.hears(Request::Books(dry), false).is_none());
    let (_, waiting) = rig.outbox.unsent.pop_front().unwrap();
    let waiting = waiting.unwrap();
    assert!(waiting.is_trial());
    rig.desk.booked(waiting, 9, Err(BooksRefusal::NotLater), Instant::now());
    assert!(rig.desk.done.is_empty(), "there is no input to wait for");

    let before = Some(risk::Rate { num: 3, den: 2, at: Ts(5) });
    let known = Booked { before, accounts: 2, ..Booked::default() };
    let of = |outcome| Booking { entry: rate(1), is_trial: false, outcome: Some(outcome) };
    let Answer::Booked(told) = of(Ok(known)).answer(Some(9), true) else { panic!() };
    assert_eq!((told.engine_seq, told.recorded, told.accounts), (Some(9), true, 2));
    assert_eq!(told.before, Some(RateBefore { num: 3, den: 2, at_ns: 5 }));
    for refusal in BooksRefusal::ALL {
        let Answer::Refused(told) = of(Err(*refusal)).answer(Some(9), true) else { panic!() };
        assert_eq!(told.code, refusal.name());
    }
}
