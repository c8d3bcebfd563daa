//! The story for a terminal.

use std::fmt::Write;

use model::page::{AnswerKind, Quote};
use model::{Announced, Ask, Measure, OrderId, Qty, Reject};
use risk::{Explained, OrderFeatures, Standing};

use crate::show::{number, origin, scaled, table, time_of_day, unit, utc, verdict};
use crate::story::{Judged, Life, Sight, Story, Unjudged};

/// All of it.
pub fn story(story: &Story) -> String {
    let mut text = String::new();
    for judged in &story.judged {
        text.push_str(&self::judged(judged));
    }
    for unjudged in &story.unjudged {
        text.push_str(&self::unjudged(unjudged));
    }
    for life in &story.orders {
        text.push_str(&self::life(life, story.replayed_to));
    }
    let end =
        if story.to_the_end { "the end of the journal" } else { "the end of what was asked about" };
    let _ = writeln!(
        text,
        "replayed to input {}, {end}; recorded hashes on the way that came out the same: {}",
        story.replayed_to, story.checkpoints
    );
    text
}

fn judged(judged: &Judged) -> String {
    let mut text = String::new();
    let what = match (judged.is_replace, judged.order_id()) {
        (true, Some(OrderId(id))) => format!("change of order {id}"),
        (_, Some(OrderId(id))) => format!("order {id}"),
        (_, None) => "new order".into(),
    };
    let account = judged.account(judged.order.account);
    let said = verdict(&judged.explanation.verdict);
    let _ = writeln!(text, "{what} on {account}: {said}");
    let note = judged.request.note.as_str();
    let note = if note.is_empty() { String::new() } else { format!("; note: {note}") };
    let _ = writeln!(
        text,
        "  asked   by {} as {}{}, input {}, {} UTC{note}",
        origin(judged.request.origin),
        judged.order.client_id,
        if judged.request.id == 0 {
            String::new()
        } else {
            format!(" (request {})", judged.request.id)
        },
        judged.seq,
        utc(judged.now),
    );
    let _ = writeln!(text, "          {}", terms(judged));
    match &judged.sight {
        Some(sight) => sees(&mut text, sight),
        None => text.push_str("  saw     nothing: the instrument is not listed\n"),
    }
    let _ = writeln!(text, "  stages  {}", stages(judged));
    if let Some(headroom) = judged.explanation.headroom {
        let most = qty(headroom.qty, judged.decimals().1);
        let _ = writeln!(text, "  most    {most} would pass; {} refuses more", headroom.binds);
    }
    if judged.explanation.untaken != OrderFeatures::NONE {
        let untaken: Vec<_> = judged.explanation.untaken.names().collect();
        let _ = writeln!(
            text,
            "  venue   is not known to do {}: see Gateways in risk/CHECKS.md",
            untaken.join(", ")
        );
    }
    text.push('\n');
    text.push_str(&checks(judged));
    if !judged.agrees() {
        text.push_str("  THE GATE SAID OTHERWISE: a bug of this program; please report it\n");
    }
    text.push('\n');
    text
}

/// Each stage that was measured, and why others were not.
fn stages(judged: &Judged) -> String {
    let of = judged.stages;
    let named = [("book", of.book_ns), ("indicators", of.indicators_ns), ("gate", of.gate_ns)];
    let measured = named.iter().filter_map(|(name, ns)| ns.map(|ns| format!("{name} {ns} ns")));
    let parts: Vec<String> = measured.chain(judged.stages_reason().map(String::from)).collect();
    parts.join(", ")
}

fn terms(judged: &Judged) -> String {
    let (order, decimals) = (&judged.order, judged.decimals());
    let symbol = judged.sight.as_ref().map(|sight| sight.board.instrument.symbol);
    let symbol = symbol
        .map_or_else(|| format!("instrument {}", order.instrument.0), |symbol| symbol.to_string());
    let px = scaled(order.px.0.into(), decimals.0.into());
    let (side, kind, tif) = (order.side, order.order_type, order.tif);
    format!("{side} {} {symbol} at {px}, {kind}, {tif}", qty(order.qty, decimals.1))
}

fn qty(value: Qty, decimals: u8) -> String {
    scaled(value.0.into(), decimals.into())
}

fn sees(text: &mut String, sight: &Sight) {
    let board = &sight.board;
    let feed = board.instrument.feed.0;
    match &sight.event {
        None => text.push_str("  saw     no event of the instrument yet\n"),
        Some((seq, event)) => {
            let line = sight.line.map_or(String::new(), |line| format!(", line {line}"));
            let _ = writeln!(
                text,
                "  saw     {} of input {seq}: message {} of feed {feed} ({}{line})",
                event.kind, event.seq, sight.venue
            );
            let _ = writeln!(
                text,
                "          venue time {}, received {}, {}.{:03} us before; the feed was at message {}",
                time_of_day(event.ts_venue),
                time_of_day(event.ts_recv),
                sight.age_ns / 1000,
                sight.age_ns % 1000,
                sight.feed_seq
            );
        }
    }
    let decimals = (board.instrument.px_decimals, board.instrument.qty_decimals);
    let top = |quote: Option<Quote>| match quote {
        None => "none".to_string(),
        Some(quote) => {
            let px = scaled(quote.px.0.into(), decimals.0.into());
            format!("{} at {px}", qty(quote.qty, decimals.1))
        }
    };
    let last = board.last.map_or("none".to_string(), |last| {
        format!("{} at {}", qty(last.qty, decimals.1), scaled(last.px.0.into(), decimals.0.into()))
    });
    let cause = match board.cause {
        model::Cause::None => String::new(),
        cause => format!(" ({cause})"),
    };
    let _ = writeln!(
        text,
        "  book    bid {}, ask {}, last trade {last}; {}; {}{cause}",
        top(board.bid),
        top(board.ask),
        board.state,
        board.integrity,
    );
}

