//! What the pages say would pass: against the answer to a client who asks, and against the gate.

use model::Reject;
use model::page::{AnswerKind, Rooms};
use proptest::prelude::*;

use super::types::{UNIT, WISH, Wish};
use super::*;

const PAIR: (AccountId, InstrumentId) = (AGENT, InstrumentId(0));

/// One thing that changes what would pass.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// An order of ours: buys, steps above 100.00, quantity, takes.
    Ours(bool, i64, i64, bool),
    /// One of the market: buys, steps behind 100.00, quantity.
    Theirs(bool, i64, i64),
    /// The book empties.
    Empty,
    /// The venue halts, or goes on.
    Halt(bool),
    /// Nothing is heard for so many seconds.
    Silence(u64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        8 => (any::<bool>(), -4_i64..5, 1_i64..300, any::<bool>())
            .prop_map(|(buys, steps, qty, takes)| Move::Ours(buys, steps, qty, takes)),
        6 => (any::<bool>(), 0_i64..5, 1_i64..300)
            .prop_map(|(buys, steps, qty)| Move::Theirs(buys, steps, qty)),
        1 => Just(Move::Empty),
        1 => prop::bool::weighted(0.3).prop_map(Move::Halt),
        1 => (1_u64..8).prop_map(Move::Silence),
    ];
    prop::collection::vec(one, 1..25)
}

/// Gives a key of a section of `limits.toml` another value.
fn set(text: &str, section: &str, key: &str, value: impl ToString) -> String {
    let (before, rest) = text.split_once(section).unwrap();
    let (between, rest) = rest.split_once(&format!("\n{key} = ")).unwrap();
    let (_, after) = rest.split_once('\n').unwrap();
    format!("{before}{section}{between}\n{key} = {}\n{after}", value.to_string())
}

/// Limits of the agent: clip, longest, shortest, money of all positions, of one order; whether an account is above.
type Limits = (i64, i64, i64, i64, i64, bool);

fn with((clip, long, short, gross, notional, beneath): Limits) -> Venue {
    let (account, pair) =
        ("[[account]]\nname = \"agent\"", "[[limit]]\naccount = \"agent\"\nsymbol = \"*\"");
    let mut venue = Venue::with(|text| {
        let quoted = |number: i64| format!("\"{number}\"");
        let text = set(&text, pair, "clip_max", quoted(clip));
        let text = set(&text, pair, "long_max", quoted(long));
        let text = set(&text, pair, "short_max", quoted(short));
        let text = set(&text, pair, "notional_max", quoted(notional));
        let text = set(&text, account, "gross_max", quoted(gross));
        let text = set(&text, account, "rate_max", 1_000);
        let text = set(&text, account, "fills_money_max", "\"off\"");
        let above = if beneath { "\nparent = \"house\"" } else { "" };
        text.replace(account, &format!("{account}{above}"))
    });
    venue.add(1, BUY, 1_000_000, 500);
    venue.add(2, SELL, 1_000_100, 500);
    venue
}

impl Venue {
    fn make(&mut self, change: Move) {
        let px = |steps: i64| 1_000_000 + steps * UNIT;
        let side = |buys| if buys { BUY } else { SELL };
        match change {
            Move::Ours(buys, steps, qty, takes) => {
                let tif = if takes { Tif::Ioc } else { Tif::Day };
                self.wish(Wish { side: side(buys), px: px(steps), qty, tif, ..WISH });
            }
            Move::Theirs(buys, steps, qty) => {
                let steps = if buys { -steps } else { steps + 1 };
                self.add(1_000 + self.events, side(buys), px(steps), qty);
            }
            Move::Empty => {
                self.event(Event::empty(Kind::Clear));
            }
            Move::Halt(halts) => {
                let state = if halts { TradingState::Halted } else { TradingState::Trading };
                let aux = state.code().into();
                self.event(Event { aux, ..Event::empty(Kind::State) });
            }
            Move::Silence(seconds) => {
                let now = Ts(self.engine.now().0 + seconds * 1_000_000_000);
                self.step(now, Body::Timer);
            }
        }
    }

    fn rooms(&self, before: Option<Rooms>) -> Rooms {
        self.engine.rooms(PAIR.0, PAIR.1, before)
    }

