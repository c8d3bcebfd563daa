use super::*;
use crate::InstrumentId;

/// Goal: each control survives its words. Method: one of each, halts of every kind of scope.
#[test]
fn control_words_read_back() {
    let operator = OperatorName::new("0123456789abcdef").unwrap();
    let note = Note::lossy("thirty-two characters of a note!");
    let why = Why { cause: HaltCause::VenueSession, operator, note };
    let symbol = Symbol::new("BTC-USD").unwrap();
    let level = HaltLevel::CancelOnly;
    let scopes = [
        HaltScope::All,
        HaltScope::Account(AccountId(9)),
        HaltScope::Instrument(InstrumentId(u32::MAX)),
        HaltScope::Strategy(255),
        HaltScope::Desk(DeskId(15)),
    ];
    let halts = scopes.map(|scope| Control::Halt { scope, level, why });
    let resumes = scopes.map(|scope| Control::Resume { scope, level, operator, note });
    let rest = [
        Control::Halt { scope: HaltScope::All, level, why: Why::of(HaltCause::Clock) },
        Control::HaltSymbol { symbol, level, why },
        Control::ResumeSymbol { symbol, level, operator, note },
        Control::JournalFull(true),
        Control::DeskClosed(DeskId(15)),
        Control::Restarted { epoch: OrderId::EPOCH_MAX },
        Control::AuditFull(true),
        Control::VenueSession(true),
        Control::ReconcileBegin,
        Control::Stopping,
        Control::ReconcileEnd { round: 7, orders: u32::MAX },
        Control::Limits { version: u32::MAX, digest: [1, u64::MAX], operator, note },
        Control::Rate {
            from: *b"EUR\0\0\0\0\0",
            to: *b"USD\0\0\0\0\0",
            num: 10_842,
            den: u64::MAX,
            at: Ts(7),
            operator,
            note,
        },
        Control::Split { symbol, num: 3, den: u32::MAX, operator, note },
        Control::Approve { number: u32::MAX, for_ns: DAY_NS, operator, note },
        Control::ClockUnsafe(true),
        Control::DeskSilent { desk: DeskId(255), account: AccountId(u16::MAX) },
        Control::Credit {
            account: AccountId(u16::MAX),
            limit: CreditKind::Executions,
            to: i128::MAX,
            version: u32::MAX,
        },
    ];
    for control in halts.into_iter().chain(resumes).chain(rest) {
        assert_eq!(Control::from_words(&control.to_words()), Ok(control));
    }
}

/// Goal: no illegal word passes, and it is named. Method: spoil one word of a halt and of a small control.
#[test]
fn bad_words_are_named() {
    let (level, operator) = (HaltLevel::Halted, OperatorName::default());
    let halt = Control::Halt { scope: HaltScope::All, level, why: Why::of(HaltCause::Human) };
    let spoiled = |of: Control, word: usize, value: u64| {
        let mut words = of.to_words();
        words[word] = value;
        Control::from_words(&words)
    };
    for (word, value) in [(0, 9), (0, 0x0101), (1, 7), (2, 1), (4, 1), (8, 1), (11, 1)] {
        assert_eq!(spoiled(halt, word, value), Err(BadWord(word as u8)), "{word} {value}");
    }
    for (word, value) in [(0, 0x0102), (1, 2), (2, 1), (8, 1)] {
        let bad = spoiled(Control::JournalFull(true), word, value);
        assert_eq!(bad, Err(BadWord(word as u8)), "{word} {value}");
    }
    let (symbol, note) = (Symbol::new("A").unwrap(), Note::default());
    let split = Control::Split { symbol, num: 2, den: 1, operator, note };
    for (word, value) in [(1, 0), (4, 0xFF), (7, 1), (10, 1), (11, 1)] {
        assert!(spoiled(split, word, value).is_err(), "{word} {value}");
    }
    let note = Note::default();
    let approve = Control::Approve { number: 1, for_ns: 1, operator, note };
    for (word, value) in [(0, 30), (1, 0), (1, DAY_NS + 1), (8, 1)] {
        let bad = spoiled(approve, word, value);
        assert_eq!(bad, Err(BadWord(word as u8)), "{word} {value}");
    }
    for (of, value) in [
        (Control::ClockUnsafe(true), 2),
        (Control::VenueSession(true), 2),
        (Control::Stopping, 1),
        (Control::DeskSilent { desk: DeskId(0), account: AccountId(0) }, 1 << 24),
    ] {
        assert_eq!(spoiled(of, 1, value), Err(BadWord(1)), "{of:?}");
        assert_eq!(spoiled(of, 3, 1), Err(BadWord(3)), "{of:?}");
    }
    let (account, limit) = (AccountId(1), CreditKind::Gross);
    let credit = Control::Credit { account, limit, to: 7, version: 1 };
    for (word, value) in
        [(0, 31), (1, 1), (1, 1 << 32 | 1 << 16), (1, 9 << 32), (3, 1 << 63), (4, 1), (11, 1)]
    {
        assert_eq!(spoiled(credit, word, value), Err(BadWord(word as u8)), "{word} {value}");
    }
    let restarted = Control::Restarted { epoch: 1 };
    assert!(spoiled(restarted, 1, u64::from(OrderId::EPOCH_MAX) + 1).is_err());
    assert!(spoiled(restarted, 0, 9).is_err());
    let (operator, note) = (OperatorName::default(), Note::default());
    let limits = Control::Limits { version: 1, digest: [2, 3], operator, note };
    for (word, value) in [(0, 10), (0, 1 << 32 | 0x010A), (4, 1), (8, 1), (11, 1)] {
        assert_eq!(spoiled(limits, word, value), Err(BadWord(word as u8)), "{word} {value}");
    }
}
