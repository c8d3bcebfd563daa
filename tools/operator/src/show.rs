//! What an engine answered, for people.

use std::fmt::Write;

use model::Scaled;
use switch::{Approval, Booked, Done, Entry, Gateway, Halt, Limits, LimitsChange, Status, Trigger};

/// A halt or a resume that was taken.
pub fn done(what: &str, done: &Done) -> String {
    let mut text = match done.engine_seq {
        Some(seq) => format!("{what} (input {seq}"),
        None => {
            format!("{what} (the engine thread has not taken it yet: it will before anything else")
        }
    };
    text += if done.recorded { ", recorded" } else { ", not recorded yet" };
    text +=
        if done.latched { ", kept for the next start)" } else { ", NOT kept for the next start)" };
    text
}

/// An order beyond its soft limits, on a line; `now_ns` is engine time.
pub fn approval(approval: &Approval, now_ns: u64) -> String {
    let seconds = |ns: u64| ns / 1_000_000_000;
    let stands = match approval.until_ns {
        None => format!("waits for {} s", seconds(now_ns.saturating_sub(approval.since_ns))),
        Some(until) => format!("approved for {} s more", seconds(until.saturating_sub(now_ns))),
    };
    format!("{approval}; {stands}")
}

/// All of them.
pub fn approvals(approvals: &[Approval], now_ns: u64) -> String {
    match approvals {
        [] => "no order waits for approval".into(),
        all => all.iter().map(|one| approval(one, now_ns)).collect::<Vec<_>>().join("\n"),
    }
}

/// One that was approved.
pub fn approved(what: &str, seconds: u64, done: &Done) -> String {
    let input = done.engine_seq.map_or("not taken yet".into(), |seq| format!("input {seq}"));
    let recorded = if done.recorded { "recorded" } else { "not recorded yet" };
    format!("{what}: approved once, for {seconds} s ({input}, {recorded})")
}

/// In what limits differ, a line each, and whether they are in force.
pub fn limits(limits: &Limits, dry_run: bool) -> String {
    let mut text = String::new();
    for LimitsChange { what, old, new, effect } in &limits.changes {
        let effect = if effect == "neither" { String::new() } else { format!("  ({effect})") };
        let _ = writeln!(text, "{what}: {old} -> {new}{effect}");
    }
    let unlisted = limits.change_count - limits.change_count.min(limits.changes.len() as u64);
    if unlisted > 0 {
        let _ = writeln!(text, "… and {unlisted} more changes");
    }
    let (version, digest) = (limits.version, &limits.config_digest);
    let (count, looser) = (limits.change_count, limits.looser_count);
    let outcome = match (limits.engine_seq, dry_run) {
        (Some(seq), _) => {
            let recorded = if limits.recorded { "recorded" } else { "not recorded yet" };
            format!("limits {version} in force (input {seq}, {recorded}; configuration {digest})")
        }
        (None, true) => format!("would be limits {version}: {count} changes, {looser} looser"),
        (None, false) => "they are in force already, word for word".into(),
    };
    text + &outcome
}

/// A rate or a split that was taken, or would be.
pub fn booked(booked: &Booked) -> String {
    let text = match &booked.entry {
        Entry::Rate { from, to, num, den, at_ns } => {
            let before = booked.before.map_or("unknown before".into(), |before| {
                format!("{} since {} before", ratio(before.num, before.den), moment(before.at_ns))
            });
            let (rate, at) = (ratio(*num, *den), moment(*at_ns));
            let accounts = booked.accounts;
            format!(
                "1 {from} = {rate} {to} since {at} ({before}; accounts that count in it: {accounts})"
            )
        }
        Entry::Split { symbol, num, den } => format!(
            "{symbol}: {num} new units for {den} old ones (instruments: {}, positions: {})",
            booked.instruments, booked.positions
        ),
    };
    let outcome = match (booked.engine_seq, booked.recorded) {
        (Some(seq), true) => format!("in the books (input {seq}, recorded)"),
        (Some(seq), false) => format!("in the books (input {seq}, not recorded yet)"),
        (None, _) => "would be taken".into(),
    };
    format!("{text}: {outcome}")
}

/// As it is written: a ratio, unless it is a decimal.
fn ratio(num: u64, den: u64) -> String {
    match den.checked_ilog10().filter(|places| 10_u64.pow(*places) == den) {
        Some(decimals) => Scaled { value: num.into(), decimals }.to_string(),
        None => format!("{num}/{den}"),
    }
}

/// A halt in force, on a line.
pub fn halt(halt: &Halt) -> String {
    let by =
        if halt.operator.is_empty() { String::new() } else { format!(" by {}", halt.operator) };
    let why = if halt.reason.is_empty() { String::new() } else { format!(": {}", halt.reason) };
    let since = moment(halt.since_ns);
    format!("{:<13} {} ({}){by} since {since}{why}", halt.level, halt.scope, halt.cause)
}

