//! `limits.toml`: accounts, and how much each may do in each instrument. No limit has a default: each has a value or says
//! that it is off.

use model::Symbol;
use model::page::Permission;
use risk::{DUPLICATES_MAX, LossStops, Margin, MarkAt, OrderToTrade, Restriction};
use rust_decimal::Decimal;

use crate::rules::{AccountRule, DuplicatesRule, FeeRule, LimitRule, Rules};

use super::rates;
use super::table::{ConfigErrors, Table};

/// Most accounts of one engine.
const ACCOUNTS_MAX: usize = 1024;
/// Longest window of a rate or age.
pub(super) const DAY_MS: u64 = 86_400_000;
/// Largest margin: a hundred times what it is for.
const MARGIN_BPS_MAX: u64 = 1_000_000;
/// Nanoseconds of a millisecond.
pub(super) const MS: u64 = 1_000_000;

/// Reads every `[[account]]`, `[[fees]]`, `[[rate]]` and `[[limit]]` into `rules`; `None` if an account could not be read.
pub(super) fn read(
    mut root: Table<'_>,
    rules: &mut Rules,
    errors: &mut ConfigErrors,
) -> Option<()> {
    rules.session_start_ns = session_start(&mut root, errors)?;
    let triggers = if root.has("triggers") {
        super::triggers::read(root.table("triggers", errors), errors)
    } else {
        root.error("[triggers] is missing: what sets the kill switch off", errors);
        None
    };
    let mut complete = triggers.is_some();
    rules.triggers = triggers.unwrap_or_default();
    let tables = root.tables("account", errors);
    if tables.is_empty() || tables.len() > ACCOUNTS_MAX {
        root.error(format!("1 to {ACCOUNTS_MAX} [[account]] tables are needed"), errors);
    }
    for table in tables {
        match account(table, &rules.accounts, errors) {
            Some(account) => rules.accounts.push(account),
            None => complete = false,
        }
    }
    for mut table in root.tables("fees", errors) {
        let Some(fees) = fees(&mut table, errors) else { continue };
        if rules.fees.iter().any(|other| other.name == fees.name) {
            table.error("a second schedule of this name", errors);
        }
        rules.fees.push(fees);
        table.finish(errors);
    }
    for table in root.tables("rate", errors) {
        rates::rate(table, rules, errors);
    }
    if let Some((account, above)) = rates::missing(rules) {
        let (name, above) = (account.name, above.name);
        root.error(
            format!("no [[rate]] from the currency of `{name}` to that of `{above}`"),
            errors,
        );
    }
    for table in root.tables("limit", errors) {
        limit_row(table, rules, errors);
    }
    root.finish(errors);
    complete.then_some(())
}

/// `"HH:MM"`, as nanoseconds after midnight.
fn session_start(root: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<u64> {
    let text = root.text("session_start", errors)?;
    let two = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        digits.parse::<u64>().ok().filter(|_| plain)
    };
    let time = text.split_once(':').and_then(|(hours, minutes)| Some((two(hours)?, two(minutes)?)));
    let time = time.filter(|(hours, minutes)| *hours < 24 && *minutes < 60);
    if time.is_none() {
        root.error("`session_start` must be a time of day in UTC: \"05:00\"", errors);
    }
    time.map(|(hours, minutes)| (hours * 60 + minutes) * 60_000 * MS)
}

