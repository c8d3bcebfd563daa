//! Everything that may enter the deterministic core.

use crate::event::Event;
use crate::id::{AccountId, DeskId, Note, OperatorName, OrderId, Symbol};
use crate::instrument::Currency;
use crate::num::{DAY_NS, Ts};
use crate::report::Report;
use crate::request::{HaltScope, Request};
use crate::state::{CreditKind, HaltCause, HaltLevel};
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
    /// The engine was asked to stop: nothing new passes until it is started again, and what is open is cancelled. Said again
    /// where a venue refused a cancel.
    Stopping,
    /// The engine was started again on this journal; every desk of the run before is gone.
    Restarted {
        /// The epoch that begins, at most [`OrderId::EPOCH_MAX`]: orders from here on carry it.
        epoch: u32,
    },
    /// Other limits hold from the next order on. Their text stands in the journal as a record of its own, before this.
    Limits {
        /// Version of the limits within this journal, from 1, which are those that it begins with.
        version: u32,
        /// First 128 bits of the BLAKE3 of their text.
        digest: [u64; 2],
        /// Who; none where nothing became looser and nobody gave a name, or at a start.
        operator: OperatorName,
        /// Why.
        note: Note,
    },
    /// An order that was refused for a soft limit alone may come once more, and pass if nothing else refuses it.
    Approve {
        /// The number that its refusal named.
        number: u32,
        /// For how long, nanoseconds of engine time; 1 to [`Control::APPROVAL_NS_MAX`].
        for_ns: u64,
        /// Who.
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
    /// An engine that shares an account's limits with others has another slice of one. More is taken as it is, less only down to
    /// what is used when it is stepped.
    Credit {
        /// Whose.
        account: AccountId,
        /// Of which limit.
        limit: CreditKind,
        /// The whole slice, in units of [`crate::Money`] or a number; not negative.
        to: i128,
        /// Version, within this journal, of the limits that it is a slice of, from 1: under others it changes nothing.
        version: u32,
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

/// Codes of what is an operator's alone.
const LIMITS: u8 = 10;
const APPROVE: u8 = 30;
/// Code of a slice of a limit.
const CREDIT: u8 = 31;
/// Codes of what changes the books.
const RATE: u8 = 13;
const SPLIT: u8 = 14;

impl Control {
    /// Words of a control.
    pub const WORDS: usize = 12;
    /// Longest time for which an order can be approved: an approval is for the moment (RTS 6, article 15(6)).
    pub const APPROVAL_NS_MAX: u64 = DAY_NS;

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
            Control::Stopping => small(22, 0),
            Control::ReconcileEnd { round, orders } => {
                small(21, u64::from(round) << 32 | u64::from(orders))
            }
            Control::Limits { version, digest, operator, note } => {
                to.pair(LIMITS.into(), version);
                digest.into_iter().for_each(|word| to.u64(word));
                write_who(&mut to, Why { operator, note, ..Why::of(HaltCause::Human) });
            }
            Control::Approve { number, for_ns, operator, note } => {
                to.pair(APPROVE.into(), number);
                to.u64(for_ns);
                write_who(&mut to, Why { operator, note, ..Why::of(HaltCause::Human) });
            }
            Control::Credit { account, limit, to: slice, version } => {
                to.pair(CREDIT.into(), version);
                to.pair(account.0.into(), limit.code().into());
                to.i128(slice);
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
        if head as u32 == u32::from(LIMITS) {
            return read_limits(words);
        }
        if head as u32 == u32::from(CREDIT) {
            return read_credit(words);
        }
        if head as u32 == u32::from(APPROVE) {
            return read_approval(words);
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
                (22, Ok(0)) => Ok(Control::Stopping),
                (21, _) => {
                    let (round, orders) = ((number >> 32) as u32, number as u32);
                    Ok(Control::ReconcileEnd { round, orders })
                }
                (16, Ok(is @ (0 | 1))) => Ok(Control::ClockUnsafe(is == 1)),
                (18, Ok(word @ 0..=0xFF_FFFF)) => {
                    let (desk, account) = (DeskId(word as u8), AccountId((word >> 8) as u16));
                    Ok(Control::DeskSilent { desk, account })
                }
                (2..=4 | 8 | 16..=18 | 20 | 22, _) => Err(BadWord(1)),
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

fn read_approval(words: &[u64; Control::WORDS]) -> Result<Control, BadWord> {
    let mut from = WordReader::new(words);
    let (_, number) = from.pair();
    from.legal((number > 0).then_some(()))?;
    let for_ns = from.u64();
    from.legal((1..=Control::APPROVAL_NS_MAX).contains(&for_ns).then_some(()))?;
    let operator = OperatorName::from_words([from.u64(), from.u64()]);
    let operator = from.legal(operator)?;
    let note = Note::from_words(core::array::from_fn(|_| from.u64()));
    let note = from.legal(note)?;
    let rest = from.u64();
    from.legal((rest == 0).then_some(()))?;
    Ok(Control::Approve { number, for_ns, operator, note })
}

fn read_credit(words: &[u64; Control::WORDS]) -> Result<Control, BadWord> {
    let mut from = WordReader::new(words);
    let (_, version) = from.pair();
    from.legal((version > 0).then_some(()))?;
    let (account, kind) = from.pair();
    let account = from.legal(u16::try_from(account).ok().map(AccountId))?;
    let limit = from.legal(u8::try_from(kind).ok().and_then(CreditKind::from_code))?;
    let to = from.i128();
    from.legal((to >= 0).then_some(()))?;
    read_rest(from, 8)?;
    Ok(Control::Credit { account, limit, to, version })
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
mod tests;
