//! `limits.toml`: accounts, and how much each may do in each instrument. No limit has a default.

use model::page::Permission;

use crate::rules::{AccountRule, LimitRule};

use super::table::{ConfigErrors, Table};

/// Most accounts of one engine.
const ACCOUNTS_MAX: usize = 1024;

/// Reads every `[[account]]` and `[[limit]]`; `None` if an account could not be read.
pub(super) fn read(
    mut root: Table<'_>,
    errors: &mut ConfigErrors,
) -> Option<(Vec<AccountRule>, Vec<LimitRule>)> {
    let tables = root.tables("account", errors);
    if tables.is_empty() || tables.len() > ACCOUNTS_MAX {
        root.error(format!("1 to {ACCOUNTS_MAX} [[account]] tables are needed"), errors);
    }
    let accounts: Vec<Option<AccountRule>> =
        tables.into_iter().map(|table| account(table, errors)).collect();
    let names: Vec<_> = accounts.iter().flatten().map(|account| account.name).collect();
    let mut limits: Vec<LimitRule> = Vec::new();
    for mut table in root.tables("limit", errors) {
        let Some(limit) = limit(&mut table, errors) else { continue };
        if !names.contains(&limit.account) {
            table.error(format!("account `{}` has no [[account]] table", limit.account), errors);
        }
        if limits.iter().any(|other| (other.account, other.symbol) == (limit.account, limit.symbol))
        {
            table.error("a second row for the same account and symbol", errors);
        }
        limits.push(limit);
        table.finish(errors);
    }
    root.finish(errors);
    Some((accounts.into_iter().collect::<Option<Vec<_>>>()?, limits))
}

fn account(mut table: Table<'_>, errors: &mut ConfigErrors) -> Option<AccountRule> {
    let name = table.symbol("name", errors);
    let permissions = Permission::ALL.iter().map(|p| (p.name(), *p)).collect::<Vec<_>>();
    let permission = table.choice("permission", &permissions, errors);
    let clients = table.flag_or("clients", false, errors);
    let cancel_on_disconnect = table.flag_or("cancel_on_disconnect", true, errors);
    let currency = table.currency("currency", errors);
    let cash = table.decimal("cash", errors);
    let gross_max = table.decimal("gross_max", errors);
    let open_orders_max = table.number("open_orders_max", 0, 1 << 16, errors);
    let rate_max = table.number("rate_max", 0, 1 << 16, errors);
    let rate_window_ms = table.number("rate_window_ms", 1, 86_400_000, errors);
    table.finish(errors);
    Some(AccountRule {
        name: name?,
        permission: permission?,
        clients: clients?,
        cancel_on_disconnect: cancel_on_disconnect?,
        currency: currency?,
        cash: cash?,
        gross_max: gross_max?,
        open_orders_max: open_orders_max? as u32,
        rate_max: rate_max? as u32,
        rate_window_ns: rate_window_ms? * 1_000_000,
    })
}

fn limit(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<LimitRule> {
    let account = table.symbol("account", errors);
    let symbol = table.symbol_or_all("symbol", errors);
    let [clip_max, notional_max] =
        ["clip_max", "notional_max"].map(|key| table.decimal(key, errors));
    let [long_max, short_max] = ["long_max", "short_max"].map(|key| table.decimal(key, errors));
    let band_bps = table.number("band_bps", 0, 10_000, errors);
    let age_max_ms = table.number("age_max_ms", 1, 86_400_000, errors);
    let symbol_age_alone = table.flag_or("symbol_age_alone", false, errors);
    Some(LimitRule {
        account: account?,
        symbol: symbol?,
        clip_max: clip_max?,
        notional_max: notional_max?,
        long_max: long_max?,
        short_max: short_max?,
        band_bps: band_bps? as u32,
        age_max_ns: age_max_ms? * 1_000_000,
        symbol_age_alone: symbol_age_alone?,
    })
}
