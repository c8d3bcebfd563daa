//! Everything that may enter the deterministic core.

use crate::event::Event;
use crate::id::{AccountId, DeskId, Note, OperatorName, OrderId, Symbol};
use crate::instrument::Currency;
use crate::num::Ts;
use crate::report::Report;
use crate::request::{HaltScope, Request};
use crate::state::{HaltCause, HaltLevel};
use crate::words::{BadWord, WordReader, WordWriter};

/// Why something was halted, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Why {
    /// What kind of reason.
    pub cause: HaltCause,
    /// Which operator; none if it was not one.
    pub operator: OperatorName,
    /// In words.
    pub note: Note,
}

/// A change from outside the core that can alter a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// The operator or a watchdog raises a level. A level that stands already is left as it is, with its reason.
    Halt {
        /// What is meant.
        scope: HaltScope,
        /// How hard.
        level: HaltLevel,
        /// Why.
        why: Why,
    },
    /// The same for every instrument of this symbol, listed or still to be listed.
    HaltSymbol {
        /// Which.
        symbol: Symbol,
        /// How hard.
        level: HaltLevel,
        /// Why.
        why: Why,
    },
    /// The operator lowers a level. Refused with a [`crate::ResumeRefusal`] unless all preconditions hold; never
    /// restores a cancelled order.
    Resume {
        /// What is meant.
        scope: HaltScope,
        /// The new level.
        level: HaltLevel,
        /// Who.
        operator: OperatorName,
        /// Why.
        note: Note,
    },
    /// The same for every instrument of this symbol.
    ResumeSymbol {
        /// Which.
        symbol: Symbol,
        /// The new level.
        level: HaltLevel,
        /// Who.
        operator: OperatorName,
        /// Why.
        note: Note,
    },
    /// The journal can or cannot take more; while it cannot, new orders are refused.
    JournalFull(bool),
    /// The audit log can or cannot take more; while it cannot, new orders are refused.
    AuditFull(bool),
    /// The session with the venue is there or gone. Gone: where its orders stand is in doubt, and nothing new is sent until
    /// they are reconciled.
    VenueSession(bool),
    /// The venue begins to say where all its orders of ours stand; nothing new is sent until it is through.
    ReconcileBegin,
    /// It is through, and restated so many orders as part of it. If those are not as many as were heard, it has to begin again;
    /// else what is open here and was not spoken of does not exist there.
    ReconcileEnd {
        /// Which one: its number, as the venue was asked.
        round: u32,
        /// How many orders.
        orders: u32,
    },
    /// A client is gone: its working orders are cancelled.
    DeskClosed(DeskId),
    /// What one unit of a currency is worth in another, from here on: `num / den`.
    Rate {
        /// Of what.
        from: Currency,
        /// In what.
        to: Currency,
        /// Units of `to` …
        num: u64,
        /// … for so many units of `from`.
        den: u64,
        /// When somebody was ready to change at it.
        at: Ts,
        /// Who says so.
        operator: OperatorName,
        /// Why.
        note: Note,
    },
    /// Every instrument of this symbol is split: `num` new units for `den` old ones. Refused with a
    /// [`crate::BooksRefusal`] unless every position stays whole.
    Split {
        /// Which.
        symbol: Symbol,
        /// New units.
        num: u32,
        /// Old units.
        den: u32,
        /// Who says so.
        operator: OperatorName,
        /// Why.
        note: Note,
    },
    /// The engine was started again on this journal; every desk of the run before is gone.
    Restarted {
        /// The epoch that begins, at most [`OrderId::EPOCH_MAX`]: orders from here on carry it.
        epoch: u32,
    },
    /// Other limits hold from the next order on. Their text stands in the journal as a record of its own, before this.
    Limits {
        /// How manieth limits of the journal, from 1, which are those that it begins with.
        version: u32,
        /// First 128 bits of the BLAKE3 of their text.
        digest: [u64; 2],
        /// Who; none where nothing became looser and nobody gave a name, or at a start.
        operator: OperatorName,
        /// Why.
        note: Note,
    },
    /// The wall clock can no longer be believed, or can again: it stepped against the monotonic one, or nobody steers it.
    ClockUnsafe(bool),
    /// A client whose orders work on an account that wants to hear of it neither asked nor beat for as long as that
    /// account allows.
    DeskSilent {
        /// Who.
        desk: DeskId,
        /// On which account.
        account: AccountId,
    },
}

impl Why {
    /// A reason that no person gave.
    pub fn of(cause: HaltCause) -> Why {
        Why { cause, operator: OperatorName::default(), note: Note::default() }
    }
}

/// What an input says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// A venue's message.
    Event(Event),
    /// A client's request.
    Request(Request),
    /// A venue's report on an order of ours.
    Report(Report),
    /// A change from outside.
    Control(Control),
    /// Time passed without anything else.
    Timer,
}

