use model::{
    AccountId, Body, ClientOrderId, Event, Input, InstrumentId, Integrity, Order, OrderId,
    OrderType, Origin, Px, Qty, Side, Symbol, Tif, TradingState, Ts, VenueNumber,
};
use risk::{LastTrade, Market, Moment};

use super::*;
use crate::config::Capacity;
use crate::output::Output;

const MOMENT: Moment = Moment::at(Ts(10));
/// Symbols with decimals of price and quantity.
const LISTED: [(&str, u8, u8); 5] =
    [("AAPL", 4, 0), ("MSFT", 4, 0), ("BTC", 2, 8), ("ETH", 2, 3), ("FINE", 9, 9)];

fn shipped() -> Config {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/engine.toml");
    let config = Config::load(&folder).unwrap();
    let mut engine = config.engine.clone();
    engine.capacity = Capacity { instruments: 8, book_orders: 64, ..Capacity::SMALL };
    config.with_engine(engine)
}

/// The shipped limits with some texts replaced, and rows added.
fn text(replaced: &[(&str, &str)], added: &str) -> String {
    let text = shipped().limits_text().to_owned() + added;
    replaced.iter().fold(text, |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    })
}

fn row(account: &str, symbol: &str, clip: &str) -> String {
    format!(
        "\n[[limit]]\naccount = \"{account}\"\nsymbol = \"{symbol}\"\nclip_max = \"{clip}\"\n\
         notional_max = \"5000\"\nlong_max = \"7.5\"\nshort_max = \"7\"\nband_bps = 300\n\
         band_px = \"off\"\nage_max_ms = 5000\nspread_max_bps = 40\nadv_max_bps = \"off\"\n\
         venue_band = \"off\"\nlocated = \"off\"\nmargin_long_bps = \"off\"\n\
         margin_short_bps = \"off\"\nsoft_clip_max = \"off\"\nsoft_notional_max = \"off\"\n\
         soft_band_bps = \"off\"\nfees = \"paper\"\n"
    )
}

struct Core {
    engine: Engine,
    out: Output,
    config: Config,
}

impl Core {
    fn new(config: Config) -> Core {
        let engine = Engine::new(&config).unwrap();
        let mut core = Core { out: engine.output(), engine, config };
        for (number, (symbol, px, qty)) in (1..).zip(LISTED) {
            let symbol = Symbol::new(symbol).unwrap();
            core.step(Body::Event(Event::directory(VenueNumber(number), symbol, px, qty)));
        }
        core
    }

    fn step(&mut self, body: Body) {
        let seq = self.engine.seq() + 1;
        self.engine.step(&Input { seq, now: Ts(seq), body }, &mut self.out, &mut ());
        self.out.forget();
    }

    fn prepares(&self, text: &str) -> Prepared {
        prepare(&self.config, self.engine.limits_version(), text).unwrap()
    }

    fn reloads(&mut self, text: &str) {
        let Prepared { config, rules, .. } = self.prepares(text);
        let control = rules.control(OperatorName::default(), Note::default());
        self.engine.offer(rules);
        self.step(Body::Control(control));
        self.config = config;
        assert_eq!(self.engine.rules(), &self.config.rules);
        assert_eq!(self.engine.config_digest(), self.config.digest());
        assert!(self.engine.take_spent().is_some(), "the old ones are handed back");
    }

    /// What every check says to an order.
    fn says(&self, account: u16, instrument: u32, side: Side, qty: i64, px: i64) -> String {
        let order = Order {
            conditions: model::Conditions::NONE,
            id: OrderId(1),
            client_id: ClientOrderId::new("c").unwrap(),
            account: AccountId(account),
            instrument: InstrumentId(instrument),
            side,
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px: Px(px),
            qty: Qty(qty),
            origin: Origin::File,
            note: Note::default(),
        };
        format!("{:?}", self.engine.risk().check(&order, &MARKET, MOMENT))
    }
}

const MARKET: Market = Market {
    triggers: [None; 2],
    settling: false,
    state: TradingState::Trading,
    market_halted: false,
    integrity: Integrity::Live,
    bid: Some(Px(999_900)),
    ask: Some(Px(1_000_100)),
    last: Some(LastTrade { px: Px(1_000_000), at: Ts(10) }),
    updated: Ts(10),
    channel_updated: Ts(10),
};

