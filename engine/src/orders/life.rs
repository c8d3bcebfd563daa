//! Where an order stands at its venue, as far as the venue has said: what is asked of it, what was answered, how it ended.
//!
//! The venue's word comes late, twice and out of order. So nothing here is a position in a protocol: each fact is kept by
//! itself, and the state that readers see follows from all of them.

use model::{OrderState, Px, Qty};

/// New terms on their way to the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// Its number among the changes asked of the order.
    pub number: u16,
    /// New limit, in price units.
    pub px: Px,
    /// New total quantity, in quantity units.
    pub qty: Qty,
}

/// What never left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenBack {
    /// A replace.
    Replace,
    /// A cancel.
    Cancel,
}

/// What a restatement told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restated {
    /// Nothing: it is older than what the venue said before.
    Stale,
    /// Where the order stands.
    Known,
    /// That too, and a cancel went down with its session: it has to be asked again.
    CancelLost,
}

/// Whether an order waits in the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Hold {
    /// It went to the venue.
    No,
    /// For its trigger, for the other legs of its basket, or for ever.
    Waiting,
    /// For the end of the order whose place it takes.
    Triggered,
}

/// Why it is not known where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Doubt {
    None,
    /// An answer is overdue.
    Overdue,
    /// The session that would bring answers is gone.
    Session,
}

/// What is known of an order's standing.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize, PartialEq)]
pub struct Life {
    hold: Hold,
    /// How it ends once its cancel is through: why it has to.
    leaving: Option<OrderState>,
    /// Whether the venue has it.
    acked: bool,
    /// Changes asked so far: replaces and cancels.
    asked: u16,
    /// The last change whose outcome is known.
    answered: u16,
    /// The replace on its way.
    replacing: Option<Change>,
    /// The cancel on its way.
    cancelling: Option<u16>,
    /// Whether the venue refused a cancel that is to be asked again in a while.
    cancel_waits: bool,
    doubt: Doubt,
    /// How it ended at the venue. It is open here until the fills that the venue counted have come.
    ended: Option<OrderState>,
    /// How it ended, and nothing more is to come.
    done: Option<OrderState>,
    /// Whether that is only what follows from the venue's not speaking of it.
    is_presumed: bool,
    /// The reconciliation that spoke of it last.
    round: u32,
}

impl Life {
    /// Of an order that was just handed over.
    pub const NEW: Life = Life {
        hold: Hold::No,
        leaving: None,
        acked: false,
        asked: 0,
        answered: 0,
        replacing: None,
        cancelling: None,
        cancel_waits: false,
        doubt: Doubt::None,
        ended: None,
        done: None,
        is_presumed: false,
        round: 0,
    };

    /// Of an order that waits in the engine.
    pub const HELD: Life = Life { hold: Hold::Waiting, ..Life::NEW };

    /// Whether it waits in the engine: no venue knows of it.
    pub fn is_held(&self) -> bool {
        self.hold != Hold::No
    }

    /// Whether it waits for the end of the order whose place it takes.
    pub fn is_triggered(&self) -> bool {
        self.hold == Hold::Triggered
    }

    /// It is triggered, and waits for the end of the order whose place it takes.
    pub fn trigger(&mut self) {
        self.hold = Hold::Triggered;
    }

    /// It goes to the venue.
    pub fn let_go(&mut self) {
        self.hold = Hold::No;
    }

    /// It has to end, whatever becomes of one cancel: it will have ended so.
    pub fn leave(&mut self, state: OrderState) {
        self.leaving = self.leaving.or(Some(state));
    }

    /// How it ends once its cancel is through, if it has to.
    pub fn leaving(&self) -> Option<OrderState> {
        self.leaving
    }

    /// The state that follows from all that is known.
    pub fn state(&self, filled: Qty) -> OrderState {
        match self {
            Life { done: Some(done), .. } => *done,
            Life { hold: Hold::Waiting | Hold::Triggered, .. } => OrderState::Held,
            Life { ended: Some(_), .. } => OrderState::Unknown,
            Life { doubt: Doubt::Overdue | Doubt::Session, .. } => OrderState::Unknown,
            Life { cancelling: Some(_), .. } | Life { cancel_waits: true, .. } => {
                OrderState::PendingCancel
            }
            Life { replacing: Some(_), .. } => OrderState::PendingReplace,
            Life { acked: false, .. } => OrderState::PendingNew,
            _ if filled.0 > 0 => OrderState::PartiallyFilled,
            _ => OrderState::Working,
        }
    }

    /// Whether something that was asked of the venue has no answer.
    fn asks(&self) -> bool {
        !self.acked || self.replacing.is_some() || self.cancelling.is_some()
    }

    /// Whether it is asked to end, or waits to be asked again.
    pub fn is_cancelling(&self) -> bool {
        self.cancelling.is_some() || self.cancel_waits
    }

    /// Whether nothing of it is in doubt, for the venue has just refused to cancel it.
    pub fn only_waits_to_cancel(&self) -> bool {
        self.cancel_waits && !self.asks() && self.ended.is_none() && self.doubt == Doubt::None
    }

    /// Whether an answer is awaited.
    pub fn is_pending(&self) -> bool {
        let waits =
            self.asks() || self.cancel_waits || self.ended.is_some() || self.doubt != Doubt::None;
        self.done.is_none() && !self.is_held() && waits
    }

    /// How it ended, if nothing more is to come.
    pub fn done(&self) -> Option<OrderState> {
        self.done
    }

    /// Whether the venue said that it ended.
    pub fn has_ended(&self) -> bool {
        self.done.is_some() || self.ended.is_some()
    }

