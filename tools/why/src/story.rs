//! What a replay showed of the orders that were asked about.

use model::page::{AnswerKind, Board, TapeKind};
use model::{
    AccountId, BasketEnd, Event, Mode, Order, OrderId, OrderState, Origin, Px, Qty, Request,
    Symbol, Ts, Verdict,
};
use risk::Explanation;

/// All of it.
#[derive(Debug, Default)]
pub struct Story {
    /// What the gate judged, in order.
    pub judged: Vec<Judged>,
    /// What never came before the gate: cancels, repeats, replaces of orders that the account does not have.
    pub unjudged: Vec<Unjudged>,
    /// What became of those that passed.
    pub orders: Vec<Life>,
    /// What the engine did with orders that passed.
    pub mode: Option<Mode>,
    /// The last input that was replayed.
    pub replayed_to: u64,
    /// Whether the journal was replayed to its end; else the replay ended with the last of these orders.
    pub to_the_end: bool,
    /// State hashes of the journal on the way that came out the same.
    pub checkpoints: u64,
}

/// A request before the gate.
#[derive(Debug)]
pub struct Judged {
    /// Number of the input in which it was judged.
    pub seq: u64,
    /// Engine time.
    pub now: Ts,
    /// Who asked for what.
    pub request: Request,
    /// The order with the terms that were judged.
    pub order: Order,
    /// Whether they are new terms of an order that works.
    pub is_replace: bool,
    /// The accounts whose limits it met, its own first.
    pub accounts: Vec<(AccountId, Symbol)>,
    /// What the engine knew of the instrument; `None`: it is not listed.
    pub sight: Option<Sight>,
    /// What the gate found, asked right before it judged.
    pub explanation: Explanation,
    /// What it then said; `None` if the step left too many verdicts to keep.
    pub said: Option<Verdict>,
    /// Nanoseconds that it took when it was judged.
    pub stages: Stages,
}

/// How long an order took by stage; `None`: it was not measured, or the step had no such stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stages {
    /// The book, after the event in whose step it was asked.
    pub book_ns: Option<u64>,
    /// The indicators, likewise.
    pub indicators_ns: Option<u64>,
    /// From there, or from the request's coming, to the verdict.
    pub gate_ns: Option<u64>,
}

/// What the engine knew of the instrument when it judged.
#[derive(Debug)]
pub struct Sight {
    /// Book top, trading state, integrity.
    pub board: Board,
    /// Name of the feed's venue.
    pub venue: &'static str,
    /// Number of the last message of the feed, of whatever instrument.
    pub feed_seq: u64,
    /// The last event of the instrument, and its input; `None`: there was none.
    pub event: Option<(u64, Event)>,
    /// Whether that came by line A or B, if the feed has two.
    pub line: Option<char>,
    /// Nanoseconds since that event.
    pub age_ns: u64,
}

/// A request that the gate did not judge.
#[derive(Debug)]
pub struct Unjudged {
    /// Number of its input.
    pub seq: u64,
    /// Engine time.
    pub now: Ts,
    /// What was asked.
    pub request: Request,
    /// Name of its account.
    pub account: Option<Symbol>,
    /// What became of it.
    pub kind: AnswerKind,
    /// What was said, or, of a repeat, what had been said.
    pub verdict: Verdict,
    /// The order concerned; zero: none.
    pub order: OrderId,
}

/// An order after it passed.
#[derive(Debug)]
pub struct Life {
    /// Which.
    pub id: OrderId,
    /// The input from which on it was followed: the first that was asked about.
    pub since: u64,
    /// Decimals of its prices and quantities.
    pub decimals: (u8, u8),
    /// Of a leg: account and number of its basket.
    pub basket: Option<(AccountId, u64)>,
    /// What happened to it, in order.
    pub events: Vec<Happened>,
    /// Where it stood at the last input replayed; `None`: its slot was used again by then.
    pub end: Option<Standing>,
}

/// Something that happened to an order.
#[derive(Debug)]
pub struct Happened {
    /// Number of the input.
    pub seq: u64,
    /// Engine time.
    pub now: Ts,
    /// What.
    pub kind: TapeKind,
    /// Price.
    pub px: Px,
    /// Quantity.
    pub qty: Qty,
    /// Execution id, of a fill.
    pub exec_id: Option<u64>,
    /// How its basket was over, if that happened.
    pub basket_end: Option<BasketEnd>,
}

/// Where an order stood.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Its state.
    pub state: OrderState,
    /// Quantity filled.
    pub filled: Qty,
    /// Quantity left.
    pub leaves: Qty,
}

impl Judged {
    /// Whether the explanation is what the gate said.
    pub fn agrees(&self) -> bool {
        self.said.is_none_or(|said| said == self.explanation.verdict)
    }

    /// Its order's number; `None` of a refused new order, which never got one.
    pub fn order_id(&self) -> Option<OrderId> {
        let has_one = self.is_replace || self.explanation.verdict.passed();
        has_one.then_some(self.order.id)
    }

    /// Name of an account of the path.
    pub fn account(&self, id: AccountId) -> String {
        let named = self.accounts.iter().find(|(of, _)| *of == id);
        named.map_or_else(|| format!("number {}", id.0), |(_, name)| name.to_string())
    }

    /// Why stages have no nanoseconds, if one has none.
    pub fn stages_reason(&self) -> Option<&'static str> {
        match (self.stages.gate_ns, self.order.origin) {
            (Some(_), Origin::Strategy(_)) => None,
            (Some(_), _) => Some("a request has no stage of book or indicators"),
            (None, Origin::Strategy(_)) => {
                Some("of events one in 64 is measured, and of the orders in one the last")
            }
            (None, Origin::File) => Some("orders of a file are not measured"),
            (None, Origin::Desk(_)) => Some("the journal had no room for it, or kept none yet"),
        }
    }

    /// Decimals of prices and quantities.
    pub fn decimals(&self) -> (u8, u8) {
        let instrument = self.sight.as_ref().map(|sight| sight.board.instrument);
        instrument.map_or((0, 0), |of| (of.px_decimals, of.qty_decimals))
    }
}

/// Nothing is known of a feed's lines while only one was heard.
pub fn line_of(event: &Event, has_two: bool) -> Option<char> {
    use model::Flags;
    match event.flags.has(Flags::LINE_B) {
        true => Some('B'),
        false => has_two.then_some('A'),
    }
}
