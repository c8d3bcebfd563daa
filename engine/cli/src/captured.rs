//! Captures as commands are told of them, and as configurations have them.

use std::path::PathBuf;

use clap::Args;
use engine::config::{Capacity, Captures, FeedConfig, FeedSource, Speed};
use engine::runtime::RunError;
use feeds::stream::StreamSymbol;
use feeds::{Date, Venue};
use model::Symbol;

use crate::exit::Failure;

/// Silence of a feed after which its books are stale.
const SILENCE_NS: u64 = 5_000_000_000;

/// Captures, and what they do not say of themselves.
#[derive(Args)]
pub struct Captured {
    /// Captures.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Whose texts the files hold: lines `nanoseconds json` do not say.
    #[arg(long, value_name = "VENUE", value_parser = parse_venue)]
    venue: Option<Venue>,
    /// A symbol of such files, as the venue writes it, with the decimals of its prices and quantities; may be given again.
    /// With `=NAME` behind it: what the engine calls it, if that is to be another name.
    #[arg(long = "symbol", value_name = "SYMBOL[=NAME]:PX:QTY", value_parser = parse_symbol)]
    symbols: Vec<StreamSymbol>,
    /// Day of the first message: the captures carry none.
    #[arg(long, default_value = "1970-01-01", value_name = "YYYY-MM-DD")]
    date: Date,
}

impl Captured {
    /// Bytes of all files as they lie there; of those that are not there, none.
    pub fn bytes(&self) -> u64 {
        self.files.iter().filter_map(|file| file.metadata().ok()).map(|found| found.len()).sum()
    }

    /// One feed of some of the files, in turn.
    ///
    /// # Errors
    ///
    /// [`Failure`] if one cannot be read, or is of another kind than the first.
    pub fn feed(&self, files: &[PathBuf], speed: Speed) -> Result<FeedConfig, Failure> {
        let mut venues = Vec::new();
        for path in files {
            let kind = feeds::capture::kind_of(path);
            let error = |error| RunError::Feed { path: path.clone(), error };
            let venue = kind.map_err(error)?.venue.or(self.venue);
            venues.push(venue.ok_or_else(|| {
                let path = path.display();
                Failure::usage(format!(
                    "{path}: texts of a venue; --venue and --symbol must say which"
                ))
            })?);
        }
        let Some(venue) = venues.first().copied() else { return Err(Failure::usage("no file")) };
        if let Some(place) = venues.iter().position(|other| *other != venue) {
            return Err(Failure::usage(format!(
                "{} is {}, {} is {venue}: only captures of one kind play in turn; `tickgate replay --merge` interleaves them",
                files.get(place).map_or_else(String::new, |file| file.display().to_string()),
                venues.get(place).map_or("", |venue| venue.name()),
                files.first().map_or_else(String::new, |file| file.display().to_string()),
            )));
        }
        let source = FeedSource::Captures(Captures {
            files: files.to_vec(),
            date: self.date,
            speed,
            repeat: false,
            symbols: if venue.is_over_streams() { self.symbols.clone() } else { Vec::new() },
        });
        Ok(FeedConfig { venue, source, silence_ns: SILENCE_NS })
    }
}

/// Sizes for captures of so many bytes, where nothing else says them.
pub fn capacity(bytes: u64, feeds: &[FeedConfig]) -> Capacity {
    let is_small = bytes < 256 << 20 && feeds.iter().all(|feed| feed.venue != Venue::Iex);
    if is_small { Capacity::SMALL } else { Capacity::LARGE }
}

/// Reads `max` or a factor.
///
/// # Errors
///
/// What it must be.
pub fn parse_speed(text: &str) -> Result<Speed, String> {
    Speed::parse(text).ok_or_else(|| "must be `max` or a factor such as 1 or 2.5".into())
}

fn parse_venue(text: &str) -> Result<Venue, String> {
    Venue::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Venue::ALL.iter().map(|venue| venue.name()).collect();
        format!("must be one of {}", names.join(", "))
    })
}

