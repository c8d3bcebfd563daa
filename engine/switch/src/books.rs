//! What an operator says of the books of account: rates between currencies, and splits.
//!
//! ```text
//! {"op":"books","entry":{"kind":"rate","from":"EUR","to":"USD","num":10842,"den":10000,"at_ns":1790000000000000000},…}
//! {"op":"books","entry":{"kind":"split","symbol":"AAPL","num":4,"den":1},"dry_run":true}
//! ```
//!
//! Both move sums of money that limits are held against, and which way nobody can say beforehand: a named operator, a reason and
//! the passphrase, always. To ask what would become of it takes none.

use serde::{Deserialize, Serialize};

use crate::passphrase::Passphrase;

/// A rate or a split, and who says so.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Books {
    /// What is said.
    pub entry: Entry,
    /// Only say what would become of it.
    #[serde(default)]
    pub dry_run: bool,
    /// Who says so.
    #[serde(default)]
    pub operator: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// The operator's.
    #[serde(default)]
    pub passphrase: Option<Passphrase>,
}

/// What is said of the books.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// One unit of `from` is worth `num / den` units of `to`.
    Rate {
        /// Of what, such as EUR.
        from: String,
        /// In what, such as USD.
        to: String,
        /// Units of `to` …
        num: u64,
        /// … for so many units of `from`.
        den: u64,
        /// Since when by engine time, nanoseconds; not of the future, and not before that of the rate in force.
        at_ns: u64,
    },
    /// Every instrument of the symbol is split: `num` new units for `den` old ones.
    Split {
        /// Which.
        symbol: String,
        /// New units.
        num: u32,
        /// Old units.
        den: u32,
    },
}

/// The rate that another one replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RateBefore {
    /// Units of the one currency …
    pub num: u64,
    /// … for so many units of the other.
    pub den: u64,
    /// Since when, nanoseconds.
    pub at_ns: u64,
}

/// A rate or a split that was taken, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Booked {
    /// What was said.
    pub entry: Entry,
    /// The rate in force before; `None`: there was none, or it is a split.
    pub before: Option<RateBefore>,
    /// Accounts that count in a rate.
    pub accounts: u32,
    /// Instruments that a split splits.
    pub instruments: u32,
    /// Positions in them, over all accounts.
    pub positions: u32,
    /// The input that did it; `None`: nothing was done.
    pub engine_seq: Option<u64>,
    /// Whether the journal has that input.
    pub recorded: bool,
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Entry::Rate { from, to, num, den, .. } => write!(f, "{den} {from} = {num} {to}"),
            Entry::Split { symbol, num, den } => write!(f, "{symbol} {num} for {den}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Request;

    /// Goal: what the tool writes the engine reads, and what is not exactly that is nothing. Method: one of each kind;
    /// numbers out of range, things left out, words nobody knows.
    #[test]
    fn entries_read_back() {
        let rate = Entry::Rate {
            from: "EUR".into(),
            to: "USD".into(),
            num: u64::MAX,
            den: 1,
            at_ns: u64::MAX,
        };
        for entry in [rate, Entry::Split { symbol: "A".into(), num: u32::MAX, den: 0 }] {
            let (operator, reason) = ("ann".into(), "r".into());
            let books =
                Books { entry: entry.clone(), dry_run: true, operator, reason, passphrase: None };
            let text = serde_json::to_string(&Request::Books(books)).unwrap();
            let Ok(Request::Books(read)) = serde_json::from_str(&text) else { panic!("{text}") };
            assert!(read.entry == entry && read.dry_run && read.passphrase.is_none());
        }
        for entry in [
            r#"{"kind":"rate","from":"EUR","to":"USD","num":-1,"den":1,"at_ns":1}"#,
            r#"{"kind":"rate","from":"EUR","to":"USD","num":1.5,"den":1,"at_ns":1}"#,
            r#"{"kind":"rate","from":"EUR","to":"USD","num":1,"den":1}"#,
            r#"{"kind":"split","symbol":"A","num":4294967296,"den":1}"#,
            r#"{"kind":"split","symbol":"A","num":2}"#,
            r#"{"kind":"split","symbol":"A","num":2,"den":1,"cash":1}"#,
            r#"{"kind":"merge","symbol":"A","num":2,"den":1}"#,
        ] {
            let text = format!(r#"{{"op":"books","entry":{entry}}}"#);
            assert!(serde_json::from_str::<Request>(&text).is_err(), "{text}");
        }
    }
}