fn account(
    mut table: Table<'_>,
    above: &[AccountRule],
    errors: &mut ConfigErrors,
) -> Option<AccountRule> {
    let name = table.symbol("name", errors);
    let parent = parent(&mut table, above, errors);
    let permissions = Permission::ALL.iter().map(|p| (p.name(), *p)).collect::<Vec<_>>();
    let permission = table.choice("permission", &permissions, errors);
    let clients = table.flag_or("clients", false, errors);
    let cancel_on_disconnect = table.flag_or("cancel_on_disconnect", true, errors);
    let currency = table.currency("currency", errors);
    let funds = [("cash", true), ("off", false)];
    let cash_binds = table.choice_or("buying_power", &funds, true, errors);
    let [cash, gross_max] = ["cash", "gross_max"].map(|key| table.decimal(key, errors));
    let [net_max, day_gross_max, loss_max, basket_max] =
        ["net_max", "day_gross_max", "loss_max", "basket_max"]
            .map(|key| table.decimal_or_off(key, errors));
    let drawdown_max_bps = table.number_or_off("drawdown_max_bps", 0, 10_000, errors);
    let stops = [("increase", LossStops::Increase), ("all", LossStops::All)];
    let loss_stops = table.choice_or("loss_stops", &stops, LossStops::Increase, errors);
    let marks = [("exit", MarkAt::Exit), ("mid", MarkAt::Mid)];
    let mark_at = table.choice_or("mark_at", &marks, MarkAt::Exit, errors);
    let open_orders_max = table.number("open_orders_max", 0, 1 << 16, errors);
    let rate_max = table.number("rate_max", 0, 1 << 16, errors);
    let rate_window_ms = table.number("rate_window_ms", 1, DAY_MS, errors);
    let volume = volume(&mut table, errors);
    let order_to_trade = order_to_trade(&mut table, errors);
    let executions_max = table.number_or_off("executions_max", 0, u32::MAX.into(), errors);
    let duplicates = duplicates(&mut table, errors);
    let self_trade = [("refuse", true), ("off", false)];
    let no_self_trade = table.choice("self_trade", &self_trade, errors);
    let triggers = super::triggers::account(&mut table, errors);
    table.finish(errors);
    Some(AccountRule {
        name: name?,
        parent: parent?,
        permission: permission?,
        clients: clients?,
        cancel_on_disconnect: cancel_on_disconnect?,
        currency: currency?,
        cash: cash?,
        cash_binds: cash_binds?,
        gross_max: gross_max?,
        net_max: net_max?,
        day_gross_max: day_gross_max?,
        loss_max: loss_max?,
        drawdown_max_bps: drawdown_max_bps?.map(|bps| bps as u32),
        loss_stops: loss_stops?,
        mark_at: mark_at?,
        open_orders_max: open_orders_max? as u32,
        rate_max: rate_max? as u32,
        rate_window_ns: rate_window_ms? * MS,
        volume: volume?,
        basket_max: basket_max?,
        order_to_trade: order_to_trade?,
        executions_max: executions_max?.map(|max| max as u32),
        duplicates: duplicates?,
        no_self_trade: no_self_trade?,
        triggers: triggers?,
    })
}

/// The account above: one that stands before this one.
fn parent(
    table: &mut Table<'_>,
    above: &[AccountRule],
    errors: &mut ConfigErrors,
) -> Option<Option<Symbol>> {
    if !table.has("parent") {
        return Some(None);
    }
    let parent = table.symbol("parent", errors)?;
    if !above.iter().any(|account| account.name == parent) {
        table.error(format!("`parent`: no [[account]] `{parent}` stands before this one"), errors);
    }
    Some(Some(parent))
}

