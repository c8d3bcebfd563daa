//! What a stream feed is told at its start, and the symbols that it knows by number.

use model::{FeedId, Symbol};

/// Symbols of one feed, at most: Binance allows 1,024 streams a connection.
pub const SYMBOLS_MAX: usize = 1_024;

/// One symbol of a feed: the venue's name and what the rest of the engine calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSymbol {
    /// As the venue writes it in its messages: `BTCUSDT`, `BTC/USD`, `BTC-USDT-SWAP`.
    pub venue_symbol: String,
    /// As the engine lists it.
    pub symbol: Symbol,
    /// Prices are whole numbers of 10^-this; at most 18.
    pub px_decimals: u8,
    /// Quantities are whole numbers of 10^-this; at most 18.
    pub qty_decimals: u8,
}

/// What a stream feed is told at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamConfig {
    /// The feed that the events come by.
    pub feed: FeedId,
    /// The symbols, in the order of their venue numbers, which are 1, 2, 3 …; at most [`SYMBOLS_MAX`].
    pub symbols: Vec<StreamSymbol>,
    /// Levels a side to ask the venue for; [`StreamConfig::AS_RECORDED`] where nobody asks.
    pub depth: u16,
    /// Seed of the jitter of retries: the same seed and inputs give the same actions.
    pub seed: u64,
    /// Where to connect, instead of the venue's own address.
    pub ws_url: Option<String>,
    /// Where to ask for snapshots, instead of the venue's own address: scheme and host, no path.
    pub rest_url: Option<String>,
}

impl StreamConfig {
    /// The depth of a capture: what whoever recorded it asked for. More than any venue has.
    pub const AS_RECORDED: u16 = u16::MAX;
}

/// Why a configuration is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nothing to subscribe to.
    #[error("no symbols")]
    NoSymbols,
    /// More than [`SYMBOLS_MAX`].
    #[error("{got} symbols, at most {SYMBOLS_MAX}")]
    TooManySymbols {
        /// How many.
        got: usize,
    },
    /// More than the venue takes on one connection: to be split among several feeds.
    #[error("{got} symbols, the venue takes {most} on one connection")]
    TooManyForVenue {
        /// How many.
        got: usize,
        /// How many it takes.
        most: u16,
    },
    /// Empty, over 64 bytes, or holding a character that cannot stand in a name, a URL or a JSON string.
    #[error("symbol {index}: not a venue's symbol")]
    BadSymbol {
        /// Place in the list, from 0.
        index: usize,
    },
    /// The venue's or the engine's name of a symbol stands twice.
    #[error("symbol {index}: stands twice")]
    Twice {
        /// Place of the second, from 0.
        index: usize,
    },
    /// More than 18 decimals do not fit an `i64`.
    #[error("symbol {index}: more than 18 decimals")]
    Decimals {
        /// Place in the list, from 0.
        index: usize,
    },
}

/// The symbols of a feed: by index (0, 1, 2 …) and by the venue's name.
#[derive(Clone, Debug)]
pub struct Symbols {
    list: Vec<StreamSymbol>,
    /// Indexes, in the order of the venue's names.
    by_name: Vec<u16>,
}

impl Symbols {
    /// Takes the list over.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a symbol cannot be one, or stands twice.
    pub fn new(list: Vec<StreamSymbol>) -> Result<Symbols, ConfigError> {
        if list.is_empty() {
            return Err(ConfigError::NoSymbols);
        }
        if list.len() > SYMBOLS_MAX {
            return Err(ConfigError::TooManySymbols { got: list.len() });
        }
        for (index, symbol) in list.iter().enumerate() {
            if !is_name(&symbol.venue_symbol) {
                return Err(ConfigError::BadSymbol { index });
            }
            if symbol.px_decimals > 18 || symbol.qty_decimals > 18 {
                return Err(ConfigError::Decimals { index });
            }
            let before = list.iter().take(index);
            let same = |other: &StreamSymbol| {
                other.venue_symbol == symbol.venue_symbol || other.symbol == symbol.symbol
            };
            if before.clone().any(same) {
                return Err(ConfigError::Twice { index });
            }
        }
        let mut by_name: Vec<u16> = (0..list.len() as u16).collect();
        by_name.sort_by(|a, b| name_at(&list, *a).cmp(name_at(&list, *b)));
        Ok(Symbols { list, by_name })
    }

    /// Index of the symbol that the venue calls `name`; `None` if it is not one of ours.
    #[inline]
    pub fn index(&self, name: &[u8]) -> Option<u16> {
        let find = |index: &u16| name_at(&self.list, *index).cmp(name);
        let place = self.by_name.binary_search_by(find).ok()?;
        self.by_name.get(place).copied()
    }

    /// Index of the one symbol whose name stands in a sentence of the venue; `None` if there is none, or more than one. Looks
    /// for every name: not for what comes often.
    pub fn named_in(&self, sentence: &str) -> Option<u16> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-_/".contains(c);
        let words = sentence.split(|c| !is_part(c)).filter(|word| !word.is_empty());
        let mut named = words.filter_map(|word| self.index(word.as_bytes()));
        let first = named.next()?;
        named.all(|index| index == first).then_some(first)
    }

    /// The symbol of an index.
    #[inline]
    pub fn get(&self, index: u16) -> Option<&StreamSymbol> {
        self.list.get(usize::from(index))
    }

    /// All, in the order of their indexes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &StreamSymbol> {
        self.list.iter()
    }
}

fn name_at(list: &[StreamSymbol], index: u16) -> &[u8] {
    list.get(usize::from(index)).map_or(&[], |symbol| symbol.venue_symbol.as_bytes())
}

/// Whether a name can stand in a JSON string and, but for its slash, in a URL, as it is.
fn is_name(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_/.:".contains(&b);
    (1..=64).contains(&name.len()) && name.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a refusal in words finds its symbol, and none where it names none or several. Method: sentences of venues.
    #[test]
    fn named_in_a_sentence() {
        let symbol = |name: &str| StreamSymbol {
            venue_symbol: name.to_owned(),
            symbol: Symbol::new(name).unwrap(),
            px_decimals: 1,
            qty_decimals: 1,
        };
        let symbols =
            Symbols::new(["BTC-USD", "BTC-USD-SWAP", "ETHUSDT"].map(symbol).to_vec()).unwrap();
        for (sentence, index) in [
            ("channel:books,instId:BTC-USD-SWAP doesn't exist", Some(1)),
            ("BTC-USD is not a valid product", Some(0)),
            ("error:handler not found,topic:orderbook.50.ETHUSDT", Some(2)),
            ("orderbook.50.ETHUSDT,publicTrade.ETHUSDT", Some(2)),
            ("BTC-USD, ETHUSDT", None),
            ("too many requests", None),
            ("", None),
        ] {
            assert_eq!(symbols.named_in(sentence), index, "{sentence}");
        }
    }
}
