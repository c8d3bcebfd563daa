//! An engine of a few lines: real shared memory and a real attach socket, a gate of one limit, a
//! venue that fills at once what crosses.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use model::page::{Control, *};
use model::*;
use shm::{Capacity, Folder, Listener, Publisher};

/// Engine time of everything that the test engine writes.
pub const NOW: u64 = 1_700_000_000_000_000_000;
/// Largest order.
const CLIP_MAX: i128 = 300;
/// The gate never answers an order of this quantity.
pub const LOST_QTY: i64 = 13;
/// The budget does not allow an order of this quantity.
pub const OVER_BUDGET_QTY: i64 = 14;

/// A running engine. Dropped: it ends, as if killed.
pub struct Engine {
    stop: Arc<AtomicBool>,
    silent: Arc<AtomicBool>,
    beats: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    pub fn start(runtime: &Path, name: &str, epoch: u64) -> Engine {
        let capacity = Capacity {
            instruments: 4,
            accounts: 2,
            lines: 4,
            orders: 8,
            tape: 8,
            desks: 2,
            ..Capacity::default()
        };
        let mut publisher = Publisher::create(capacity, epoch).unwrap();
        let beats = Arc::new(AtomicU64::new(0));
        let (control, line, orders) = (control(), line(), Vec::new());
        let mut desk = Desk { control, line, orders, beats: Arc::clone(&beats) };
        desk.publish(&mut publisher);
        let folder = Folder::at(runtime.join("tickgate"));
        let mut listener = Listener::bind_in(&folder, name, &mut publisher).unwrap();
        let (stop, silent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let flags = (stop.clone(), silent.clone());
        let thread = std::thread::spawn(move || {
            let (stop, silent) = flags;
            while !stop.load(Ordering::Relaxed) {
                while listener.poll(Duration::ZERO).unwrap().is_some() {}
                if !silent.load(Ordering::Relaxed) {
                    desk.serve(&mut publisher);
                }
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        Engine { stop, silent, beats, thread: Some(thread) }
    }

    /// Signs of life of its clients.
    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// Neither beats nor answers from here on.
    pub fn fall_silent(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Desk {
    control: Control,
    line: Line,
    orders: Vec<OrderCell>,
    beats: Arc<AtomicU64>,
}

impl Desk {
    fn publish(&mut self, to: &mut Publisher) {
        to.publish_board(0, &board(0, "AAPL", true));
        to.publish_board(1, &board(1, "AAP", false));
        to.publish_board(2, &board(2, "x\";DROP'`$(id)", true));
        to.publish_depth(0, &depth());
        to.publish_account(0, &account(0, "agent"));
        to.publish_account(1, &account(1, "probe"));
        self.beat(to);
    }

    fn beat(&mut self, to: &mut Publisher) {
        self.control.loops += 1;
        self.control.orders = self.orders.len() as u32;
        to.publish_control(&self.control);
        to.publish_line(0, &self.line);
        // Of the same pair and out of date, and of one that was never traded.
        to.publish_watch(0, &Line { clip_max: Qty(1), ..self.line });
        to.publish_watch(1, &Line { instrument: InstrumentId(1), position: Qty(0), ..self.line });
        for (slot, cell) in self.orders.iter().enumerate() {
            to.publish_order(slot, cell);
        }
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        to.beat(now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64, self.control.loops);
    }

    fn serve(&mut self, to: &mut Publisher) {
        for desk in [DeskId(0), DeskId(1)] {
            while let Ok(Some(request)) = to.poll_desk(desk) {
                if request.ask == Ask::Beat {
                    self.beats.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                self.control.engine_seq += 1;
                let answer = self.judge(&request);
                // Pages first, as the real engine does: whoever has the answer can see what it speaks of.
                self.beat(to);
                if let Some(answer) = answer {
                    to.answer(desk, &answer);
                }
            }
        }
        self.beat(to);
    }

    fn judge(&mut self, request: &Request) -> Option<Answer> {
        let kind = AnswerKind::Accepted;
        let mut answer = Answer::bare(request.id, self.control.engine_seq, Ts(NOW), kind);
        match request.ask {
            Ask::Beat | Ask::Basket(_) => return None, // The sidecar sends no baskets.
            Ask::New(terms) if terms.qty.0 == LOST_QTY => return None,
            Ask::New(terms) if terms.qty.0 == OVER_BUDGET_QTY => {
                answer.kind = AnswerKind::OverBudget
            }
            Ask::New(terms) => self.new_order(request, &terms, &mut answer),
            Ask::Check(terms) => {
                answer.kind = AnswerKind::Checked;
                for (place, finding) in self.findings(&terms).into_iter().enumerate() {
                    answer.verdict.fold(finding);
                    answer.findings[place] = Some(finding);
                }
            }
            Ask::Cancel { order } => {
                self.change(order, &mut answer, |cell| cell.state = OrderState::Cancelled)
            }
            Ask::Replace { order, px, qty, .. } => self.change(order, &mut answer, |cell| {
                (cell.order.px, cell.order.qty) = (px, qty);
            }),
            Ask::Halt { level, .. } => {
                (self.control.halt, self.control.halt_cause) = (level, Some(HaltCause::Client));
                for cell in self.orders.iter_mut().filter(|cell| cell.state.is_open()) {
                    cell.state = OrderState::Cancelled;
                }
            }
        }
        Some(answer)
    }

    fn findings(&self, terms: &Terms) -> [Finding; 4] {
        [
            Finding::holds(Reject::Halted, self.control.halt == HaltLevel::Active),
            Finding::at_most(Reject::Clip, terms.qty.0.into(), CLIP_MAX),
            Finding::at_most(Reject::Collar, if terms.px.0 > 1_100_000 { 500 } else { 0 }, 100),
            Finding::holds(Reject::Lot, terms.qty.0 > 0),
        ]
    }

    fn new_order(&mut self, request: &Request, terms: &Terms, answer: &mut Answer) {
        let known = self.orders.iter().find(|cell| cell.order.client_id == terms.client_id);
        if let Some(cell) = known {
            (answer.kind, answer.order, answer.state) =
                (AnswerKind::Recorded, cell.order.id, Some(cell.state));
            return;
        }
        self.findings(terms).into_iter().for_each(|finding| answer.verdict.fold(finding));
        if !answer.verdict.passed() {
            answer.kind = AnswerKind::Refused;
            return;
        }
        let id = OrderId::new(self.orders.len() as u32, 1);
        let crosses = terms.side == Side::Buy && terms.px.0 >= 1_000_200;
        let fills = crosses && !terms.conditions.post_only;
        let filled = if fills { terms.qty } else { Qty(0) };
        self.line.position.0 += filled.0;
        let state = match (crosses, terms.conditions.post_only) {
            (true, true) => OrderState::Rejected,
            (true, false) => OrderState::Filled,
            (false, _) => OrderState::Working,
        };
        self.orders.push(OrderCell {
            as_of: as_of(),
            order: Order {
                id,
                client_id: terms.client_id,
                account: request.account,
                instrument: terms.instrument,
                side: terms.side,
                order_type: terms.order_type,
                tif: terms.tif,
                px: terms.px,
                qty: terms.qty,
                conditions: terms.conditions,
                origin: request.origin,
                note: request.note,
            },
            state,
            reject: None,
            filled,
            notional_filled: Money::of(Px(1_000_200), filled, 100_000_000).unwrap(),
            children: Qty(0),
            ahead: (!crosses).then_some(Qty(400)),
            ts_created: Ts(NOW + self.orders.len() as u64),
            ts_updated: Ts(NOW),
        });
        (answer.order, answer.state) = (id, Some(state));
    }

    fn change(&mut self, id: OrderId, answer: &mut Answer, with: impl FnOnce(&mut OrderCell)) {
        match self.orders.get_mut(id.slot()).filter(|cell| cell.state.is_open()) {
            Some(cell) => {
                with(cell);
                (answer.order, answer.state) = (id, Some(cell.state));
            }
            None => {
                answer.kind = AnswerKind::Refused;
                answer.verdict = Verdict::refuse(Reject::NotOpen);
            }
        }
    }
}

/// Received 250 us before `NOW`.
fn as_of() -> AsOf {
    AsOf { engine_seq: 41, ts_venue: Ts(NOW - 300_000), ts_recv: Ts(NOW - 250_000) }
}

fn control() -> Control {
    let slot = IndicatorSlot { name: Symbol::new("vwap").unwrap(), decimals: 6, is_price: true };
    let mut indicators = [IndicatorSlot::default(); INDICATOR_SLOTS];
    (indicators[0], indicators[1]) = (
        slot,
        IndicatorSlot { name: Symbol::new("rsi14").unwrap(), decimals: 12, is_price: false },
    );
    let stage = StageLatency { p50: 20, p99: 40, p999: 80, max: 900, count: 1_000 };
    let mut refused = [0; REJECT_SLOTS];
    refused[Reject::Clip as usize - 1] = 2;
    Control {
        engine_seq: 42,
        now: Ts(NOW),
        started: Ts(NOW - 1_000_000_000),
        loops: 0,
        mode: Mode::Paper,
        halt: HaltLevel::Active,
        halt_cause: None,
        journal_full: false,
        audit_full: false,
        reconciling: false,
        instruments: 3,
        accounts: 2,
        lines: 1,
        orders: 0,
        journal_written: 41,
        journal_synced: 40,
        config_digest: 0xABC,
        state_hash: 0xDEF,
        live_orders: 2,
        passed: 5,
        refused,
        feeds: [FeedCounters { messages: 9, bytes: 400, ..FeedCounters::default() };
            model::page::FEEDS],
        feed_count: 1,
        stages: [stage; STAGES.len()],
        indicators,
    }
}

fn board(id: u32, symbol: &str, live: bool) -> Board {
    let quote = |px, qty| live.then_some(Quote { px: Px(px), qty: Qty(qty), orders: 3 });
    let mut indicators = [None; INDICATOR_SLOTS];
    indicators[0] = live.then_some(1_000_100_500_000);
    Board {
        as_of: as_of(),
        instrument: Instrument {
            id: InstrumentId(id),
            symbol: Symbol::new(symbol).unwrap(),
            feed: FeedId(0),
            number: VenueNumber(id + 1),
            px_decimals: 4,
            qty_decimals: 0,
            px_step: Px(if live { 100 } else { 0 }),
            lot: Qty(live.into()),
            currency: if live { *b"USD\0\0\0\0\0" } else { [0; 8] },
        },
        state: if live { TradingState::Trading } else { TradingState::Halted },
        halt: model::HaltLevel::Active,
        halt_cause: None,
        integrity: if live { Integrity::Live } else { Integrity::Incomplete },
        cause: if live { Cause::None } else { Cause::Gap },
        since: Ts(NOW),
        bid: quote(1_000_000, 500),
        ask: quote(1_000_200, 100),
        levels: if live { [2, 3] } else { [0, 0] },
        last: live.then_some(Last { px: Px(1_000_100), qty: Qty(50), ts: Ts(NOW - 400_000) }),
        open_high_low: [Px(990_000), Px(1_010_000), Px(985_050)],
        volume: Qty(1_234),
        trades: if live { 7 } else { 0 },
        indicators,
    }
}

fn depth() -> Depth {
    let mut depth = Depth::empty(as_of(), Integrity::Live, Cause::None);
    let level = |px, qty| Level { px: Px(px), qty: Qty(qty), orders: 3 };
    (depth.used, depth.total) = ([2, 3], [2, 3]);
    depth.bids[..2].copy_from_slice(&[level(1_000_000, 500), level(999_900, 200)]);
    depth.asks[..3].copy_from_slice(&[
        level(1_000_200, 100),
        level(1_000_300, 100),
        level(1_000_500, 900),
    ]);
    depth
}

fn account(id: u16, name: &str) -> Account {
    Account {
        as_of: as_of(),
        id: AccountId(id),
        name: Symbol::new(name).unwrap(),
        permission: Permission::Trade,
        halt: HaltLevel::Active,
        halt_cause: None,
        clients: name == "agent",
        cancel_on_disconnect: false,
        currency: *b"USD\0\0\0\0\0",
        cash: Money(1_000_000 * 10_i128.pow(12)),
        reserved: Money(250 * 10_i128.pow(12)),
        realised: Money(-5 * 10_i128.pow(11)),
        unrealised: Money(11 * 10_i128.pow(12)),
        fees: Money(10_i128.pow(11)),
        session_profit: Money(104 * 10_i128.pow(11)),
        traded: Money(250 * 10_i128.pow(12)),
        gross: Money(10_001 * 10_i128.pow(12)),
        margin: Money(0),
        gross_max: Money(50_000 * 10_i128.pow(12)),
        open_orders: 1,
        open_orders_max: 10,
        rate_used: 3,
        rate_max: 20,
        rate_window_ns: 1_000_000_000,
        orders_passed: 5,
        orders_refused: 2,
    }
}

fn line() -> Line {
    Line {
        as_of: as_of(),
        account: AccountId(0),
        instrument: InstrumentId(0),
        position: Qty(100),
        working_buy: Qty(20),
        working_sell: Qty(0),
        cost: Money(9_990 * 10_i128.pow(12)),
        realised: Money(0),
        realised_fifo: Ok(Money(25 * 10_i128.pow(10))),
        mark: Some(Px(1_000_100)),
        clip_max: Qty(CLIP_MAX as i64),
        notional_max: Money(40_000 * 10_i128.pow(12)),
        long_max: Qty(500),
        short_max: Qty(0),
        band_bps: 100,
        headroom: Some(Rooms {
            engine_seq: 9,
            sides: [
                Ok(Room {
                    px: Px(1_000_200),
                    most: Headroom { qty: Qty(300), binds: Reject::Clip },
                }),
                Err(Reject::NoReference),
            ],
        }),
    }
}
