//! A client that trades.

use std::time::{Duration, Instant};

use model::page::{Answer, AnswerKind, Board, OrderCell, TapeKind, read_halt_aux};
use model::{
    AccountId, Announced, Ask, ClientOrderId, HaltCause, HaltScope, Integrity, Link, Money, Note,
    OrderId, OrderState, OrderType, Origin, Px, Qty, Reject, Request, Side, Terms, Tif,
    TradingState, Verdict,
};
use shm::{Client, Next};

use super::PATIENCE;

/// A client that trades.
pub struct Trader {
    /// Its end.
    pub client: Client,
    /// On which it asks.
    pub account: AccountId,
    board: Board,
    number: u64,
}

/// Whether an order was refused because of a halt.
pub fn halted(answer: &Answer) -> bool {
    answer.kind == AnswerKind::Refused
        && answer.verdict.bits & Verdict::bit(Reject::Halted) != 0
        && answer.order == OrderId(0)
}

impl Trader {
    /// On the first account and an instrument that trades.
    pub(super) fn new(client: Client) -> Trader {
        let board = tradable(&client);
        // Names of its own: other clients of this process ask on the same account.
        let number = u64::from(client.desk().0) << 28 | u64::from(std::process::id());
        Trader { client, account: AccountId(0), board, number }
    }

    /// Asks for a buy far below the market.
    pub fn asks(&mut self) -> Answer {
        let terms = self.low();
        self.ask(Ask::New(terms))
    }

    /// Announces a basket of its own.
    pub fn announces(&mut self, number: u64, legs: u8, money: Money) -> Answer {
        self.ask(Ask::Basket(Announced { number, legs, money }))
    }

    /// Asks for a buy of so much far below the market, in a basket.
    pub fn asks_leg(&mut self, number: u64, qty: i64) -> Answer {
        let mut terms = Terms { qty: Qty(qty), ..self.low() };
        terms.conditions.link = Some(Link::Basket(number));
        self.ask(Ask::New(terms))
    }

    fn low(&mut self) -> Terms {
        self.number += 1;
        let id = format!("{:x}-{:x}", self.client.epoch() & 0xFF_FFFF, self.number);
        let bid = self.board.bid.map_or(2, |bid| bid.px.0);
        Terms {
            client_id: ClientOrderId::new(&id).unwrap(),
            instrument: self.board.instrument.id,
            side: Side::Buy,
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px: Px((bid / 2).max(1)),
            qty: Qty(1),
            conditions: model::Conditions::NONE,
        }
    }

    /// Asks until an order rests.
    pub fn rests(&mut self) -> OrderId {
        let since = Instant::now();
        loop {
            let answer = self.asks();
            if answer.kind == AnswerKind::Accepted {
                return answer.order;
            }
            assert!(since.elapsed() < PATIENCE && !halted(&answer), "{answer:?}");
            self.looks_again();
        }
    }

    /// Takes another instrument that trades now: the day ended, or the book is not live.
    pub fn looks_again(&mut self) {
        self.board = tradable(&self.client);
    }

    /// The order as it stands; `None`: it ended before this engine was started.
    pub fn order(&self, order: OrderId) -> Option<OrderCell> {
        self.client.order(order.slot()).ok().filter(|cell| cell.order.id == order)
    }

    /// Asks for an order, and does not wait for the answer.
    pub fn sends(&mut self) {
        let terms = self.low();
        self.send(Ask::New(terms));
    }

    /// Asks for a cancel, and does not wait for the answer.
    pub fn sends_cancel(&mut self, order: OrderId) {
        self.send(Ask::Cancel { order });
    }

    /// Whether a cancel of the order is taken.
    pub fn cancels(&mut self, order: OrderId) -> bool {
        self.ask(Ask::Cancel { order }).kind == AnswerKind::Accepted
    }

    /// Waits until the order is in a state.
    pub fn reaches(&self, order: OrderId, state: OrderState) {
        let since = Instant::now();
        loop {
            let cell = self.client.order(order.slot());
            if cell.is_ok_and(|cell| cell.order.id == order && cell.state == state) {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "{order:?} is never {state}: {cell:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Scopes and causes of the halts on the tape.
    pub fn tape_halts(&self) -> Vec<(HaltScope, HaltCause)> {
        let (mut tape, mut halts) = (self.client.tape(), Vec::new());
        loop {
            match self.client.next_record(&mut tape).unwrap() {
                Next::Record(record) if record.kind == TapeKind::Halt => {
                    let (scope, cause) = read_halt_aux(record.aux).unwrap();
                    halts.push((scope, cause.unwrap()));
                }
                Next::Empty => return halts,
                Next::Record(_) | Next::Lost(_) => {}
            }
        }
    }

    /// The number of its desk.
    pub fn desk(&self) -> u8 {
        self.client.desk().0
    }

    /// The symbol that it trades.
    pub fn symbol(&self) -> String {
        self.board.instrument.symbol.to_string()
    }

    fn send(&mut self, ask: Ask) -> u64 {
        let (account, note) = (self.account, Note::lossy("a trader"));
        let request = Request { id: 0, origin: Origin::File, account, ask, note };
        self.client.send(&request).unwrap()
    }

    fn ask(&mut self, ask: Ask) -> Answer {
        let since = Instant::now();
        loop {
            let id = self.send(ask);
            let answer = loop {
                assert!(since.elapsed() < PATIENCE, "no answer");
                match self.client.poll_answer() {
                    Some(answer) if answer.request == id => break answer,
                    _ => std::thread::yield_now(),
                }
            };
            if answer.kind != AnswerKind::OverBudget {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// An instrument that trades now on a live book of two sides.
fn tradable(client: &Client) -> Board {
    let since = Instant::now();
    loop {
        let count = client.control().map_or(0, |control| control.instruments);
        let boards = (0..count as usize).filter_map(|number| client.board(number).ok());
        let trades = |board: &Board| {
            board.state == TradingState::Trading
                && board.integrity == Integrity::Live
                && board.bid.is_some()
                && board.ask.is_some()
                && board.last.is_some()
        };
        if let Some(board) = boards.into_iter().find(trades) {
            return board;
        }
        assert!(since.elapsed() < PATIENCE, "nothing trades");
        std::thread::sleep(Duration::from_millis(5));
    }
}
