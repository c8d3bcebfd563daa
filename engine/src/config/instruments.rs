//! `instruments.toml`: what an order in an instrument must look like.

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
        if let (Some(symbol), Some(px_step), Some(lot), Some(currency)) =
            (symbol, px_step, lot, currency)
        {
            if px_step.is_zero() || lot.is_zero() {
                table.error("`px_step` and `lot` must be above zero", errors);
            }
            if rules.iter().any(|rule: &InstrumentRule| rule.symbol == symbol) {
                table.error("a second row for the same symbol", errors);
            }
            rules.push(InstrumentRule { symbol, px_step, lot, currency });
        }
        table.finish(errors);
    }
    root.finish(errors);
    rules
}