fn checks(judged: &Judged) -> String {
    let head = ["", "check", "account", "limit", "used", "headroom", "unit", "result"];
    let mut rows = vec![head.map(String::from).to_vec()];
    for (place, check) in judged.explanation.checks.iter().enumerate() {
        rows.push(row(judged, check, judged.explanation.binding == Some(place)));
    }
    table(&rows, &[false, false, false, true, true, true, false, false])
}

fn row(judged: &Judged, check: &Explained, binds: bool) -> Vec<String> {
    let shown = |value: Option<i128>| {
        value.map_or(String::new(), |value| number(check.measure, value, judged.decimals()))
    };
    let has_numbers = check.limit.is_some() || check.used.is_some();
    let result = match check.standing {
        Standing::Failed => "FAILED",
        Standing::NotApplicable => "-",
        standing => standing.name(),
    };
    vec![
        if binds { ">" } else { "" }.into(),
        check.code.name().into(),
        check.account.map_or(String::new(), |id| judged.account(id)),
        shown(check.limit),
        shown(check.used),
        shown(check.headroom),
        unit(check.measure).filter(|_| has_numbers).unwrap_or("").into(),
        result.into(),
    ]
}

/// What a basket is, and how far it is beyond its limit.
fn basket(unjudged: &Unjudged, basket: &Announced) -> String {
    let sum = |sum| number(Measure::Money, sum, (0, 0));
    let Announced { number: own, legs, money } = basket;
    let mut text = format!("basket {own} of {legs} legs for {}", sum(money.0));
    if let Some(finding) = unjudged.verdict.primary.filter(|found| found.code == Reject::Basket) {
        text += &format!(", of which {} are allowed", sum(finding.limit));
    }
    text
}

fn unjudged(unjudged: &Unjudged) -> String {
    let (what, order) = match unjudged.request.ask {
        Ask::Cancel { order } => ("cancel".to_owned(), order),
        Ask::Replace { order, .. } => ("change".to_owned(), order),
        Ask::Basket(announced) => (basket(unjudged, &announced), unjudged.order),
        _ => ("request".to_owned(), unjudged.order),
    };
    let is_basket = matches!(unjudged.request.ask, Ask::Basket(_));
    let by = if is_basket { "" } else { "; the gate does not judge it" };
    let of = if order.0 == 0 { String::new() } else { format!(" of order {}", order.0) };
    let account = unjudged.account.map_or("an unknown account".into(), |name| name.to_string());
    let kind = unjudged.kind;
    let said = match (unjudged.verdict.passed(), kind) {
        (true, _) => kind.to_string(),
        (false, AnswerKind::Refused) => verdict(&unjudged.verdict),
        (false, _) => format!("{kind}: {}", verdict(&unjudged.verdict)),
    };
    format!(
        "{what}{of} on {account}: {said}\n  asked   by {} (request {}), input {}, {} UTC{by}\n\n",
        origin(unjudged.request.origin),
        unjudged.request.id,
        unjudged.seq,
        utc(unjudged.now),
    )
}

fn life(life: &Life, replayed_to: u64) -> String {
    let mut rows = Vec::new();
    for event in &life.events {
        let px = scaled(event.px.0.into(), life.decimals.0.into());
        let (much, at, more) = match (event.basket_end, event.exec_id) {
            (Some(end), _) => (String::new(), String::new(), end.name().to_owned()),
            (None, Some(id)) => {
                (qty(event.qty, life.decimals.1), format!("at {px}"), format!("execution {id}"))
            }
            (None, None) => (qty(event.qty, life.decimals.1), format!("at {px}"), String::new()),
        };
        rows.push(vec![
            String::new(),
            event.kind.name().into(),
            much,
            at,
            format!("input {}", event.seq),
            format!("{} UTC", time_of_day(event.now)),
            more,
        ]);
    }
    let events = table(&rows, &[false, false, true]);
    let end = match life.end {
        None => "its place in the table of orders was used again since".into(),
        Some(end) => {
            let (filled, leaves) =
                (qty(end.filled, life.decimals.1), qty(end.leaves, life.decimals.1));
            format!("{} at input {replayed_to}, {filled} filled, {leaves} left", end.state)
        }
    };
    format!("order {} from input {} on: {end}\n{events}\n", life.id.0, life.since)
}
