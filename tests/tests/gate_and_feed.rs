//! What the gate lets pass while a feed loses, heals and joins late.

#[path = "../../tools/sim/tests/venue/twin.rs"]
mod twin;
#[path = "../../tools/sim/tests/venue/world.rs"]
mod world;

use engine::sequencer::Sequencer;
use engine::step::Engine;
use model::{
    AccountId, Ask, Body, ClientOrderId, InstrumentId, Integrity, Kind, Note, OrderId, OrderType,
    Origin, Qty, Reject, Request, Side, Terms, Tif, Ts, Verdict,
};
use sim::faults::FaultPlan;
use sim::mold::{Config, Pace, RequestPlan};
use tests::Stage;
use twin::truth;
use world::World;

/// Days, each over lines that fail in other ways.
const SEEDS: u64 = 200;

fn day(seed: u64) -> Vec<Vec<u8>> {
    let config = synth::Config { seed, messages: 2_500, symbols: 6, ..synth::Config::SAMPLE };
    synth::Day::new(config).map(|message| message.encode(&mut [0; 50]).to_vec()).collect()
}

/// Two lines of which much is lost, re-requests of which half fail, snapshots for the rest.
fn config(seed: u64) -> Config {
    let text =
        "loss=100,burst=6,burst-packets=8,duplicate=20,reorder=30,hold=3ms,delay=100us,jitter=80us";
    let plan = FaultPlan { seed, ..text.parse().unwrap() };
    Config {
        pace: Pace::PacketsPerSecond(2_000),
        packet_messages_max: 3,
        lines: [plan, FaultPlan { seed: seed + 50, ..plan }],
        requests: RequestPlan { seed, loss_per_mille: 500, ..RequestPlan::default() },
        ..Config::default()
    }
}

/// An engine, and the orders that are asked of it.
struct Trader {
    sequencer: Sequencer,
    asked: u64,
    now: Ts,
    /// An order that rests.
    resting: Option<OrderId>,
}

impl Trader {
    fn ask(&mut self, ask: Ask) -> (Verdict, OrderId) {
        self.asked += 1;
        let (id, origin, account) = (self.asked, Origin::File, AccountId(0));
        let request = Request { id, origin, account, ask, note: Note::default() };
        self.sequencer.input(self.now, Body::Request(request), &mut ());
        let answer = self.sequencer.out.answer.take().unwrap();
        self.sequencer.out.forget();
        (answer.verdict, answer.order)
    }

    /// One share, at the offer or far below the bid.
    fn buy(&mut self, instrument: u32, takes: bool) -> Option<(Verdict, OrderId)> {
        let board = self.sequencer.engine.board(instrument)?;
        let px =
            if takes { board.ask?.px } else { model::Px(board.bid?.px.0 * 9 / 10 / 100 * 100) };
        let terms = Terms {
            client_id: ClientOrderId::new(&format!("{:x}", self.asked)).unwrap(),
            instrument: InstrumentId(instrument),
            side: Side::Buy,
            order_type: OrderType::Limit,
            tif: if takes { Tif::Ioc } else { Tif::Day },
            px,
            qty: Qty(1),
            conditions: model::Conditions::NONE,
        };
        Some(self.ask(Ask::New(terms)))
    }
}

/// Goal: no order passes while the book that it is for is not live, a cancel always does, and trading goes on when the feed has
/// healed. Method: days over bad lines; after every word of the feed an order for some book, at the offer.
#[test]
fn only_live_books_are_traded() {
    let stage = Stage::new(1_000, 2);
    let (mut passed, mut barred, mut cancelled) = (0, 0, 0);
    for seed in 1..=SEEDS {
        let messages = day(seed);
        let truth = truth(&messages);
        let mut world =
            World::new(config(seed), &messages, &truth, seed, seed % 3 * 20_000_000, true);
        world.run();

        let config = stage.config("gate");
        let mut engine = config.engine.clone();
        (engine.strategies, engine.journal) = (Vec::new(), None);
        let engine = Engine::new(&config.with_engine(engine)).unwrap();
        let mut trader =
            Trader { sequencer: Sequencer::new(engine, None), asked: 0, now: Ts(0), resting: None };
        let mut feed = Integrity::Incomplete;
        for event in &world.heard {
            trader.sequencer.event(event, &mut ());
            trader.sequencer.out.forget();
            trader.now = event.ts_recv;
            if event.kind == Kind::Integrity {
                feed = event.believed().unwrap().0;
            }
            let count = trader.sequencer.engine.instruments().len() as u64;
            if count == 0 {
                continue;
            }
            let instrument = (trader.asked % count) as u32;
            let Some((verdict, _)) = trader.buy(instrument, true) else { continue };
            let live = feed == Integrity::Live
                && trader.sequencer.engine.board(instrument).unwrap().integrity == Integrity::Live;
            assert!(
                live || verdict.failed().any(|code| code == Reject::BookNotLive),
                "seed {seed}, {event:?}: {verdict:?}"
            );
            assert!(live || !verdict.passed());
            passed += u64::from(verdict.passed());
            barred += u64::from(!live);
            if live && trader.resting.is_none() {
                let resting = trader.buy(instrument, false);
                trader.resting = resting.filter(|(verdict, _)| verdict.passed()).map(|(_, id)| id);
            } else if !live && let Some(order) = trader.resting.take() {
                let (verdict, _) = trader.ask(Ask::Cancel { order });
                assert!(verdict.passed(), "seed {seed}, {event:?}: {verdict:?}");
                cancelled += 1;
            }
        }
        assert_eq!(feed, Integrity::Stale, "the session is over");
    }
    println!("{passed} passed, {barred} barred, {cancelled} cancelled");
    assert!(passed > 10_000 && barred > 10_000 && cancelled > 200, "{passed} {barred} {cancelled}");
}
