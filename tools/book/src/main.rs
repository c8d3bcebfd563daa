//! `tickgate-book`: the order book of one instrument at a moment of a capture.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use engine::book::{BookCapacity, Books};
use feeds::{FeedOptions, FileFeed, Next};
use model::page::Level;
use model::{Event, Integrity, Kind, Scaled, Side, Symbol};
use program::{eprintln, println};

/// Orders that can rest at once.
const ORDERS: u32 = 1 << 22;

/// Prints the order book of an instrument after a message, or at a time of day, of an ITCH 5.0 capture.
#[derive(Parser)]
#[command(
    name = "tickgate-book",
    version,
    after_help = "Examples:\n  \
    tickgate book day.itch.gz --symbol AAPL --at 10:00:00 --levels 5\n  \
    tickgate book day.itch --symbol AAPL --after 1001 --json"
)]
struct Cli {
    /// An ITCH 5.0 capture in BinaryFILE framing, plain or gzip.
    file: PathBuf,
    /// The instrument.
    #[arg(long)]
    symbol: String,
    /// The book after this message of the file, from 1. Without `--after` or `--at`: after the last.
    #[arg(long, value_name = "N", conflicts_with = "at")]
    after: Option<u64>,
    /// The book after all messages up to this time of day of the venue.
    #[arg(long, value_name = "HH:MM:SS.nnnnnnnnn", value_parser = time_of_day)]
    at: Option<u64>,
    /// Best levels of each side; without it all.
    #[arg(long, value_name = "L")]
    levels: Option<usize>,
    /// Prints comma-separated lines: side,price,shares,orders; bids then asks, price ascending. The default.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

fn time_of_day(text: &str) -> Result<u64, String> {
    model::parse_time_of_day(text).ok_or_else(|| "must be HH:MM:SS with up to nine decimals".into())
}

/// Exit code and what is said.
type Failure = (u8, String);

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, message)) => {
            eprintln!("tickgate-book: {message}");
            ExitCode::from(code)
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let symbol = Symbol::new(&cli.symbol).map_err(|error| (2, format!("--symbol is {error}")))?;
    let mut books = Books::new(BookCapacity::new(1, ORDERS));
    let seen = play(cli, symbol, &mut books)?;
    if !seen {
        return Err((
            2,
            format!("{}: no directory message for {symbol} up to there", cli.file.display()),
        ));
    }
    let [bids, asks] = [Side::Buy, Side::Sell].map(|side| levels(&books, side, cli.levels));
    let (integrity, cause) = books.integrity(0);
    if cli.json {
        let side = |levels: &[Level]| levels.iter().map(json).collect::<Vec<_>>();
        let (bids, asks) = (side(&bids), side(&asks));
        let integrity = integrity.name();
        println!(
            "{}",
            serde_json::json!({ "symbol": cli.symbol, "integrity": integrity, "bids": bids, "asks": asks })
        );
    } else {
        println!("side,price,shares,orders");
        for (side, levels) in [("B", &bids), ("S", &asks)] {
            levels.iter().for_each(|level| {
                println!("{side},{},{},{}", price(level), level.qty.0, level.orders)
            });
        }
    }
    if integrity == Integrity::Live {
        return Ok(());
    }
    Err((1, format!("the book is {integrity} ({cause}): something of it is missing")))
}

/// Applies the file up to where the user asks; whether the instrument was listed.
fn play(cli: &Cli, symbol: Symbol, books: &mut Books) -> Result<bool, Failure> {
    let bad = |error: feeds::FeedError| (3, format!("{}: {error}", cli.file.display()));
    let mut feed =
        FileFeed::open(std::slice::from_ref(&cli.file), FeedOptions::default()).map_err(bad)?;
    let mut number = None;
    let mut last = 0;
    while let Next::Event(event) = feed.next().map_err(bad)? {
        let beyond = cli.after.is_some_and(|after| event.seq > after)
            || cli.at.is_some_and(|at| event.ts_venue.time_of_day() > at);
        // What is missing before it may lie within.
        let is_missing = event.seq > last + 1 || event.kind == Kind::Integrity;
        if is_missing && cli.after.is_none_or(|after| after > last) {
            books.set_integrity(0, Integrity::Incomplete, model::Cause::Gap);
        }
        if beyond {
            break;
        }
        last = event.seq;
        if is_new_day(&event) {
            books.clear_all();
            number = None;
        }
        if event.kind == Kind::Directory
            && event.listing().is_some_and(|(listed, ..)| listed == symbol)
        {
            if number.is_none() && books.integrity(0).1 == model::Cause::NotStarted {
                books.set_integrity(0, Integrity::Live, model::Cause::None);
            }
            number = Some(event.number);
        }
        if number == Some(event.number) {
            books.apply(0, &event);
        }
    }
    Ok(number.is_some())
}

fn is_new_day(event: &Event) -> bool {
    event.kind == Kind::Session && event.aux == u64::from(b'O')
}

/// The best `most` levels, price ascending.
fn levels(books: &Books, side: Side, most: Option<usize>) -> Vec<Level> {
    let mut levels: Vec<Level> = books.levels(0, side).take(most.unwrap_or(usize::MAX)).collect();
    levels.sort_by_key(|level| level.px);
    levels
}

/// In dollars, without zeros behind the cents.
fn price(level: &Level) -> String {
    let text = Scaled { value: level.px.0.into(), decimals: 4 }.to_string();
    text.strip_suffix("00").unwrap_or(&text).to_string()
}

fn json(level: &Level) -> serde_json::Value {
    serde_json::json!({ "price": price(level), "shares": level.qty.0, "orders": level.orders })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a message that cannot be decoded leaves no book that looks whole: the last of the file, the last that is asked
    /// for, and one before; what is asked for before it does. Method: an order, a delete that is cut, and what follows.
    #[test]
    fn bad_messages_are_noticed() {
        let mut bytes = Vec::new();
        let mut push = |kind: u8, rest: &[u8]| {
            bytes.extend_from_slice(&((rest.len() + 11) as u16).to_be_bytes());
            bytes.extend_from_slice(&[kind, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1]);
            bytes.extend_from_slice(rest);
        };
        push(b'R', b"A       QN\0\0\0\x64NC  PN 1N\0\0\0\0N");
        push(b'A', b"\0\0\0\0\0\0\0\x65B\0\0\0\x05A       \0\0\0\x64");
        push(b'D', b"\0\0\0\0\0\0\0");
        let end = bytes.len();
        let mut push = |event: u8| {
            bytes.extend_from_slice(&[0, 12, b'S', 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, event]);
        };
        push(b'Q');
        push(b'M');
        let folder = std::env::temp_dir();
        let path = folder.join(format!("tickgate-book-{}.itch", std::process::id()));
        for (length, after, live) in [
            (end, None, false),
            (bytes.len(), None, false),
            (bytes.len(), Some(2), true),
            (bytes.len(), Some(3), false),
            (bytes.len(), Some(4), false),
            (end, Some(2), true),
            (end, Some(3), false),
        ] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let mut books = Books::new(BookCapacity::new(1, 16));
            let symbol = Symbol::new("A").unwrap();
            let cli = Cli {
                file: path.clone(),
                symbol: "A".into(),
                after,
                at: None,
                levels: None,
                csv: false,
                json: false,
            };
            assert_eq!(play(&cli, symbol, &mut books), Ok(true));
            let is_live = books.integrity(0).0 == Integrity::Live;
            assert_eq!(is_live, live, "{length} {after:?}");
        }
        std::fs::remove_file(&path).unwrap();
    }
}