    /// What a client who asks is answered must be what the page says.
    fn agrees(&self, rooms: Rooms) {
        let board = self.engine.board(0).unwrap();
        let best = [board.ask, board.bid];
        for ((side, room), best) in [BUY, SELL].into_iter().zip(rooms.sides).zip(best) {
            let client_id = ClientOrderId::new("?check").unwrap();
            let (order_type, tif) = match room {
                Ok(_) => (OrderType::Limit, Tif::Day),
                Err(_) => (OrderType::Market, Tif::Ioc),
            };
            let terms = Terms {
                client_id,
                instrument: PAIR.1,
                side,
                order_type,
                tif,
                px: room.map_or(Px(0), |room| room.px),
                qty: Qty(1),
                conditions: Conditions::NONE,
            };
            let origin = Origin::Desk(model::DeskId(3));
            let ask = Ask::Check(terms);
            let request = Request { id: 1, origin, account: PAIR.0, ask, note: Note::default() };
            let said = self.engine.check(&request, &terms).headroom.unwrap();
            match (room, best) {
                (Ok(room), Some(best)) => assert_eq!((room.px, room.most), (best.px, said)),
                (Ok(room), None) => assert_eq!(room.most, said),
                (Err(reason), best) => {
                    assert_eq!((said.qty, said.binds, best), (Qty(0), reason, None));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Goal: the page says what a client who asks is answered, wherever the search begins; so much passes
    /// the gate, and one lot more is refused by the rule that is named. Method: random limits, orders, positions and markets;
    /// ask after each, in the end with real orders.
    #[test]
    fn page_says_what_the_gate_says(
        limits in (
            0_i64..1_500, 0_i64..2_000, 0_i64..2_000, 1_i64..300_000, 1_i64..200_000, any::<bool>(),
        ),
        moves in moves(),
    ) {
        let mut venue = with(limits);
        let mut before = None;
        for change in moves {
            venue.make(change);
            let rooms = venue.rooms(before);
            prop_assert_eq!(rooms, venue.rooms(None));
            prop_assert_eq!(rooms.engine_seq, venue.engine.seq());
            venue.agrees(rooms);
            before = Some(rooms);
        }
        let lot = venue.engine.instruments().get(0).unwrap().instrument.lot.0;
        for (place, side) in [BUY, SELL].into_iter().enumerate() {
            let Ok(room) = venue.rooms(before).sides[place] else { continue };
            let wish = Wish { side, px: room.px.0, ..WISH };
            let (beyond, _) = venue.wish(Wish { qty: room.most.qty.0 + lot, ..wish });
            prop_assert_eq!(beyond.verdict.primary.unwrap().code, room.most.binds);
            if room.most.qty.0 > 0 {
                let (most, _) = venue.wish(Wish { qty: room.most.qty.0, ..wish });
                prop_assert_eq!(most.kind, AnswerKind::Accepted);
            }
        }
    }
}

/// Goal: the price asked at is the other side's best, without one the collar's edge, and without a reference there is none:
/// which is not the same as no room. Method: take one side away, then the reference.
#[test]
fn what_there_is_a_price_for() {
    let mut venue = with((50, 1_000, 1_000, 300_000, 200_000, false));
    let said = |venue: &Venue| {
        let rooms = venue.rooms(None);
        venue.agrees(rooms);
        rooms.sides.map(|side| side.map(|room| (room.px.0, room.most.qty.0, room.most.binds)))
    };
    let clip = Reject::Clip;
    assert_eq!(said(&venue), [Ok((1_000_100, 50, clip)), Ok((1_000_000, 50, clip))]);
    venue.execute(2, 500);
    let [buys, sells] = said(&venue);
    assert_eq!(sells, Ok((1_000_000, 50, clip)));
    assert_eq!(buys, Ok((2_000_200, 50, clip)), "a band of 100 % around the last trade");
    venue.make(Move::Halt(true));
    assert_eq!(said(&venue)[1], Ok((1_000_000, 0, Reject::VenueHalted)));
    venue.make(Move::Halt(false));
    venue.make(Move::Silence(6));
    let [buys, sells] = said(&venue);
    assert_eq!(buys, Err(Reject::BookNotLive));
    assert_eq!(sells, Ok((1_000_000, 0, Reject::BookNotLive)));
}