/// `BTC/USD:1:8`, where the engine's own name of it is the same; `BTC/USD=BTCUSD:1:8`, where it is `BTCUSD`.
fn parse_symbol(text: &str) -> Result<StreamSymbol, String> {
    let mut parts = text.rsplitn(3, ':');
    let mut decimals = || parts.next().and_then(|part| part.parse::<u8>().ok());
    let (Some(qty_decimals), Some(px_decimals)) = (decimals(), decimals()) else {
        let examples = "such as BTCUSDT:2:6 or BTC-USD=BTCUSD:2:8";
        return Err(format!("must be a symbol and two numbers, {examples}"));
    };
    if px_decimals.saturating_add(qty_decimals) > 12 {
        return Err("the decimals must not exceed 12 together".into());
    }
    let names = parts.next().unwrap_or_default();
    let (venue_symbol, own) = names.split_once('=').unwrap_or((names, names));
    let is_mapped = venue_symbol.len() < names.len();
    if venue_symbol.is_empty() && is_mapped {
        return Err(format!("`{names}`: the venue's name is missing before `=`"));
    }
    if own.contains('=') {
        return Err(format!("`{names}`: more than one `=`; must be the venue's name, then ours"));
    }
    let symbol = Symbol::new(own).map_err(|error| {
        let way_out = format!("; {own}=NAME:{px_decimals}:{qty_decimals} gives it another name");
        let way_out = if is_mapped || own.is_empty() { "" } else { way_out.as_str() };
        format!("`{own}`: {error}{way_out}")
    })?;
    let venue_symbol = venue_symbol.to_owned();
    Ok(StreamSymbol { venue_symbol, symbol, px_decimals, qty_decimals })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a symbol is read with its two names. Method: with and without one of ours; names that hold the separator.
    #[test]
    fn symbols() {
        for (text, venue_symbol, own, decimals) in [
            ("BTCUSDT:2:6", "BTCUSDT", "BTCUSDT", [2, 6]),
            ("BTC/USD:1:8", "BTC/USD", "BTC/USD", [1, 8]),
            ("BTC-USD=BTCUSD:2:8", "BTC-USD", "BTCUSD", [2, 8]),
            ("a:b=AB:0:0", "a:b", "AB", [0, 0]),
            ("ANAMETHATISTOOLONG=SHORT:12:0", "ANAMETHATISTOOLONG", "SHORT", [12, 0]),
        ] {
            let symbol = parse_symbol(text).unwrap();
            assert_eq!((symbol.venue_symbol.as_str(), symbol.symbol.as_str()), (venue_symbol, own));
            assert_eq!([symbol.px_decimals, symbol.qty_decimals], decimals, "{text}");
        }
    }

    /// Goal: what cannot be read is refused, and says why. Method: near misses, each with a part of its error.
    #[test]
    fn bad_symbols() {
        for (text, error) in [
            ("", "such as BTCUSDT:2:6 or BTC-USD=BTCUSD:2:8"),
            ("BTCUSDT", "such as"),
            ("BTCUSDT:2", "such as"),
            ("BTCUSDT:2:-6", "such as"),
            ("BTC-USD=BTCUSD:2:x", "such as"),
            ("BTCUSDT:5:8", "12 together"),
            ("BTCUSDT:250:10", "12 together"),
            ("=BTCUSD:2:8", "before `=`"),
            ("BTC-USD=:2:8", "``: "),
            ("A=B=C:2:8", "more than one `=`"),
            ("ANAMETHATISTOOLONG:2:8", "ANAMETHATISTOOLONG=NAME:2:8 gives it another name"),
            ("BTC-USD=ANAMETHATISTOOLONG:2:8", "`ANAMETHATISTOOLONG`: "),
        ] {
            let refused = parse_symbol(text).unwrap_err();
            assert!(refused.contains(error), "{text}: {refused}");
        }
    }
}
