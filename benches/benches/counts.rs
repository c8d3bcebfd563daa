//! Stages without a clock, for a tool that counts instructions: `counts STAGE UNITS` does so many units of a stage after a
//! set-up that does not depend on their number, so that the difference of two runs is that of the units alone.
//! `cargo x counts` does that, and compares with `benches/counts.tsv`.

use std::hint::black_box;
use std::process::ExitCode;

use benches::floor::{Floor, ORDERS, Row};
use benches::{DECODER, SYMBOLS, Stream, apply, frames, order_fields, read_best, sequencer};
use engine::book::{BookCapacity, Books};
use engine::sequencer::Sequencer;
use model::page::{Board, TapeKind};
use model::{
    Ask, Body, ClientOrderId, Conditions, Flags, InstrumentId, Note, OrderType, Origin, Qty,
    Request, Side, Symbol, Terms, Tif,
};
use shm::{Capacity, Publisher};

/// Messages of the day: more than the units that anybody asks for.
const MESSAGES: u64 = 60_000;
/// Events before the pages of `publish` are taken.
const EVENTS: usize = 30_000;

/// Units of the two runs whose difference counts, where a stage is the same from the beginning.
const ANY: [usize; 2] = [500, 1_500];
/// The same within the day: its first messages list symbols and open levels of empty books.
const MIDDAY: [usize; 2] = [20_000, 40_000];

/// Its name, its unit, its two runs, and what does so many units.
type Stage = (&'static str, &'static str, [usize; 2], fn(usize));

/// Every stage. `cargo x counts` reads the list.
const STAGES: [Stage; 7] = [
    ("fields", "message", MIDDAY, fields),
    ("decode", "message", MIDDAY, decode),
    ("book", "event", MIDDAY, book),
    ("step", "event", MIDDAY, step),
    ("gate", "order", ANY, gate),
    ("order", "order", ANY, order),
    ("publish", "page", ANY, publish),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, units, ..] = arguments.as_slice() else {
        for (name, unit, [few, many], _) in STAGES {
            println!("{name}\t{unit}\t{few}\t{many}");
        }
        return ExitCode::SUCCESS;
    };
    let stage = STAGES.iter().find(|(known, ..)| known == name);
    let (Some((.., work)), Ok(units)) = (stage, units.parse()) else { return ExitCode::from(2) };
    work(units);
    ExitCode::SUCCESS
}

/// ITCH bytes to reference, quantity and price.
fn fields(units: usize) {
    let (day, _) = Stream::day_of(MESSAGES);
    black_box(order_fields(frames(&day.bytes).take(units)));
}

/// ITCH bytes to events.
fn decode(units: usize) {
    let (day, _) = Stream::day_of(MESSAGES);
    for (message, seq) in frames(&day.bytes).zip(1..).take(units) {
        let _ = black_box(&DECODER.decode(message, seq, Flags::LAST_OF_PACKET));
    }
}

/// Events to the books of orders, both best prices read after each.
fn book(units: usize) {
    let (day, _) = Stream::day_of(MESSAGES);
    let mut books = Books::new(BookCapacity::new(u32::from(SYMBOLS) + 1, 1 << 16));
    apply(&mut books, &day.events[..units], read_best);
}

/// Events through the whole step of an engine: book, indicators, marks, paper venue; nobody sends orders.
fn step(units: usize) {
    played(units);
}

/// An engine that heard so many events of the day.
fn played(events: usize) -> Sequencer {
    let (day, _) = Stream::day_of(MESSAGES);
    let mut sequencer = sequencer(None);
    for event in &day.events[..events] {
        sequencer.event(event, &mut ());
        sequencer.out.forget();
    }
    sequencer
}

/// Orders that pass every check with all limits on, 100 accounts beneath a firm in 100 instruments.
fn gate(units: usize) {
    let mut floor = Floor::new(Row { instruments: 100, accounts: 100, all: true });
    (0..units.min(ORDERS)).for_each(|number| floor.judge(number));
}

/// Orders from their request through the gate and the paper venue to the fill, one lot at the far touch, buying and selling
/// in turn, through every instrument.
fn order(units: usize) {
    let mut sequencer = played(EVENTS);
    let ids: Vec<ClientOrderId> = (0..ANY[1]).map(client_id).collect();
    let listed = sequencer.engine.instruments().len();
    let probe = Symbol::new("probe").expect("a name");
    let account = sequencer.engine.account(probe).expect("its account");
    let (mut asked, mut filled) = (0, 0);
    for (number, client_id) in ids.into_iter().enumerate() {
        if asked == units {
            break;
        }
        let id = (number % listed) as u32;
        let side = if (number / listed).is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let engine = &sequencer.engine;
        let touch = engine.books_of(id).and_then(|books| books.best(id as usize, side.opposite()));
        let Some(touch) = touch else { continue };
        let terms = Terms {
            client_id,
            instrument: InstrumentId(id),
            side,
            order_type: OrderType::Limit,
            tif: Tif::Ioc,
            px: touch.px,
            qty: Qty(1),
            conditions: Conditions::NONE,
        };
        let (origin, note) = (Origin::Strategy(0), Note::default());
        let request = Request { id: number as u64, origin, account, ask: Ask::New(terms), note };
        sequencer.input(sequencer.engine.now(), Body::Request(request), &mut ());
        filled += sequencer.out.tape.iter().filter(|record| record.kind == TapeKind::Fill).count();
        sequencer.out.forget();
        asked += 1;
    }
    assert!(asked == units && filled * 10 > units * 9, "{filled} of {asked} fill");
}

fn client_id(number: usize) -> ClientOrderId {
    ClientOrderId::new(&format!("counted-{number}")).expect("an id")
}

/// Boards of an engine in the middle of the day to shared memory.
fn publish(units: usize) {
    let engine = &played(EVENTS).engine;
    let listed = 0..engine.instruments().len() as u32;
    let pages: Vec<Board> = listed.filter_map(|instrument| engine.board(instrument)).collect();
    let mut publisher = Publisher::create(Capacity::default(), 1).expect("shared memory");
    for page in pages.iter().cycle().take(units) {
        publisher.publish_board(page.instrument.id.0 as usize, black_box(page));
    }
}