fn duplicates(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<Option<DuplicatesRule>> {
    let max = table.number_or_off("duplicates_max", 1, DUPLICATES_MAX.into(), errors)?;
    let Some(max) = max else { return Some(None) };
    let window_ms = table.number("duplicates_window_ms", 1, DAY_MS, errors)?;
    Some(Some(DuplicatesRule { max: max as u8, window_ns: window_ms * MS }))
}

fn volume(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<Option<(Decimal, u64)>> {
    let Some(max) = table.decimal_or_off("volume_max", errors)? else { return Some(None) };
    let window_ms = table.number("volume_window_ms", 1, DAY_MS, errors)?;
    Some(Some((max, window_ms * MS)))
}

fn order_to_trade(
    table: &mut Table<'_>,
    errors: &mut ConfigErrors,
) -> Option<Option<OrderToTrade>> {
    let most = u32::MAX.into();
    let ratio = table.number_or_off("order_to_trade_max", 0, most, errors)?;
    let Some(ratio) = ratio else { return Some(None) };
    let free = table.number("order_to_trade_free", 0, most, errors)?;
    Some(Some(OrderToTrade { ratio_max: ratio as u32, free: free as u32 }))
}

fn fees(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<FeeRule> {
    let name = table.symbol("name", errors);
    let [bps, each] = ["bps", "each"].map(|key| table.signed(key, errors));
    let unit = table.decimal("unit", errors);
    if unit.is_some_and(|unit| unit.is_zero()) {
        table.error("`unit` must be more than zero: what a fee is rounded up to", errors);
    }
    Some(FeeRule { name: name?, bps: bps?, each: each?, unit: unit? })
}

fn limit_row(mut table: Table<'_>, rules: &mut Rules, errors: &mut ConfigErrors) {
    let Some(limit) = limit(&mut table, errors) else { return };
    match rules.accounts.iter().find(|account| account.name == limit.account) {
        None => {
            table.error(format!("account `{}` has no [[account]] table", limit.account), errors);
        }
        Some(account) if limit.margin.is_some() && account.mark_at != MarkAt::Exit => {
            table.error("a margin needs an account with `mark_at = \"exit\"`", errors);
        }
        Some(_) => {}
    }
    if let Some(fees) = limit.fees
        && !rules.fees.iter().any(|schedule| schedule.name == fees)
    {
        table.error(format!("`fees`: there is no [[fees]] `{fees}`"), errors);
    }
    let same = |other: &LimitRule| (other.account, other.symbol) == (limit.account, limit.symbol);
    if rules.limits.iter().any(same) {
        table.error("a second row for the same account and symbol", errors);
    }
    if !rules.fits_something(&limit) {
        table.error("no instrument counts in units that this row is a whole number of: all its orders would be refused", errors);
    }
    rules.limits.push(limit);
    table.finish(errors);
}

/// Both sides, or neither.
fn margin(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<Option<Margin>> {
    let [long, short] = ["margin_long_bps", "margin_short_bps"]
        .map(|key| table.number_or_off(key, 0, MARGIN_BPS_MAX, errors));
    match (long?, short?) {
        (None, None) => Some(None),
        (Some(long), Some(short)) => {
            Some(Some(Margin { long_bps: long as u32, short_bps: short as u32 }))
        }
        _ => {
            table.error("a margin of one side alone: both have a number, or both are off", errors);
            None
        }
    }
}

/// A limit that can be approved beyond; above the hard one it would never bind.
fn soft(
    table: &mut Table<'_>,
    key: &str,
    hard: Option<Decimal>,
    errors: &mut ConfigErrors,
) -> Option<Option<Decimal>> {
    let soft = table.decimal_or_off(key, errors)?;
    if soft.zip(hard).is_some_and(|(soft, hard)| soft > hard) {
        table.error(format!("`{key}` is above the limit that nobody can approve beyond"), errors);
    }
    Some(soft)
}

fn limit(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<LimitRule> {
    let account = table.symbol("account", errors);
    let symbol = table.symbol_or_all("symbol", errors);
    let [clip_max, notional_max] =
        ["clip_max", "notional_max"].map(|key| table.decimal(key, errors));
    let [long_max, short_max] = ["long_max", "short_max"].map(|key| table.decimal(key, errors));
    let band_bps = table.number("band_bps", 0, 10_000, errors);
    let band_px = table.decimal_or_off("band_px", errors);
    let sides = [("aggressive", false), ("both", true)];
    let band_both_sides = table.choice_or("band_sides", &sides, false, errors);
    let age_max_ms = table.number("age_max_ms", 1, DAY_MS, errors);
    let reference_age_max_ms =
        table.number_or("reference_age_max_ms", age_max_ms.unwrap_or(1), 1, DAY_MS, errors);
    let symbol_age_alone = table.flag_or("symbol_age_alone", false, errors);
    let lists = [
        ("none", Restriction::None),
        ("buy", Restriction::Buy),
        ("sell", Restriction::Sell),
        ("all", Restriction::All),
        ("increase", Restriction::Increase),
    ];
    let restricted = table.choice_or("restricted", &lists, Restriction::None, errors);
    let [spread_max_bps, adv_max_bps] = ["spread_max_bps", "adv_max_bps"]
        .map(|key| table.number_or_off(key, 0, u32::MAX.into(), errors));
    let venue_band = table.choice("venue_band", &[("keep", true), ("off", false)], errors);
    let located = table.decimal_or_off("located", errors);
    let margin = margin(table, errors);
    let [soft_clip_max, soft_notional_max] =
        [("soft_clip_max", clip_max), ("soft_notional_max", notional_max)]
            .map(|(key, hard)| soft(table, key, hard, errors));
    let soft_band_bps = table.number_or_off("soft_band_bps", 0, 10_000, errors);
    let fees = table.symbol("fees", errors);
    Some(LimitRule {
        account: account?,
        symbol: symbol?,
        clip_max: clip_max?,
        notional_max: notional_max?,
        long_max: long_max?,
        short_max: short_max?,
        band_bps: band_bps? as u32,
        band_px: band_px?,
        band_both_sides: band_both_sides?,
        age_max_ns: age_max_ms? * MS,
        reference_age_max_ns: reference_age_max_ms? * MS,
        symbol_age_alone: symbol_age_alone?,
        restricted: restricted?,
        spread_max_bps: spread_max_bps?.map(|bps| bps as u32),
        adv_max_bps: adv_max_bps?.map(|bps| bps as u32),
        venue_band: venue_band?,
        located: located?,
        margin: margin?,
        soft_clip_max: soft_clip_max?,
        soft_notional_max: soft_notional_max?,
        soft_band_bps: soft_band_bps?.map(|bps| bps as u32),
        fees: fees.map(|name| (name.as_str() != "none").then_some(name))?,
    })
}
