//! The triggers of the kill switch in `limits.toml`: the table `[triggers]`, and keys of each `[[account]]`. None has a
//! default: each has a value or says that it is off.

use model::HaltLevel;
use risk::RATE_MAX;

use super::limits::{DAY_MS, MS};
use super::table::{ConfigErrors, Table};
use crate::rules::{AccountTriggers, ClockRule, EngineTriggers, FillsRule, GapRule, StormRule};

/// Levels that a trigger may raise.
const LEVELS: [(&str, HaltLevel); 3] = [
    ("reduce_only", HaltLevel::ReduceOnly),
    ("cancel_only", HaltLevel::CancelOnly),
    ("halted", HaltLevel::Halted),
];
/// Shortest dead-man timer: the sidecar beats each quarter of a second.
const DEAD_MAN_MS_MIN: u64 = 1_000;

/// Reads the table `[triggers]`.
pub(super) fn read(mut table: Table<'_>, errors: &mut ConfigErrors) -> Option<EngineTriggers> {
    let feed_gap = feed_gap(&mut table, errors);
    let live_ms = table.number_or_off("live_ms", 1, DAY_MS, errors);
    let clock = clock(&mut table, errors);
    let journal_lag_ms = table.number_or_off("journal_lag_ms", 1, DAY_MS, errors);
    let journal_lag_inputs = table.number_or_off("journal_lag_inputs", 1, u64::MAX, errors);
    let sink_latch_ms = table.number_or_off("sink_latch_ms", 1, DAY_MS, errors);
    let venue_session = level_or_off(&mut table, "venue_session_level", errors);
    table.finish(errors);
    Some(EngineTriggers {
        feed_gap: feed_gap?,
        live_ns: live_ms?.map(|ms| ms * MS),
        clock: clock?,
        journal_lag_ns: journal_lag_ms?.map(|ms| ms * MS),
        journal_lag_inputs: journal_lag_inputs?,
        sink_latch_ns: sink_latch_ms?.map(|ms| ms * MS),
        venue_session: venue_session?,
    })
}

/// Reads the keys of an account.
pub(super) fn account(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<AccountTriggers> {
    let refusals = storm(table, ["refusals_max", "refusals_window_ms", "refusals_level"], errors);
    let keys = ["venue_rejects_max", "venue_rejects_window_ms", "venue_rejects_level"];
    let venue_rejects = storm(table, keys, errors);
    let fills = fills(table, errors);
    let dead_man_ms = table.number_or_off("dead_man_ms", DEAD_MAN_MS_MIN, DAY_MS, errors);
    Some(AccountTriggers {
        refusals: refusals?,
        venue_rejects: venue_rejects?,
        fills: fills?,
        dead_man_ns: dead_man_ms?.map(|ms| ms * MS),
    })
}

fn storm(
    table: &mut Table<'_>,
    [max, window, level]: [&str; 3],
    errors: &mut ConfigErrors,
) -> Option<Option<StormRule>> {
    let Some(max) = table.number_or_off(max, 0, RATE_MAX.into(), errors)? else {
        return Some(None);
    };
    let window_ms = table.number(window, 1, DAY_MS, errors);
    let level = table.choice_or(level, &LEVELS, HaltLevel::CancelOnly, errors);
    Some(Some(StormRule { max: max as u32, window_ns: window_ms? * MS, level: level? }))
}

fn fills(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<Option<FillsRule>> {
    let executions = table.number_or_off("fills_max", 0, RATE_MAX.into(), errors);
    let money_max = table.decimal_or_off("fills_money_max", errors);
    let (executions, money_max) = (executions?, money_max?);
    if executions.is_none() && money_max.is_none() {
        return Some(None);
    }
    let window_ms = table.number("fills_window_ms", 1, DAY_MS, errors)?;
    let executions_max = executions.map(|max| max as u32);
    Some(Some(FillsRule { executions_max, money_max, window_ns: window_ms * MS }))
}

fn feed_gap(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<Option<GapRule>> {
    let Some(ms) = table.number_or_off("feed_gap_ms", 1, DAY_MS, errors)? else {
        return Some(None);
    };
    let orders = [("cancel", true), ("keep", false)];
    let cancels = table.choice("feed_gap_orders", &orders, errors)?;
    Some(Some(GapRule { after_ns: ms * MS, cancels }))
}

fn clock(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<Option<ClockRule>> {
    let Some(ms) = table.number_or_off("clock_error_ms", 1, DAY_MS, errors)? else {
        return Some(None);
    };
    let synced = table.choice("clock_synced", &[("require", true), ("off", false)], errors);
    let level = level_or_off(table, "clock_level", errors);
    Some(Some(ClockRule { error_ns: ms * MS, synced: synced?, level: level? }))
}

fn level_or_off(
    table: &mut Table<'_>,
    key: &str,
    errors: &mut ConfigErrors,
) -> Option<Option<HaltLevel>> {
    let [first, second, third] = LEVELS.map(|(word, level)| (word, Some(level)));
    table.choice(key, &[("off", None), first, second, third], errors)
}