/// One step of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// Number of the input, from 1 without a hole: the truth about order.
    pub seq: u64,
    /// Receive time, never earlier than that of the input before. In a replay the recorded one, else venue time.
    pub now: Ts,
    /// What it says.
    pub body: Body,
}

/// Codes of what changes the books.
const RATE: u8 = 13;
const SPLIT: u8 = 14;

impl Control {
    /// Words of a control.
    pub const WORDS: usize = 12;

    /// The control as words.
    pub fn to_words(&self) -> [u64; Self::WORDS] {
        let mut words = [0; Self::WORDS];
        let mut to = WordWriter::new(&mut words);
        let mut small = |code: u8, number: u64| {
            to.u64(code.into());
            to.u64(number);
        };
        match *self {
            Control::Halt { scope, level, why } => write_halt(&mut to, 1, scope, level, why),
            Control::HaltSymbol { symbol, level, why } => {
                write_symbol(&mut to, 5, symbol, level, why)
            }
            // What a resume is for needs no cause: it is always a person.
            Control::Resume { scope, level, operator, note } => {
                let why = Why { cause: HaltCause::Human, operator, note };
                write_halt(&mut to, 6, scope, level, why);
            }
            Control::ResumeSymbol { symbol, level, operator, note } => {
                let why = Why { cause: HaltCause::Human, operator, note };
                write_symbol(&mut to, 7, symbol, level, why);
            }
            Control::Rate { from, to: into, num, den, at, operator, note } => {
                to.u64(RATE.into());
                to.bytes(from);
                to.bytes(into);
                [num, den, at.0].into_iter().for_each(|word| to.u64(word));
                write_who(&mut to, Why { operator, note, ..Why::of(HaltCause::Human) });
            }
            Control::Split { symbol, num, den, operator, note } => {
                to.u64(SPLIT.into());
                symbol.to_words().into_iter().for_each(|word| to.u64(word));
                to.pair(num, den);
                write_who(&mut to, Why { operator, note, ..Why::of(HaltCause::Human) });
            }
            Control::JournalFull(full) => small(2, full.into()),
            Control::DeskClosed(desk) => small(3, desk.0.into()),
            Control::Restarted { epoch } => small(4, epoch.into()),
            Control::AuditFull(full) => small(8, full.into()),
            Control::VenueSession(up) => small(17, up.into()),
            Control::ReconcileBegin => small(20, 0),
            Control::ReconcileEnd { round, orders } => {
                small(21, u64::from(round) << 32 | u64::from(orders))
            }
            Control::Limits { version, digest, operator, note } => {
                to.pair(10, version);
                digest.into_iter().for_each(|word| to.u64(word));
                write_who(&mut to, Why { operator, note, ..Why::of(HaltCause::Human) });
            }
            Control::ClockUnsafe(is) => small(16, is.into()),
            Control::DeskSilent { desk, account } => {
                small(18, u64::from(account.0) << 8 | u64::from(desk.0));
            }
        }
        words
    }

    /// Reads words back.
    ///
    /// # Errors
    ///
    /// [`crate::BadWord`] names the word that holds no legal value.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<Control, BadWord> {
        let [head, number, rest @ ..] = *words;
        if head as u32 == 10 {
            return read_limits(words);
        }
        let [code, kind, level, cause, 0, 0, 0, 0] = head.to_le_bytes() else {
            return Err(BadWord(0));
        };
        if head == u64::from(RATE) || head == u64::from(SPLIT) {
            return read_books(words);
        }
        if !matches!(code, 1 | 5..=7) {
            if let Some(place) = rest.iter().position(|word| *word != 0) {
                return Err(BadWord(2 + place as u8));
            }
            return match (head, u32::try_from(number)) {
                (2, Ok(full @ (0 | 1))) => Ok(Control::JournalFull(full == 1)),
                (3, Ok(desk @ 0..=0xFF)) => Ok(Control::DeskClosed(DeskId(desk as u8))),
                (4, Ok(epoch @ 0..=OrderId::EPOCH_MAX)) => Ok(Control::Restarted { epoch }),
                (8, Ok(full @ (0 | 1))) => Ok(Control::AuditFull(full == 1)),
                (17, Ok(up @ (0 | 1))) => Ok(Control::VenueSession(up == 1)),
                (20, Ok(0)) => Ok(Control::ReconcileBegin),
                (21, _) => {
                    let (round, orders) = ((number >> 32) as u32, number as u32);
                    Ok(Control::ReconcileEnd { round, orders })
                }
                (16, Ok(is @ (0 | 1))) => Ok(Control::ClockUnsafe(is == 1)),
                (18, Ok(word @ 0..=0xFF_FFFF)) => {
                    let (desk, account) = (DeskId(word as u8), AccountId((word >> 8) as u16));
                    Ok(Control::DeskSilent { desk, account })
                }
                (2..=4 | 8 | 16..=18 | 20, _) => Err(BadWord(1)),
                _ => Err(BadWord(0)),
            };
        }
        let mut from = WordReader::new(words);
        from.u64();
        let target = [from.u64(), from.u64()];
        let (operator, note) = read_who(&mut from)?;
        read_rest(from, 3)?;
        let level = HaltLevel::from_code(level).ok_or(BadWord(0))?;
        let cause = HaltCause::from_code(cause).ok_or(BadWord(0))?;
        let why = Why { cause, operator, note };
        if matches!(code, 1 | 6) {
            let [number, 0] = target else { return Err(BadWord(2)) };
            let number = u32::try_from(number).map_err(|_| BadWord(1))?;
            let scope = HaltScope::from_parts(kind, number).ok_or(BadWord(1))?;
            return Ok(match code {
                1 => Control::Halt { scope, level, why },
                _ => Control::Resume { scope, level, operator, note },
            });
        }
        let symbol = Symbol::from_words(target).filter(|symbol| !symbol.as_str().is_empty());
        let symbol = symbol.filter(|_| kind == 0).ok_or(BadWord(1))?;
        Ok(match code {
            5 => Control::HaltSymbol { symbol, level, why },
            _ => Control::ResumeSymbol { symbol, level, operator, note },
        })
    }
}

