use model::{BooksRefusal, ClientOrderId, Control, Order, OrderType, Origin, Tif};

use super::*;

impl Bench {
    fn control(&mut self, control: Control) -> Option<Result<(), BooksRefusal>> {
        self.seq += 1;
        let now = Ts(self.seq * 1_000);
        let input = Input { seq: self.seq, now, body: Body::Control(control) };
        self.engine.step(&input, &mut self.out, &mut ());
        self.out.forget();
        self.out.booked.take().map(|outcome| outcome.map(|_| ()))
    }

    fn state(&mut self, state: TradingState) {
        let aux = state.code().into();
        self.take(Event { aux, number: NUMBER, ..Event::empty(Kind::State) });
    }

    fn positions(&self) -> Vec<i64> {
        let risk = self.engine.risk();
        let lines =
            (0..risk.lines() as u32).filter_map(|slot| risk.line_page(slot, Default::default()));
        lines.map(|line| line.position.0).collect()
    }
}

/// The agent buys three at 100.00.
fn order(number: u32) -> Order {
    Order {
        conditions: model::Conditions::NONE,
        id: OrderId::new(number, 1),
        client_id: ClientOrderId::new(&format!("c{number}")).unwrap(),
        account: AccountId(1),
        instrument: InstrumentId(0),
        side: Side::Buy,
        order_type: OrderType::Limit,
        tif: Tif::Day,
        px: Px(100_000_000_000),
        qty: Qty(3),
        origin: Origin::File,
        note: Default::default(),
    }
}

fn split(symbol: &str, num: u32, den: u32) -> Control {
    let symbol = Symbol::new(symbol).unwrap();
    let (operator, note) = Default::default();
    Control::Split { symbol, num, den, operator, note }
}

/// Goal: a split waits for the venue to stop trading and for orders to be gone, changes every position, and leaves no price of
/// before it; refused, it changes nothing. Method: a position and an order that works; try at each stage.
#[test]
fn splits_between_sessions() {
    let mut bench = Bench::new(Venue::DatabentoMbo);
    bench.add(1, Side::Buy, 99, LAST);
    bench.add(2, Side::Sell, 100, LAST);
    let (market, moment) = (bench.engine.market(0), bench.engine.moment());
    let [(_, mut bought), (_, mut working)] =
        [1, 2].map(|number| bench.engine.risk.clear(order(number), &market, moment).unwrap());
    bench.engine.risk.fill(&mut bought, Px(100_000_000_000), Qty(3)).unwrap();
    let before = bench.positions();
    assert_eq!(before, [3, 3], "the agent's and the house's");
    assert_eq!(bench.control(split("MSFT", 2, 1)), Some(Err(BooksRefusal::UnknownSymbol)));
    assert_eq!(bench.control(split("AAPL", 2, 1)), Some(Err(BooksRefusal::Trading)));
    bench.state(TradingState::Halted);
    assert_eq!(bench.control(split("AAPL", 0, 1)), Some(Err(BooksRefusal::BadNumber)));
    assert_eq!(bench.control(split("AAPL", 2, 1)), Some(Err(BooksRefusal::Working)));
    bench.engine.risk.release(&mut working);
    assert_eq!(bench.control(split("AAPL", 1, 2)), Some(Err(BooksRefusal::Fraction)));
    let hash = bench.engine.state_hash();
    assert_eq!(bench.positions(), before);
    let booked = bench.engine.may_book(&split("AAPL", 3, 1), bench.engine.now()).unwrap();
    assert_eq!((booked.instruments, booked.positions), (1, 2));
    assert_eq!(bench.control(split("AAPL", 3, 1)), Some(Ok(())));
    assert_ne!(bench.engine.state_hash(), hash);
    let after: Vec<i64> = before.iter().map(|position| position * 3).collect();
    assert_eq!(bench.positions(), after);
    let market = bench.engine.market(0);
    assert_eq!((market.integrity, market.bid, market.last), (Integrity::Incomplete, None, None));
    bench.state(TradingState::Trading);
    assert_eq!(bench.believed(0), Integrity::Incomplete, "until its feed builds the book again");
    bench.take(Event { number: NUMBER, ..Event::empty(Kind::Clear) });
    assert_eq!(bench.believed(0), Integrity::Live);
}

/// Dollars for a euro.
fn dollars(num: u64) -> Control {
    Control::Rate {
        from: *b"EUR\0\0\0\0\0",
        to: *b"USD\0\0\0\0\0",
        num,
        den: 1,
        at: Ts(1),
        operator: Default::default(),
        note: Default::default(),
    }
}

/// Goal: the rate of the configuration is in force from the start, and one that is booked takes its place. Method: the agent in
/// euros, what is said before and after.
#[test]
fn rates_follow_each_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let mut files = Config::NAMES
        .map(|name| (PathBuf::from(name), std::fs::read_to_string(folder.join(name)).unwrap()));
    let (before, agent) = files[2].1.split_once("name = \"agent\"").unwrap();
    let agent = agent.replacen("\"USD\"", "\"EUR\"", 1);
    let rate = "px = \"1.5\"\nat = \"1970-01-01T00:00:00Z\"\nage_max_ms = 1000";
    files[2].1 = format!(
        "{before}name = \"agent\"{agent}\n[[rate]]\nfrom = \"EUR\"\nto = \"USD\"\n{rate}\n"
    );
    let mut engine = Engine::new(&Config::from_texts(files.into()).unwrap()).unwrap();
    let mut out = engine.output();
    for (seq, num, known) in [(1, 2, (15, 10)), (2, 4, (2, 1))] {
        let body = Body::Control(dollars(num));
        engine.step(&Input { seq, now: Ts(seq), body }, &mut out, &mut ());
        let booked = out.booked.take().unwrap().unwrap();
        assert_eq!(booked.before.map(|rate| (rate.num, rate.den)), Some(known));
        assert_eq!((booked.accounts, booked.instruments), (1, 0));
    }
}

/// Goal: a rate that no account needs is refused, and the outcome is part of the hash. Method: the shipped accounts, all in one
/// currency.
#[test]
fn rates_nobody_needs() {
    let mut bench = Bench::new(Venue::DatabentoMbo);
    assert_eq!(bench.control(dollars(1)), Some(Err(BooksRefusal::UnknownPair)));
    assert_eq!(bench.control(dollars(0)), Some(Err(BooksRefusal::BadNumber)));
}
