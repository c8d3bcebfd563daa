//! `instruments.toml`: what an order in an instrument must look like.

use feeds::Date;
use model::Ts;
use rust_decimal::Decimal;

use crate::rules::InstrumentRule;

use super::table::{ConfigErrors, Table};

/// Reads every `[[instrument]]`.
pub(super) fn read(mut root: Table<'_>, errors: &mut ConfigErrors) -> Vec<InstrumentRule> {
    let mut rules = Vec::new();
    for mut table in root.tables("instrument", errors) {
        let symbol = table.symbol_or_all("symbol", errors);
        let px_step = table.decimal("px_step", errors);
        let lot = table.decimal("lot", errors);
        let currency = table.currency("currency", errors);
        let adv = adv(&mut table, errors);
        let band = band(&mut table, errors);
        if let (Some(symbol), Some(px_step), Some(lot), Some(currency)) =
            (symbol, px_step, lot, currency)
        {
            if px_step.is_zero() || lot.is_zero() {
                table.error("`px_step` and `lot` must be above zero", errors);
            }
            if rules.iter().any(|rule: &InstrumentRule| rule.symbol == symbol) {
                table.error("a second row for the same symbol", errors);
            }
            rules.push(InstrumentRule { symbol, px_step, lot, currency, adv, band });
        }
        table.finish(errors);
    }
    root.finish(errors);
    rules
}

/// What trades on an average day, and the last day on which that counts.
fn adv(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<(Decimal, Ts)> {
    if !table.has("adv") {
        return None;
    }
    let adv = table.decimal("adv", errors);
    let until = table.text("adv_until", errors)?;
    let date = until.parse::<Date>().ok();
    if date.is_none() {
        table.error("`adv_until` must be a date: \"2026-12-31\"", errors);
    }
    Some((adv?, Ts(date?.midnight().0.saturating_add(model::DAY_NS - 1))))
}

/// The venue's price band.
fn band(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<(Decimal, Decimal)> {
    if !table.has("band_low") && !table.has("band_high") {
        return None;
    }
    let [low, high] = ["band_low", "band_high"].map(|key| table.decimal(key, errors));
    Some((low?, high?))
}
