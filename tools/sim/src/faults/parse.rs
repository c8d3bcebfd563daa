//! A plan as text.

use std::fmt;
use std::str::FromStr;

use super::FaultPlan;

/// Text that is no plan: the part that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPlan(pub String);

impl fmt::Display for BadPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BadPlan(part) = self;
        write!(
            f,
            "`{part}`: wanted name=value, names: seed, burst-packets (numbers); loss, burst, \
             duplicate, reorder (of a thousand); \
             delay, jitter, hold (like 50us); dead (like 2s..5s)"
        )
    }
}

impl std::error::Error for BadPlan {}

impl FromStr for FaultPlan {
    type Err = BadPlan;

    /// Reads `name=value` pairs with commas between them; an empty text is [`FaultPlan::NONE`].
    fn from_str(text: &str) -> Result<FaultPlan, BadPlan> {
        let mut plan = FaultPlan::NONE;
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            set(&mut plan, part).ok_or_else(|| BadPlan(part.to_owned()))?;
        }
        Ok(plan)
    }
}

fn set(plan: &mut FaultPlan, part: &str) -> Option<()> {
    let (name, value) = part.split_once('=')?;
    match name {
        "seed" => plan.seed = value.parse().ok()?,
        "loss" => plan.loss_per_mille = per_mille(value)?,
        "burst" => plan.burst_per_mille = per_mille(value)?,
        "burst-packets" => plan.burst_packets = value.parse().ok()?,
        "duplicate" => plan.duplicate_per_mille = per_mille(value)?,
        "reorder" => plan.reorder_per_mille = per_mille(value)?,
        "hold" => plan.reorder_ns = nanoseconds(value)?,
        "delay" => plan.delay_ns = nanoseconds(value)?,
        "jitter" => plan.jitter_ns = nanoseconds(value)?,
        "dead" => {
            let (from, until) = value.split_once("..")?;
            let dead = (nanoseconds(from)?, nanoseconds(until)?);
            plan.dead_ns = Some(dead).filter(|(from, until)| from < until);
            plan.dead_ns?;
        }
        _ => return None,
    }
    Some(())
}

pub(crate) fn per_mille(text: &str) -> Option<u16> {
    text.parse().ok().filter(|part| *part <= 1_000)
}

/// A whole number and its unit; at most an hour, so that times add up without care.
pub(crate) fn nanoseconds(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit: u64 = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|ns| *ns <= 3_600_000_000_000)
}
