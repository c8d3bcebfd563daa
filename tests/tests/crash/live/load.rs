//! Clients that ask for orders of every kind until the engine is gone, and an operator who changes limits meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::page::{AnswerKind, Board};
use model::{
    AccountId, Ask, ClientOrderId, Conditions, Link, Note, OrderId, OrderType, Origin, Px, Qty,
    Request, Side, Terms, Tif, Ts,
};
use serde_json::json;
use shm::Client;
use tests::place::{PATIENCE, Place};
use tests::rogue::Dice;

use super::baskets::{Asked, limits};

/// What is asked for.
pub const KINDS: [&str; 13] = [
    "limit", "iceberg", "at once", "dated", "market", "stop", "instead", "parent", "child",
    "replace", "cancel", "basket", "leg",
];
/// Instruments that are traded: few, so that positions meet.
const INSTRUMENTS: u64 = 4;
/// What is tightened, step by step: who runs an engine at a venue may not loosen its limits.
const CLIP: &str = "clip_max = \"10000000\"";

/// Who asks, over all lives of an engine.
pub struct Load {
    pub dice: Dice,
    /// Orders that the engine said it has taken.
    pub accepted: BTreeSet<OrderId>,
    /// By kind: what was accepted.
    pub kinds: [u64; KINDS.len()],
    pub baskets: Asked,
    names: u64,
    /// The last that were taken, and their terms.
    working: Vec<(OrderId, Terms)>,
    parents: Vec<(OrderId, Terms)>,
}

impl Load {
    pub fn new(seed: u64) -> Load {
        let (accepted, kinds, names) = (BTreeSet::new(), [0; KINDS.len()], 0);
        let (working, parents) = (Vec::new(), Vec::new());
        let baskets = Asked::default();
        Load { dice: Dice(seed), accepted, kinds, baskets, names, working, parents }
    }

    /// Asks until it is told to stop or the engine is gone.
    pub fn runs(&mut self, mut client: Client, stop: &AtomicBool) {
        let mut asked = BTreeMap::new();
        while !stop.load(Ordering::Relaxed) && !client.is_gone() {
            while let Some(answer) = client.poll_answer() {
                let asked = asked.remove(&answer.request);
                if let (AnswerKind::Accepted, Some((kind, ask))) = (answer.kind, asked) {
                    self.note(kind, answer.order, ask);
                }
            }
            if let Some((kind, ask)) = self.ask(&client) {
                let (account, note) = (AccountId(0), Note::lossy("load"));
                let request = Request { id: 0, origin: Origin::File, account, ask, note };
                if let Ok(id) = client.send(&request) {
                    asked.insert(id, (kind, ask));
                }
            }
            std::thread::sleep(Duration::from_micros(200 + self.dice.below(3_000)));
        }
    }

    fn note(&mut self, kind: usize, order: OrderId, ask: Ask) {
        self.kinds[kind] += 1;
        if let Ask::Basket(announced) = ask {
            self.baskets.note(&announced);
        }
        let Ask::New(terms) = ask else { return };
        self.accepted.insert(order);
        let of_parents = terms.conditions.parent_only;
        let list = if of_parents { &mut self.parents } else { &mut self.working };
        list.push((order, terms));
        if list.len() > 20 {
            list.remove(0);
        }
    }

    fn any(&mut self, parents: bool) -> Option<(OrderId, Terms)> {
        let list = if parents { &self.parents } else { &self.working };
        let place = self.dice.below(list.len().max(1) as u64) as usize;
        list.get(place).copied()
    }