fn read_limits(words: &[u64; Control::WORDS]) -> Result<Control, BadWord> {
    let mut from = WordReader::new(words);
    let (_, version) = from.pair();
    from.legal((version > 0).then_some(()))?;
    let digest = [from.u64(), from.u64()];
    let (operator, note) = read_who(&mut from)?;
    read_rest(from, 3)?;
    Ok(Control::Limits { version, digest, operator, note })
}

/// Reads a rate or a split back.
fn read_books(words: &[u64; Control::WORDS]) -> Result<Control, BadWord> {
    let mut from = WordReader::new(words);
    if from.u64() == u64::from(RATE) {
        let [of, to] = [from.bytes(), from.bytes()];
        let [num, den, at] = core::array::from_fn(|_| from.u64());
        let (operator, note) = read_who(&mut from)?;
        return Ok(Control::Rate { from: of, to, num, den, at: Ts(at), operator, note });
    }
    let symbol = Symbol::from_words([from.u64(), from.u64()]);
    let symbol = from.legal(symbol.filter(|symbol| !symbol.as_str().is_empty()))?;
    let (num, den) = from.pair();
    let (operator, note) = read_who(&mut from)?;
    read_rest(from, 2)?;
    Ok(Control::Split { symbol, num, den, operator, note })
}

fn read_who(from: &mut WordReader<'_>) -> Result<(OperatorName, Note), BadWord> {
    let operator = OperatorName::from_words([from.u64(), from.u64()]);
    let operator = from.legal(operator)?;
    let note = Note::from_words(core::array::from_fn(|_| from.u64()));
    Ok((operator, from.legal(note)?))
}

/// The last `count` words, which say nothing.
fn read_rest(mut from: WordReader<'_>, count: usize) -> Result<(), BadWord> {
    (0..count).try_for_each(|_| {
        let rest = from.u64();
        from.legal((rest == 0).then_some(()))
    })
}

fn write_halt(to: &mut WordWriter<'_>, code: u8, scope: HaltScope, level: HaltLevel, why: Why) {
    let (kind, number) = scope.to_parts();
    to.bytes([code, kind, level.code(), why.cause.code(), 0, 0, 0, 0]);
    to.u64(number.into());
    to.u64(0);
    write_who(to, why);
}

fn write_symbol(to: &mut WordWriter<'_>, code: u8, symbol: Symbol, level: HaltLevel, why: Why) {
    to.bytes([code, 0, level.code(), why.cause.code(), 0, 0, 0, 0]);
    symbol.to_words().into_iter().for_each(|word| to.u64(word));
    write_who(to, why);
}

fn write_who(to: &mut WordWriter<'_>, why: Why) {
    why.operator.to_words().into_iter().for_each(|word| to.u64(word));
    why.note.to_words().into_iter().for_each(|word| to.u64(word));
}

#[cfg(test)]
mod tests {
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
            Control::ClockUnsafe(true),
            Control::DeskSilent { desk: DeskId(255), account: AccountId(u16::MAX) },
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
        for (of, value) in [
            (Control::ClockUnsafe(true), 2),
            (Control::VenueSession(true), 2),
            (Control::DeskSilent { desk: DeskId(0), account: AccountId(0) }, 1 << 24),
        ] {
            assert_eq!(spoiled(of, 1, value), Err(BadWord(1)), "{of:?}");
            assert_eq!(spoiled(of, 3, 1), Err(BadWord(3)), "{of:?}");
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
}
