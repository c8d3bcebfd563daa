//! What goes wrong between a venue and its client, decided by a seed.

use std::str::FromStr;

use crate::rng::Rng;

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A text is lost.
    Drop,
    /// It comes twice.
    Duplicate,
    /// It overtakes up to three others.
    Reorder,
    /// It comes once more, later.
    LateCopy,
    /// Its checksum is wrong.
    Checksum,
    /// It is cut short and ends in rubbish.
    Truncate,
    /// Something strange comes before it.
    Strange,
    /// A text of more than 16 MiB comes instead.
    Oversize,
    /// Nothing comes for up to 20 s. This and those below: each tick, each connection.
    Stall,
    /// The connection breaks.
    Cut,
    /// It is said to end, and ends a second later.
    Farewell,
    /// A book changes 300 times at once. Each tick.
    Flood,
    /// A connection is refused.
    RefuseOpen,
    /// A request is refused.
    RefuseRequest,
    /// A body is refused: 429, 500 or 503.
    RestFail,
    /// It is of a while ago.
    RestStale,
    /// It comes up to 12 s late.
    RestLate,
    /// It never comes.
    RestNever,
    /// It is cut short.
    RestTruncate,
    /// The connection breaks when a whole book has been sent.
    CutInBridge,
}

impl Fault {
    /// All of them, by the names of commands, and how often they happen in the middle of a bad day.
    const ALL: [(&'static str, Fault, u16); 20] = [
        ("drop", Fault::Drop, 12),
        ("duplicate", Fault::Duplicate, 12),
        ("reorder", Fault::Reorder, 12),
        ("late_copy", Fault::LateCopy, 12),
        ("checksum", Fault::Checksum, 12),
        ("truncate", Fault::Truncate, 12),
        ("strange", Fault::Strange, 12),
        ("oversize", Fault::Oversize, 1),
        ("stall", Fault::Stall, 8),
        ("cut", Fault::Cut, 8),
        ("farewell", Fault::Farewell, 2),
        ("flood", Fault::Flood, 4),
        ("refuse_open", Fault::RefuseOpen, 100),
        ("refuse_request", Fault::RefuseRequest, 30),
        ("rest_fail", Fault::RestFail, 150),
        ("rest_stale", Fault::RestStale, 150),
        ("rest_late", Fault::RestLate, 150),
        ("rest_never", Fault::RestNever, 50),
        ("rest_truncate", Fault::RestTruncate, 50),
        ("cut_in_bridge", Fault::CutInBridge, 60),
    ];
}

/// How often each thing goes wrong: so many times of a thousand. As text: `drop=12,cut=5`, or `all`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CryptoFaults([u16; Fault::ALL.len()]);

impl CryptoFaults {
    /// Nothing goes wrong.
    pub const NONE: CryptoFaults = CryptoFaults([0; Fault::ALL.len()]);

    /// Everything goes wrong, in measure.
    pub fn all() -> CryptoFaults {
        CryptoFaults(Fault::ALL.map(|(_, _, often)| often))
    }

    /// The same, with another frequency of one fault.
    #[must_use]
    pub fn with(mut self, fault: Fault, per_mille: u16) -> CryptoFaults {
        self.0[fault as usize] = per_mille;
        self
    }

    /// Whether it happens now.
    pub(super) fn strikes(&self, fault: Fault, rng: &mut Rng) -> bool {
        rng.per_mille(self.0[fault as usize])
    }
}

/// A plan that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFaults(String);

impl std::fmt::Display for BadFaults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = Fault::ALL.map(|(name, ..)| name).join(", ");
        write!(f, "{}: not NAME=PER_MILLE with a name of {names}", self.0)
    }
}

impl std::error::Error for BadFaults {}

impl FromStr for CryptoFaults {
    type Err = BadFaults;

    fn from_str(text: &str) -> Result<CryptoFaults, BadFaults> {
        let mut faults = CryptoFaults::NONE;
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            if part == "all" {
                faults = CryptoFaults::all();
                continue;
            }
            let bad = || BadFaults(part.to_owned());
            let (name, often) = part.split_once('=').ok_or_else(bad)?;
            let place = Fault::ALL.iter().position(|(known, ..)| *known == name).ok_or_else(bad)?;
            let often: u16 = often.parse().map_err(|_| bad())?;
            faults.0[place] = Some(often).filter(|often| *often <= 1_000).ok_or_else(bad)?;
        }
        Ok(faults)
    }
}

/// Texts that no venue should send.
pub(super) const STRANGE: [&str; 8] = [
    "null",
    "[]",
    "{}",
    "\"text\"",
    "0.1e400",
    "{\"channel\":\"book\",\"type\":\"update\",\"data\":[]}",
    "{\"stream\":\"nothing@depth\",\"data\":{\"e\":\"depthUpdate\",\"s\":\"NOTHING\",\"U\":1,\"u\":2,\"b\":[],\"a\":[]}}",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a plan is read as written, and what is none is refused by name. Method: a table; every name in turn.
    #[test]
    fn plans() {
        let plan: CryptoFaults = "drop=5, cut=1000".parse().unwrap();
        assert_eq!(plan, CryptoFaults::NONE.with(Fault::Drop, 5).with(Fault::Cut, 1_000));
        assert_eq!("".parse(), Ok(CryptoFaults::NONE));
        assert_eq!("all,drop=0".parse(), Ok(CryptoFaults::all().with(Fault::Drop, 0)));
        for bad in ["drop", "drop=1001", "drop=-1", "nothing=1", "drop=x"] {
            assert!(bad.parse::<CryptoFaults>().unwrap_err().to_string().starts_with(bad), "{bad}");
        }
        for (place, (name, fault, _)) in Fault::ALL.into_iter().enumerate() {
            assert_eq!(fault as usize, place, "{name}");
        }
    }
}
