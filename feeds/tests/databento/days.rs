//! Ids and symbols over days: the engine has a book for each symbol, whatever number stands for it.

use std::collections::HashMap;

use dbn::encode::EncodeRecord;
use dbn::encode::dbn::Encoder;
use dbn::enums::rtype;
use dbn::{
    BidAskPair, FlagSet, MappingInterval, Mbp1Msg, RecordHeader, SType, Schema, SymbolMapping,
    SymbolMappingMsg, flags,
};
use feeds::databento::{DbnOptions, DbnReader};
use model::{Event, Kind, Side, VenueNumber};

use super::streams::{DAY, metadata};
use super::twin::Twin;

const DAY_NS: u64 = 86_400_000_000_000;

/// Symbol, id, first day and the day behind the last.
type Named = (&'static str, u32, u64, u64);

enum Said {
    /// Id, day, bid, ask.
    Quote(u32, u64, i64, i64),
    /// An id's symbol from here on.
    Mapping(u32, &'static str),
}
use Said::{Mapping, Quote};

fn stream(names: &[Named], says: &[Said]) -> Vec<u8> {
    let mut head = metadata(Some(Schema::Mbp1));
    let first = head.start().date();
    let day = |days: u64| (0..days).fold(first, |date, _| date.next_day().unwrap());
    head.mappings = names
        .iter()
        .map(|(symbol, id, from, to)| SymbolMapping {
            raw_symbol: (*symbol).to_string(),
            intervals: vec![MappingInterval {
                start_date: day(*from),
                end_date: day(*to),
                symbol: id.to_string(),
            }],
        })
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, &head).unwrap();
    for said in says {
        match *said {
            Quote(id, day, bid_px, ask_px) => {
                let ts = DAY + day * DAY_NS + 1;
                let record = Mbp1Msg {
                    hd: RecordHeader::new::<Mbp1Msg>(rtype::MBP_1, 2, id, ts),
                    action: b'A'.cast_signed(),
                    side: b'B'.cast_signed(),
                    flags: FlagSet::new(flags::LAST),
                    ts_recv: ts + 1,
                    levels: [BidAskPair {
                        bid_px,
                        ask_px,
                        bid_sz: 5,
                        ask_sz: 5,
                        bid_ct: 1,
                        ask_ct: 1,
                    }],
                    ..Mbp1Msg::default()
                };
                encoder.encode_record(&record).unwrap();
            }
            Mapping(id, symbol) => {
                let raw = SType::RawSymbol;
                let (from, to) = (DAY, DAY + DAY_NS);
                let record = SymbolMappingMsg::new(id, DAY, raw, symbol, raw, symbol, from, to);
                encoder.encode_record(&record.unwrap()).unwrap();
            }
        }
    }
    bytes
}

/// Books by symbol, as the engine has them.
#[derive(Default)]
struct Books {
    symbols: HashMap<VenueNumber, String>,
    books: HashMap<String, Twin>,
    /// Events of numbers that stand for nothing.
    unlisted: u64,
}

impl Books {
    fn take(&mut self, event: &Event) {
        if event.kind == Kind::Directory {
            let symbol = event.listing().unwrap().0.to_string();
            self.symbols.retain(|_, known| *known != symbol);
            self.books.entry(symbol.clone()).or_default();
            self.symbols.insert(event.number, symbol);
        } else if event.number != VenueNumber(0) {
            match self.symbols.get(&event.number) {
                Some(symbol) => self.books.get_mut(symbol).unwrap().take(event),
                None => self.unlisted += 1,
            }
        } else if [Kind::Clear, Kind::Integrity].contains(&event.kind) {
            self.books.values_mut().for_each(|book| book.take(event));
        }
    }

    fn of(streams: &[Vec<u8>]) -> Books {
        let mut books = Books::default();
        let mut reader = DbnReader::open(streams[0].as_slice(), DbnOptions::default()).unwrap();
        for (place, stream) in streams.iter().enumerate() {
            if place > 0 {
                reader.restart(stream.as_slice()).unwrap();
            }
            while reader.next(&mut |event| books.take(&event)).unwrap() {}
        }
        assert_eq!(books.unlisted, 0);
        books
    }

    /// Whether a book is live, and its prices.
    fn shown(&self, symbol: &str) -> (bool, [Vec<i64>; 2]) {
        let book = &self.books[symbol];
        assert_eq!(book.faults, 0);
        (book.is_live(), [Side::Buy, Side::Sell].map(|side| prices(book, side)))
    }
}

fn prices(book: &Twin, side: Side) -> Vec<i64> {
    book.levels[side.index()].keys().copied().collect()
}

/// Goal: a symbol with another id overnight has the levels of the new day alone, and is live; when its old id is another
/// symbol's, or its own again, that does no harm. Method: streams in turn, against books by symbol.
#[test]
fn ids_overnight() {
    let first = stream(&[("AAPL", 38, 0, 1)], &[Quote(38, 0, 100, 105)]);
    let second = stream(&[("AAPL", 39, 1, 2)], &[Quote(39, 1, 95, 110)]);
    let live = |bid, ask| (true, [vec![bid], vec![ask]]);
    let books = Books::of(&[first.clone(), second.clone()]);
    assert_eq!(books.shown("AAPL"), live(95, 110));

    let names = [("AAPL", 39, 2, 3), ("MSFT", 38, 2, 3)];
    let third = stream(&names, &[Quote(39, 2, 96, 111), Quote(38, 2, 400, 405)]);
    let books = Books::of(&[first.clone(), second.clone(), third]);
    assert_eq!(books.shown("AAPL"), live(96, 111));
    assert_eq!(books.shown("MSFT"), live(400, 405));

    let again = stream(&[("AAPL", 38, 2, 3)], &[Quote(38, 2, 97, 112), Quote(38, 2, 98, 112)]);
    let books = Books::of(&[first, second, again]);
    assert_eq!(books.shown("AAPL"), live(98, 112));
}

/// Goal: the same inside of one stream, by the metadata's days and by mapping records. Method: two days in a stream; ids
/// that change places.
#[test]
fn ids_within_a_stream() {
    let live = |bid, ask| (true, [vec![bid], vec![ask]]);
    let names = [("AAPL", 38, 0, 1), ("AAPL", 39, 1, 2), ("MSFT", 38, 1, 2)];
    let says = [
        Quote(38, 0, 100, 105),
        Quote(39, 1, 95, 110),
        Quote(38, 1, 400, 405),
        Quote(39, 1, 96, 110),
        // Behind the last day that is named, nothing says that it is another one.
        Quote(39, 3, 97, 110),
    ];
    let books = Books::of(&[stream(&names, &says)]);
    assert_eq!(books.shown("AAPL"), live(97, 110));
    assert_eq!(books.shown("MSFT"), live(400, 405));

    let says = [
        Mapping(38, "AAPL"),
        Quote(38, 0, 100, 105),
        Mapping(39, "AAPL"),
        Quote(39, 0, 95, 110),
        Mapping(38, "MSFT"),
        Quote(38, 0, 400, 405),
        Mapping(39, "GOOG"),
        Quote(39, 0, 700, 705),
        Mapping(38, "AAPL"),
        Quote(38, 0, 94, 111),
    ];
    let books = Books::of(&[stream(&[], &says)]);
    assert_eq!(books.shown("AAPL"), live(94, 111));
    assert_eq!(books.shown("GOOG"), live(700, 705));
    assert_eq!(books.shown("MSFT"), (false, [vec![400], vec![405]]));
}

/// Goal: books of levels that another stream is silent of are empty and not live. Method: two symbols, then one of them.
#[test]
fn silent_overnight() {
    let names = [("AAPL", 38, 0, 2), ("MSFT", 40, 0, 2)];
    let first = stream(&names, &[Quote(38, 0, 100, 105), Quote(40, 0, 400, 405)]);
    let second = stream(&names, &[Quote(38, 1, 95, 110)]);
    let books = Books::of(&[first, second]);
    assert_eq!(books.shown("AAPL"), (true, [vec![95], vec![110]]));
    assert_eq!(books.shown("MSFT"), (false, [vec![], vec![]]));
}
