//! `[[rate]]` of `limits.toml`: what one currency is worth in another, and how long that holds.

use feeds::Date;
use model::Ts;
use risk::Rate;

use crate::rules::{AccountRule, RateRule, Rules};

use super::table::{ConfigErrors, Table};

/// Oldest that a rate may be: over a long week-end.
const AGE_MS_MAX: u64 = 10 * 86_400_000;
/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// Reads one row.
pub(super) fn rate(mut table: Table<'_>, rules: &mut Rules, errors: &mut ConfigErrors) {
    let [from, to] = ["from", "to"].map(|key| table.currency(key, errors));
    let age_max_ms = table.number("age_max_ms", 1, AGE_MS_MAX, errors);
    let rate = if table.has("px") || table.has("at") { px(&mut table, errors) } else { Some(None) };
    if let (Some(from), Some(to), Some(age_max_ms), Some(rate)) = (from, to, age_max_ms, rate) {
        if from == to {
            table.error("a currency is worth itself", errors);
        }
        if rules.rates.iter().any(|other| (other.from, other.to) == (from, to)) {
            table.error("a second row for the same currencies", errors);
        }
        rules.rates.push(RateRule { from, to, age_max_ns: age_max_ms * MS, rate });
    }
    table.finish(errors);
}

/// The rate itself, exactly as it is written, and when it was so.
fn px(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<Option<Rate>> {
    let px = table.decimal("px", errors);
    let at = table.text("at", errors)?;
    let at = moment(&at);
    if at.is_none() {
        table.error("`at` must be a time in UTC: \"2026-12-31T16:00:00Z\"", errors);
    }
    let px = px?.normalize();
    let num = u64::try_from(px.mantissa()).ok().filter(|num| *num > 0);
    let den = 10_u64.checked_pow(px.scale());
    if num.is_none() || den.is_none() {
        table.error("`px` must be above zero, with fewer digits", errors);
    }
    Some(Some(Rate { num: num?, den: den?, at: at? }))
}

/// Reads a time in UTC, `YYYY-MM-DDTHH:MM:SSZ`; `None` for anything else.
pub fn moment(text: &str) -> Option<Ts> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let midnight = date.parse::<Date>().ok()?.midnight().0;
    let mut parts = time.splitn(3, ':').map(|part| {
        let plain = part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_digit());
        part.parse::<u64>().ok().filter(|_| plain)
    });
    let [hours, minutes, seconds] = [parts.next()??, parts.next()??, parts.next()??];
    let fits = hours < 24 && minutes < 60 && seconds < 60;
    let seconds = (hours * 60 + minutes) * 60 + seconds;
    fits.then_some(Ts(midnight + seconds * 1_000 * MS))
}

/// The first account above one of another currency for which there is no row.
pub(super) fn missing(rules: &Rules) -> Option<(&AccountRule, &AccountRule)> {
    let named = |name| rules.accounts.iter().find(|account| account.name == name);
    let above = |account: &&AccountRule| account.parent.and_then(named);
    rules.accounts.iter().find_map(|account| {
        let mut path = std::iter::successors(above(&account), above).take(risk::DEPTH_MAX);
        let known =
            |to| rules.rates.iter().any(|rate| (rate.from, rate.to) == (account.currency, to));
        let lacks = |top: &&AccountRule| top.currency != account.currency && !known(top.currency);
        path.find(lacks).map(|top| (account, top))
    })
}