    /// Something to ask for now; nothing if nothing trades.
    fn ask(&mut self, client: &Client) -> Option<(usize, Ask)> {
        let mut kind = self.dice.below(KINDS.len() as u64) as usize;
        if self.baskets.is_coming() && self.dice.below(2) == 0 {
            kind = KINDS.len() - 1; // So that most are whole before it is too late for them.
        }
        self.names += 1;
        let client_id = ClientOrderId::new(&format!("k{}", self.names)).unwrap();
        let qty = Qty(2 + self.dice.below(49) as i64);
        let ask = match KINDS[kind] {
            "cancel" => Ask::Cancel { order: self.any(false)?.0 },
            "basket" => Ask::Basket(self.baskets.announce(self.names, &mut self.dice)),
            "replace" => {
                let (order, Terms { px, .. }) = self.any(false)?;
                Ask::Replace { order, client_id, px: Px(px.0 + self.dice.below(3) as i64), qty }
            }
            name => {
                let linked = match name {
                    "instead" => Some(self.any(false)?),
                    "child" => Some(self.any(true)?),
                    _ => None,
                };
                let any = self.dice.below(INSTRUMENTS) as usize;
                let place = linked.map_or(any, |(_, terms)| terms.instrument.0 as usize);
                let terms = self.terms(name, &client.board(place).ok()?, qty, linked)?;
                let mut conditions = terms.conditions;
                if name == "leg" {
                    conditions.link = Some(Link::Basket(self.baskets.leg()?));
                }
                Ask::New(Terms { client_id, conditions, ..terms })
            }
        };
        Some((kind, ask))
    }

    fn terms(
        &mut self,
        kind: &str,
        board: &Board,
        qty: Qty,
        linked: Option<(OrderId, Terms)>,
    ) -> Option<Terms> {
        let any = if self.dice.below(2) == 0 { Side::Buy } else { Side::Sell };
        let side = linked.map_or(any, |(_, terms)| terms.side);
        let (bid, ask, last) = (board.bid?.px, board.ask?.px, board.last?.px);
        let px = if side == Side::Buy { bid } else { ask };
        let plain = Terms {
            client_id: ClientOrderId::new("-").unwrap(),
            instrument: board.instrument.id,
            side,
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px,
            qty,
            conditions: Conditions::NONE,
        };
        let conditions = Conditions::NONE;
        let beyond = last.0 / 10_000 * (1 + self.dice.below(5) as i64) + 1;
        let sign = if side == Side::Buy { 1 } else { -1 };
        let stop_px = Px(last.0 + sign * beyond);
        Some(match kind {
            "iceberg" => {
                let display = Qty(1 + self.dice.below(qty.0 as u64 - 1) as i64);
                Terms { conditions: Conditions { display, ..conditions }, ..plain }
            }
            "at once" => {
                let tif = if self.dice.below(2) == 0 { Tif::Ioc } else { Tif::Fok };
                Terms { tif, ..plain }
            }
            "dated" => {
                let expires =
                    Ts(board.as_of.ts_recv.0 + 1_000_000_000 + self.dice.below(9_000_000_000));
                Terms { tif: Tif::Gtd, conditions: Conditions { expires, ..conditions }, ..plain }
            }
            "market" => Terms { order_type: OrderType::Market, tif: Tif::Ioc, px: Px(0), ..plain },
            "stop" => {
                let conditions = Conditions { stop_px, ..conditions };
                let order_type = OrderType::StopLimit;
                Terms { order_type, px: stop_px, conditions, ..plain }
            }
            "instead" => {
                let (other, Terms { qty, .. }) = linked?;
                let link = Some(Link::OneCancels(other));
                let conditions = Conditions { stop_px, link, ..conditions };
                Terms { order_type: OrderType::StopLimit, px: stop_px, qty, conditions, ..plain }
            }
            "parent" => {
                Terms { conditions: Conditions { parent_only: true, ..conditions }, ..plain }
            }
            "child" => {
                let link = Some(Link::Parent(linked?.0));
                Terms { conditions: Conditions { link, ..conditions }, qty: Qty(1), ..plain }
            }
            _ => plain,
        })
    }
}

/// Limits that were asked for, and the version that is in force for certain.
#[derive(Clone, Copy, Default)]
pub struct Reloads {
    asked: u32,
    pub version: u32,
}

impl Reloads {
    /// Tightens limits until it is told to stop or nobody answers.
    pub fn run(&mut self, place: &Place, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            self.asked += 1;
            let clip = format!("clip_max = \"{}\"", 9_000_000 - self.asked);
            let text = limits().replace(CLIP, &clip);
            let request =
                json!({"op": "reload", "text": text, "operator": "ann", "reason": "load"});
            let request = serde_json::from_value(request).unwrap();
            match switch::ask(&place.operator_socket(), &request, PATIENCE) {
                Ok(switch::Answer::Limits(limits)) if limits.recorded => {
                    self.version = limits.version;
                }
                Ok(switch::Answer::Limits(_)) => {}
                Ok(answer) => panic!("{answer:?}"),
                Err(_) => return, // Killed.
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