    /// Whether the venue ever worked it.
    pub fn is_acked(&self) -> bool {
        self.acked
    }

    /// The cancel on its way.
    pub fn cancelling(&self) -> Option<u16> {
        self.cancelling
    }

    /// The replace on its way.
    pub fn replacing(&self) -> Option<Change> {
        self.replacing
    }

    /// Changes asked so far.
    pub fn asked(&self) -> u16 {
        self.asked
    }

    /// The number of the next change; `None`: there are no more.
    pub fn next_change(&self) -> Option<u16> {
        self.asked.checked_add(1)
    }

    /// A replace is on its way.
    pub fn ask_replace(&mut self, px: Px, qty: Qty) -> Option<u16> {
        let number = self.next_change()?;
        self.asked = number;
        self.replacing = Some(Change { number, px, qty });
        Some(number)
    }

    /// A cancel is on its way. There is always a number for it: the last one is used again, which only means that what a
    /// venue says of one such cancel counts for the other.
    pub fn ask_cancel(&mut self) -> u16 {
        self.asked = self.asked.saturating_add(1);
        (self.cancelling, self.cancel_waits) = (Some(self.asked), false);
        self.asked
    }

    /// The venue works it.
    pub fn ack(&mut self) {
        self.acked = true;
        self.settle();
    }

    /// The venue answered the replace of this number, whichever way; `None`: it is not the one on its way.
    pub fn answer_replace(&mut self, number: u16) -> Option<Change> {
        let change = self.replacing.filter(|change| change.number == number)?;
        self.replacing = None;
        self.answered = self.answered.max(number);
        self.settle();
        Some(change)
    }

    /// The change of this number never left; `None`: it is not on its way. Of the venue that says nothing: it has not seen it.
    pub fn give_back(&mut self, number: u16) -> Option<GivenBack> {
        let answered = self.answered;
        let back = match (self.answer_replace(number), self.refuse_cancel(number)) {
            (Some(_), _) => Some(GivenBack::Replace),
            (None, true) => Some(GivenBack::Cancel),
            (None, false) => None,
        };
        self.answered = answered;
        back
    }

    /// The cancel of this number was refused; whether it is the one on its way.
    pub fn refuse_cancel(&mut self, number: u16) -> bool {
        let is_it = self.cancelling == Some(number);
        if is_it {
            self.cancelling = None;
            self.answered = self.answered.max(number);
            self.settle();
        }
        is_it
    }

    /// The venue refused a cancel that has to be asked again, but not at once.
    pub fn wait_to_cancel(&mut self) {
        self.cancel_waits = true;
    }

    /// The venue said that it works, having dealt with all changes up to this number. In a reconciliation (`in_round`), changes
    /// that a lost session took with it are gone as well. Before one it may be old word, heard while nothing can be sent: what
    /// is to be asked again is not decided then.
    pub fn restate(&mut self, number: u16, in_round: bool) -> Restated {
        if number < self.answered {
            return Restated::Stale;
        }
        if self.doubt == Doubt::Session && !in_round {
            (self.acked, self.answered) = (true, number);
            return Restated::Known;
        }
        let lost = self.doubt == Doubt::Session;
        let cancel_lost = lost && self.cancelling.is_some();
        self.replacing = self.replacing.filter(|change| !lost && change.number > number);
        self.cancelling = self.cancelling.filter(|cancel| !lost && *cancel > number);
        (self.acked, self.answered, self.doubt) = (true, number, Doubt::None);
        self.cancel_waits = false;
        if cancel_lost { Restated::CancelLost } else { Restated::Known }
    }

    /// A reconciliation speaks of it; whether for the first time.
    pub fn mention(&mut self, round: u32) -> bool {
        std::mem::replace(&mut self.round, round) != round
    }

    /// The last reconciliation that spoke of it.
    pub fn round(&self) -> u32 {
        self.round
    }

    /// The venue said how it ended; with `missing` fills to come it stays open.
    pub fn end(&mut self, state: OrderState, missing: bool) {
        (self.replacing, self.cancelling, self.cancel_waits) = (None, None, false);
        match missing {
            true => self.ended = Some(state),
            false => self.done = Some(state),
        }
    }

    /// The venue knows of no such order: it ended, and all its fills were told.
    pub fn presume_ended(&mut self) {
        let never = if self.acked { OrderState::Cancelled } else { OrderState::Rejected };
        self.end(self.ended.unwrap_or(never), false);
        self.is_presumed = true;
    }

    /// Whether its end is only what follows from the venue's not speaking of it.
    pub fn is_presumed(&self) -> bool {
        self.is_presumed
    }

    /// Nothing of it is open any more: as the venue said it ended, else filled.
    pub fn finish(&mut self) {
        self.end(self.ended.unwrap_or(OrderState::Filled), false);
    }

    /// An answer is overdue, unless nothing but a cancel waits; whether that was not known.
    pub fn overdue(&mut self) -> bool {
        if self.cancel_waits {
            return false;
        }
        let news = self.doubt == Doubt::None && self.ended.is_none();
        if self.doubt == Doubt::None {
            self.doubt = Doubt::Overdue;
        }
        news
    }

    /// The session is gone; whether the order was not in doubt before.
    pub fn lose_session(&mut self) -> bool {
        let news = self.doubt == Doubt::None && self.ended.is_none();
        self.doubt = Doubt::Session;
        news
    }

    /// Where nothing is awaited any more, what was overdue has come.
    fn settle(&mut self) {
        if !self.asks() && self.doubt == Doubt::Overdue {
            self.doubt = Doubt::None;
        }
    }
}
