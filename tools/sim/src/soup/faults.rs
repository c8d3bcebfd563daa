//! What goes wrong on connections, decided by a seed.

use std::fmt;
use std::str::FromStr;

use crate::faults::parse::{nanoseconds, per_mille};

/// What goes wrong on connections. The default: nothing.
///
/// As text: `drop=200,stall=50,stall-time=20s,garbage=10,session=2,misplace=100,reject=50`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The same seed makes the same faults.
    pub seed: u64,
    /// Messages of a million in whose middle the connection is dropped.
    pub drop_per_million: u32,
    /// Messages of a million before which the connection falls silent.
    pub stall_per_million: u32,
    /// For how long, in nanoseconds.
    pub stall_ns: u64,
    /// Messages of a million before which a packet comes that is none: cut short, too long, of no type or an
    /// unknown one.
    pub garbage_per_million: u32,
    /// Messages of a million after which another session takes over.
    pub session_per_million: u32,
    /// Logins of a thousand that are accepted with another sequence than was asked for; never two in a row.
    pub misplace_per_mille: u16,
    /// Logins of a thousand that are rejected.
    pub reject_per_mille: u16,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Faults = Faults {
        seed: 1,
        drop_per_million: 0,
        stall_per_million: 0,
        stall_ns: 20_000_000_000,
        garbage_per_million: 0,
        session_per_million: 0,
        misplace_per_mille: 0,
        reject_per_mille: 0,
    };
}

impl Default for Faults {
    fn default() -> Faults {
        Faults::NONE
    }
}

/// Text that tells no faults: the part that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFaults(pub String);

impl fmt::Display for BadFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BadFaults(part) = self;
        write!(
            f,
            "`{part}`: wanted name=value, names: seed (a number); drop, stall, garbage, session (of \
             a million messages); misplace, reject (of a thousand logins); stall-time (like 20s)"
        )
    }
}

impl std::error::Error for BadFaults {}

impl FromStr for Faults {
    type Err = BadFaults;

    /// Reads `name=value` pairs with commas between them; an empty text is [`Faults::NONE`].
    fn from_str(text: &str) -> Result<Faults, BadFaults> {
        let mut faults = Faults::NONE;
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            set(&mut faults, part).ok_or_else(|| BadFaults(part.to_owned()))?;
        }
        Ok(faults)
    }
}

fn set(faults: &mut Faults, part: &str) -> Option<()> {
    let (name, value) = part.split_once('=')?;
    let per_million = || value.parse().ok().filter(|part| *part <= 1_000_000);
    match name {
        "seed" => faults.seed = value.parse().ok()?,
        "drop" => faults.drop_per_million = per_million()?,
        "stall" => faults.stall_per_million = per_million()?,
        "stall-time" => faults.stall_ns = nanoseconds(value)?,
        "garbage" => faults.garbage_per_million = per_million()?,
        "session" => faults.session_per_million = per_million()?,
        "misplace" => faults.misplace_per_mille = per_mille(value)?,
        "reject" => faults.reject_per_mille = per_mille(value)?,
        _ => return None,
    }
    Some(())
}
