//! Which orders change verdict, for a terminal and as one object.

use std::fmt::Write;

use model::Reject;
use serde_json::{Value, json};

use crate::json::{px, qty, verdict};
use crate::show::{self, number, origin, table, time_of_day, unit};
use crate::twin::{Asked, Change, Counts, Said};

/// What stands beside every verdict after the first that differs.
pub const OWN_HISTORY: &str = "from the first order on that only one of the engines passes, each has its own \
     history: positions, fills, losses, halts";

/// A line for each change, and the counts.
pub fn text(changes: &[Change], counts: &Counts) -> String {
    let mut text = String::new();
    if !changes.is_empty() {
        let head = ["", "input", "UTC", "who", "account", "id", "order"];
        let mut rows = vec![head.map(String::from).to_vec()];
        rows.extend(changes.iter().map(row));
        let rows = table(&rows, &[false, true]);
        let mut rows = rows.lines();
        let _ = writeln!(text, "{}", rows.next().unwrap_or_default());
        for (row, Change { asked, old, new, .. }) in rows.zip(changes) {
            let [old, new] = [old, new].map(|said| self::said(asked, said.as_ref()));
            let _ = writeln!(text, "{row}\n       {old} -> {new}");
        }
        text.push('\n');
    }
    let Counts { now_refused, now_passed, other_reasons, one_alone, unchanged } = counts;
    let _ = writeln!(
        text,
        "{now_refused} passed before and are refused, {now_passed} were refused and pass, {other_reasons} are refused for \
         other reasons, {unchanged} unchanged"
    );
    if *one_alone > 0 {
        let _ = writeln!(text, "{one_alone} were asked of one of the two engines alone");
    }
    if changes.iter().any(|change| change.own_history) {
        let _ = writeln!(text, "* with its own history: {OWN_HISTORY}");
    }
    text
}

fn row(change: &Change) -> Vec<String> {
    let asked = &change.asked;
    vec![
        if change.own_history { "*" } else { "" }.into(),
        change.seq.to_string(),
        time_of_day(change.now),
        origin(asked.origin),
        asked.account.map_or("?".into(), |name| name.to_string()),
        asked.client_id.to_string(),
        terms(asked),
    ]
}

fn terms(asked: &Asked) -> String {
    let what = if asked.is_replace { "change to " } else { "" };
    let side = asked.side.map_or("?", |side| side.name());
    let (symbol, px_decimals, qty_decimals) = known(asked);
    format!(
        "{what}{side} {} {symbol} at {}",
        qty(asked.qty, qty_decimals),
        px(asked.px, px_decimals)
    )
}

fn known(asked: &Asked) -> (String, u8, u8) {
    match asked.instrument {
        Some((symbol, px, qty)) => (symbol.to_string(), px, qty),
        None => ("?".into(), 0, 0),
    }
}

fn said(asked: &Asked, said: Option<&Said>) -> String {
    let Some(said) = said else { return "not asked".into() };
    if said.verdict.passed() {
        return "passed".into();
    }
    let reasons = show::reasons(&said.verdict);
    let Some((first, others)) = reasons.split_first() else { return String::new() };
    let mut text = first.to_string();
    if let Some(account) = said.account {
        let _ = write!(text, " on {account}");
    }
    let numbers = said.binds.and_then(|binds| Some((binds.measure, binds.limit?, binds.used?)));
    if let Some((measure, limit, used)) = numbers {
        let (_, px, qty) = known(asked);
        let [limit, used] = [limit, used].map(|value| number(measure, value, (px, qty)));
        let _ = write!(text, " (limit {limit}, used {used})");
    }
    others.iter().for_each(|other| {
        let _ = write!(text, ", {other}");
    });
    text
}

/// The same as one object.
pub fn json(changes: &[Change], counts: &Counts) -> Value {
    json!({
        "changes": changes.iter().map(change).collect::<Vec<_>>(),
        "passed_to_refused": counts.now_refused,
        "refused_to_passed": counts.now_passed,
        "reason_changed": counts.other_reasons,
        "asked_of_one_alone": counts.one_alone,
        "unchanged": counts.unchanged,
        "own_history": OWN_HISTORY,
    })
}

fn change(change: &Change) -> Value {
    let asked = &change.asked;
    let (symbol, px_decimals, qty_decimals) = known(asked);
    json!({
        "engine_seq": change.seq,
        "now_ns": change.now.0,
        "origin": origin(asked.origin),
        "account": asked.account.map(|name| name.to_string()),
        "client_id": asked.client_id.as_str(),
        "replace": asked.is_replace,
        "symbol": asked.instrument.map(|_| symbol),
        "side": asked.side.map(|side| side.name()),
        "qty": asked.instrument.map(|_| qty(asked.qty, qty_decimals)),
        "px": asked.instrument.map(|_| px(asked.px, px_decimals)),
        "old": said_json(asked, change.old.as_ref()),
        "new": said_json(asked, change.new.as_ref()),
        "own_history": change.own_history,
    })
}

fn said_json(asked: &Asked, said: Option<&Said>) -> Value {
    let Some(said) = said else { return Value::Null };
    let mut object = verdict(&said.verdict);
    let (_, px, qty) = known(asked);
    let binds = said.binds.map(|binds| {
        let shown =
            |value: Option<i128>| value.map(|value| number(binds.measure, value, (px, qty)));
        json!({
            "check": Reject::name(binds.code),
            "account": said.account.map(|name| name.to_string()),
            "limit": shown(binds.limit),
            "used": shown(binds.used),
            "headroom": shown(binds.headroom),
            "unit": unit(binds.measure),
        })
    });
    if let Some(object) = object.as_object_mut() {
        object.insert("binds".into(), json!(binds));
    }
    object
}