/// A trigger that is on, on a line.
pub fn trigger(trigger: &Trigger) -> String {
    let Trigger { name, scope, unit, used, beyond, .. } = trigger;
    let limit = trigger.limit.as_deref().unwrap_or("off");
    let unit = if unit == "ms" { " ms" } else { "" };
    let window = trigger.window_ms.map_or(String::new(), |ms| format!(" in {ms} ms"));
    let level = trigger.level.as_deref().map_or(String::new(), |level| format!(", then {level}"));
    let beyond = if *beyond { ", BEYOND IT" } else { "" };
    format!("trigger {name} of {scope}: {used} of {limit}{unit}{window}{level}{beyond}")
}

/// The gateway, on a line.
pub fn gateway(gateway: &Gateway) -> String {
    let Gateway { address, state, queued, in_doubt, .. } = gateway;
    let state = if state == "connected" { state.clone() } else { state.to_uppercase() };
    let session = gateway.session.as_deref().unwrap_or("not known");
    let report = gateway.report_age_ms.map_or("none yet".into(), |age| format!("{age} ms ago"));
    let since = moment(gateway.since_ns);
    format!(
        "gateway {address}: {state} since {since} (session {session}, {} so far); {queued} queued, \
         {in_doubt} in doubt, last word of an order {report}",
        gateway.sessions
    )
}

/// The whole status.
pub fn status(status: &Status) -> String {
    let mut text = String::new();
    let seconds = status.uptime_ms / 1000;
    let _ = writeln!(
        text,
        "engine {} ({}), pid {}, epoch {}, up {seconds} s",
        status.engine, status.mode, status.pid, status.epoch
    );
    let loop_age = if status.stalled { "STANDS STILL for" } else { "went round within" };
    let _ = writeln!(
        text,
        "input {} at {}, loop {loop_age} {} ms",
        status.engine_seq,
        moment(status.engine_time_ns),
        status.loop_age_ms.max(1)
    );
    let _ =
        writeln!(text, "limits {}, configuration {}", status.limits_version, status.config_digest);
    match (status.halt_count, status.halts.len() as u64) {
        (0, _) => text += "nothing is halted\n",
        (count, shown) => {
            status.halts.iter().for_each(|line| text += &format!("{}\n", halt(line)));
            if count > shown {
                let _ = writeln!(text, "… and {} more halts", count - shown);
            }
        }
    }
    if !status.latched {
        let _ = writeln!(text, "NOT KEPT for the next start: {}", status.latch_file);
    }
    for feed in &status.feeds {
        let books = feed.books.iter().map(|(word, count)| format!("{count} {word}"));
        let books = books.collect::<Vec<_>>().join(", ");
        let _ = writeln!(
            text,
            "feed {}: {} messages, {} lost, {} gaps; books: {books}",
            feed.venue, feed.messages, feed.lost, feed.gaps
        );
    }
    if let Some(journal) = &status.journal {
        let full = if journal.full { ", TAKES NO MORE" } else { "" };
        let _ = writeln!(
            text,
            "journal: {} inputs not written, {} not on the disk{full}",
            journal.unwritten, journal.unsynced
        );
    }
    match (&status.gateway, &status.gateway_why) {
        (Some(gateway), _) => text += &format!("{}\n", self::gateway(gateway)),
        (None, why) => {
            let _ = writeln!(text, "gateway: none, {}", why.as_deref().unwrap_or("unknown why"));
        }
    }
    for trigger in status.triggers.iter().filter(|trigger| trigger.limit.is_some()) {
        let _ = writeln!(text, "{}", self::trigger(trigger));
    }
    let refused: u64 = status.orders_refused.values().sum();
    let _ = write!(
        text,
        "orders: {} open, {} passed, {refused} refused",
        status.open_orders, status.orders_passed
    );
    let reasons = status.orders_refused.iter().map(|(code, count)| format!("{code} {count}"));
    let reasons = reasons.collect::<Vec<_>>().join(", ");
    if !reasons.is_empty() {
        let _ = write!(text, " ({reasons})");
    }
    text
}

/// A time of the wall clock in UTC, to the second.
fn moment(ns: u64) -> String {
    let (days, seconds) = (ns / 86_400_000_000_000, ns / 1_000_000_000 % 86_400);
    // Days from 0000-03-01, so that a leap day is the last of its year.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (year, day) = (era * 400 + year, day - (153 * month + 2) / 5 + 1);
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the calendar is right. Method: the epoch, a leap day, a day that is none, the last second of a year.
    #[test]
    fn moments() {
        let at = |seconds: u64| moment(seconds * 1_000_000_000);
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00Z");
        assert_eq!(at(1_798_761_599), "2026-12-31T23:59:59Z");
    }
}
