//! Everything that may enter the deterministic core.

use crate::event::Event;
use crate::id::DeskId;
use crate::num::Ts;
use crate::report::Report;
use crate::request::{HaltScope, Request};
use crate::state::HaltLevel;

/// A change from outside the core that can alter a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// The operator or a watchdog sets a halt level; unlike a request it may also lower it.
    Halt {
        /// What is meant.
        scope: HaltScope,
        /// The new level.
        level: HaltLevel,
    },
    /// The journal can or cannot take more; while it cannot, new orders are refused.
    JournalFull(bool),
    /// A client is gone: its working orders are cancelled.
    DeskClosed(DeskId),
    /// The engine was started again on this journal; every desk of the run before is gone.
    Restarted {
        /// The epoch that begins, at most [`crate::OrderId::EPOCH_MAX`]: orders from here on carry it.
        epoch: u32,
    },
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

impl Control {
    /// Words of a control.
    pub const WORDS: usize = 2;

    /// The control as words.
    pub fn to_words(&self) -> [u64; Self::WORDS] {
        match *self {
            Control::Halt { scope, level } => {
                let (code, number) = match scope {
                    HaltScope::All => (1, 0),
                    HaltScope::Account(account) => (2, u64::from(account.0)),
                    HaltScope::Instrument(instrument) => (3, u64::from(instrument.0)),
                };
                [u64::from_le_bytes([1, code, level.code(), 0, 0, 0, 0, 0]), number]
            }
            Control::JournalFull(full) => [2, full.into()],
            Control::DeskClosed(desk) => [3, desk.0.into()],
            Control::Restarted { epoch } => [4, epoch.into()],
        }
    }

    /// Reads words back.
    ///
    /// # Errors
    ///
    /// [`crate::BadWord`] names the word that holds no legal value.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<Control, crate::BadWord> {
        use crate::{AccountId, BadWord, InstrumentId};
        let [head, number] = *words;
        let small = u8::try_from(number).map_err(|_| BadWord(1));
        match head.to_le_bytes() {
            [1, code, level, 0, 0, 0, 0, 0] => {
                let level = HaltLevel::from_code(level).ok_or(BadWord(0))?;
                let number = u32::try_from(number).map_err(|_| BadWord(1))?;
                let scope = match code {
                    1 => HaltScope::All,
                    2 => HaltScope::Account(AccountId(
                        u16::try_from(number).map_err(|_| BadWord(1))?,
                    )),
                    3 => HaltScope::Instrument(InstrumentId(number)),
                    _ => return Err(BadWord(0)),
                };
                Ok(Control::Halt { scope, level })
            }
            [2, 0, 0, 0, 0, 0, 0, 0] if number < 2 => Ok(Control::JournalFull(number == 1)),
            [3, 0, 0, 0, 0, 0, 0, 0] => Ok(Control::DeskClosed(DeskId(small?))),
            [4, 0, 0, 0, 0, 0, 0, 0] if number <= crate::OrderId::EPOCH_MAX.into() => {
                Ok(Control::Restarted { epoch: number as u32 })
            }
            _ => Err(BadWord(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountId, InstrumentId};

    /// Goal: each control survives its words. Method: one of each.
    #[test]
    fn control_words_read_back() {
        for control in [
            Control::Halt { scope: HaltScope::All, level: HaltLevel::Halted },
            Control::Halt { scope: HaltScope::Account(AccountId(9)), level: HaltLevel::Active },
            Control::Halt {
                scope: HaltScope::Instrument(InstrumentId(9)),
                level: HaltLevel::ReduceOnly,
            },
            Control::JournalFull(true),
            Control::DeskClosed(DeskId(15)),
            Control::Restarted { epoch: crate::OrderId::EPOCH_MAX },
        ] {
            assert_eq!(Control::from_words(&control.to_words()), Ok(control));
        }
        assert!(Control::from_words(&[9, 0]).is_err());
        assert!(Control::from_words(&[2, 2]).is_err());
        assert!(Control::from_words(&[4, u64::from(crate::OrderId::EPOCH_MAX) + 1]).is_err());
    }
}