/// Goal: an engine that was given limits judges as one that began with them, in every scale. Method: numbers, windows, rows of
/// symbols that come, change and go, one after the other; a fresh engine beside each; every check of many orders.
#[test]
fn equals_a_fresh_start() {
    let own = row("agent", "AAPL", "3") + &row("house", "BTC", "0.5");
    let texts = [
        text(&[("clip_max = \"1000\"", "clip_max = \"5\""), ("rate_max = 20", "rate_max = 3")], ""),
        text(&[("duplicates_max = 3", "duplicates_max = 1")], &own),
        text(&[("duplicates_max = \"off\"", "duplicates_max = 2\nduplicates_window_ms = 9")], &own),
        text(
            &[("net_max = \"500000\"", "net_max = \"off\""), ("band_bps = 500", "band_bps = 5")],
            "",
        ),
        text(&[("clip_max = \"1000\"", "clip_max = \"0.00000001\"")], &row("probe", "ETH", "0.5")),
        text(&[], ""),
    ];
    let mut core = Core::new(shipped());
    for (number, text) in texts.iter().enumerate() {
        core.reloads(text);
        assert_eq!(core.engine.limits_version(), number as u32 + 2);
        let fresh = Core::new(shipped().with_limits(text).unwrap());
        let mut asked = 0;
        for account in 0..3 {
            for instrument in 0..LISTED.len() as u32 {
                for (side, qty) in [(Side::Buy, 1), (Side::Sell, 4), (Side::Buy, 2_000_000_000)] {
                    let of = |core: &Core| core.says(account, instrument, side, qty, 1_030_000);
                    let (ours, theirs) = (of(&core), of(&fresh));
                    // Where no row fits any more the pair is blocked by a row of its own: see below.
                    if !theirs.contains("NoLimits, failed: true") {
                        assert_eq!(ours, theirs, "{number} {account} {instrument} {qty}");
                        asked += 1;
                    } else {
                        assert!(ours.contains("Clip, failed: true") || ours == theirs, "{ours}");
                    }
                }
            }
        }
        assert!(asked >= 9, "{number}: {asked}");
    }
}

/// Goal: what is not meant, out of order or not there changes nothing but the hash. Method: each of them.
#[test]
fn only_what_is_meant_is_taken() {
    let tight = text(&[("clip_max = \"1000\"", "clip_max = \"5\"")], "");
    let other = text(&[("clip_max = \"1000\"", "clip_max = \"6\"")], "");
    let control = |core: &Core, text| {
        core.prepares(text).rules.control(OperatorName::default(), Note::default())
    };
    let offers: [fn(&mut Core, &str, &str); 3] = [
        |_, _, _| (),
        |core, _, other| {
            let prepared = core.prepares(other);
            core.engine.offer(prepared.rules);
        },
        |core, tight, _| {
            let prepared = prepare(&core.config, 7, tight).unwrap();
            core.engine.offer(prepared.rules);
        },
    ];
    for offer in offers {
        let mut core = Core::new(shipped());
        let (before, hash) = (core.says(1, 0, Side::Buy, 7, 1_000_000), core.engine.state_hash());
        let control = control(&core, &tight);
        offer(&mut core, &tight, &other);
        core.step(Body::Control(control));
        core.engine.take_spent();
        assert_eq!(core.says(1, 0, Side::Buy, 7, 1_000_000), before);
        assert_eq!((core.engine.limits_version(), core.engine.rules()), (1, &core.config.rules));
        assert_ne!(core.engine.state_hash(), hash);
    }
}

/// Goal: instruments that are listed after a reload have its limits. Method: list one after it.
#[test]
fn later_listings_have_them() {
    let mut core = Core::new(shipped());
    core.reloads(&text(&[("clip_max = \"1000\"", "clip_max = \"5\"")], ""));
    let late = Event::directory(VenueNumber(9), Symbol::new("LATE").unwrap(), 4, 0);
    core.step(Body::Event(late));
    assert!(core.says(1, 5, Side::Buy, 6, 1_000_000).contains("Clip, failed: true"));
    assert!(core.says(1, 5, Side::Buy, 5, 1_000_000).contains("Clip, failed: false"));
}

/// Goal: files that are wrong, and those that change what an account is, are not prepared. Method: one of each.
#[test]
fn wrong_files_are_named() {
    let config = shipped();
    let fails = |text: &str| prepare(&config, 1, text).unwrap_err();
    let wrong = text(&[("rate_max = 20\n", "rate_max = -1\n"), ("bps = \"0\"", "bps = \"x\"")], "");
    let error = fails(&wrong).to_string();
    assert!(error.contains("limits.toml:68: `rate_max` must be"), "{error}");
    assert!(error.contains("limits.toml:128: `bps` must be"), "{error}");
    assert!(error.lines().all(|line| line.starts_with("limits.toml:")), "{error}");
    assert!(matches!(fails("\u{0}[[["), NotTaken::Config(_)));
    let renamed = text(&[("name = \"probe\"", "name = \"robe\"")], "");
    assert!(matches!(fails(&renamed), NotTaken::Config(_)), "rows of it are left");
    let poorer = text(&[("cash = \"1000000\"", "cash = \"1\"")], "");
    let NotTaken::Fixed(fixed) = fails(&poorer) else { panic!() };
    assert_eq!(fixed, ["agent cash: 1000000 -> 1"]);
    let fine = text(&[("loss_max = \"20000\"", "loss_max = \"0.0000000000001\"")], "");
    assert!(matches!(fails(&fine), NotTaken::Start(StartError::Money(_))));
}
