//! The story as one object. Prices, quantities and sums are text, so that no digit is lost; what is not known is null.

use model::page::Quote;
use model::{Ask, Px, Qty, Verdict};
use risk::Explained;
use serde_json::{Value, json};

use crate::show::{number, origin, reasons, scaled, unit};
use crate::story::{Judged, Life, Sight, Story, Unjudged};

/// All of it.
pub fn story(story: &Story) -> Value {
    json!({
        "requests": story.judged.iter().map(judged).collect::<Vec<_>>(),
        "not_judged": story.unjudged.iter().map(unjudged).collect::<Vec<_>>(),
        "orders": story.orders.iter().map(life).collect::<Vec<_>>(),
        "mode": story.mode.map(|mode| mode.name()),
        "replayed_to": story.replayed_to,
        "to_the_end": story.to_the_end,
        "checkpoints": story.checkpoints,
    })
}

fn judged(judged: &Judged) -> Value {
    let (order, decimals) = (&judged.order, judged.decimals());
    let explanation = &judged.explanation;
    let headroom = explanation.headroom.map(
        |headroom| json!({ "qty": qty(headroom.qty, decimals.1), "binds": headroom.binds.name() }),
    );
    let checks = explanation.checks.iter().enumerate();
    let checks = checks.map(|(place, of)| check(judged, of, explanation.binding == Some(place)));
    json!({
        "engine_seq": judged.seq,
        "now_ns": judged.now.0,
        "order_id": judged.order_id().map(|id| id.0.to_string()),
        "client_id": order.client_id.as_str(),
        "request": judged.request.id,
        "replace": judged.is_replace,
        "origin": origin(judged.request.origin),
        "account": judged.account(order.account),
        "note": judged.request.note.as_str(),
        "symbol": judged.sight.as_ref().map(|sight| sight.board.instrument.symbol.to_string()),
        "side": order.side.name(),
        "type": order.order_type.name(),
        "tif": order.tif.name(),
        "qty": qty(order.qty, decimals.1),
        "px": px(order.px, decimals.0),
        "saw": judged.sight.as_ref().map(sight),
        "verdict": verdict(&explanation.verdict),
        "same_as_judged": judged.said.map(|_| judged.agrees()),
        "checks": checks.collect::<Vec<_>>(),
        "headroom": headroom,
        "untaken": explanation.untaken.names().collect::<Vec<_>>(),
        "stages_ns": {
            "book": judged.stages.book_ns,
            "indicators": judged.stages.indicators_ns,
            "gate": judged.stages.gate_ns,
        },
        "stages_reason": judged.stages_reason(),
    })
}

/// Whether it passed, and what failed, the primary reason first.
pub fn verdict(verdict: &Verdict) -> Value {
    json!({ "passed": verdict.passed(), "reasons": reasons(verdict) })
}

fn check(judged: &Judged, check: &Explained, binds: bool) -> Value {
    let shown =
        |value: Option<i128>| value.map(|value| number(check.measure, value, judged.decimals()));
    json!({
        "check": check.code.name(),
        "account": check.account.map(|id| judged.account(id)),
        "limit": shown(check.limit),
        "used": shown(check.used),
        "headroom": shown(check.headroom),
        "unit": unit(check.measure),
        "result": check.standing.name(),
        "binds": binds,
    })
}

fn sight(sight: &Sight) -> Value {
    let board = &sight.board;
    let decimals = (board.instrument.px_decimals, board.instrument.qty_decimals);
    let quote = |quote: Option<Quote>| {
        quote.map(|quote| {
            let (px, qty) = (px(quote.px, decimals.0), qty(quote.qty, decimals.1));
            json!({ "px": px, "qty": qty, "orders": quote.orders })
        })
    };
    let event = sight.event.as_ref();
    json!({
        "event": event.map(|(_, event)| event.kind.name()),
        "engine_seq": event.map(|(seq, _)| seq),
        "feed": board.instrument.feed.0,
        "venue": sight.venue,
        "feed_seq": event.map(|(_, event)| event.seq),
        "feed_seq_last": sight.feed_seq,
        "line": sight.line.map(String::from),
        "line_reason": sight.line.is_none().then_some("nothing came by a line B so far"),
        "ts_venue_ns": event.map(|(_, event)| event.ts_venue.0),
        "ts_recv_ns": event.map(|(_, event)| event.ts_recv.0),
        "age_us": sight.age_ns / 1000,
        "bid": quote(board.bid),
        "ask": quote(board.ask),
        "last": board.last.map(|last| json!({
            "px": px(last.px, decimals.0), "qty": qty(last.qty, decimals.1), "ts_venue_ns": last.ts.0,
        })),
        "state": board.state.name(),
        "integrity": board.integrity.name(),
        "cause": board.cause.name(),
    })
}

fn unjudged(unjudged: &Unjudged) -> Value {
    let (what, order) = match unjudged.request.ask {
        Ask::New(_) => ("new", unjudged.order),
        Ask::Replace { order, .. } => ("replace", order),
        Ask::Cancel { order } => ("cancel", order),
        Ask::Halt { .. } => ("halt", unjudged.order),
        Ask::Basket(_) => ("basket", unjudged.order),
        Ask::Check(_) => ("check", unjudged.order),
        Ask::Beat => ("beat", unjudged.order),
    };
    json!({
        "engine_seq": unjudged.seq,
        "now_ns": unjudged.now.0,
        "what": what,
        "order_id": (order.0 != 0).then(|| order.0.to_string()),
        "request": unjudged.request.id,
        "origin": origin(unjudged.request.origin),
        "account": unjudged.account.map(|name| name.to_string()),
        "answer": unjudged.kind.name(),
        "verdict": verdict(&unjudged.verdict),
    })
}

fn life(life: &Life) -> Value {
    let events = life.events.iter().map(|event| {
        json!({
            "engine_seq": event.seq,
            "now_ns": event.now.0,
            "what": event.kind.name(),
            "px": px(event.px, life.decimals.0),
            "qty": qty(event.qty, life.decimals.1),
            "exec_id": event.exec_id.map(|id| id.to_string()),
            "basket_end": event.basket_end.map(|end| end.name()),
        })
    });
    json!({
        "order_id": life.id.0.to_string(),
        "since_seq": life.since,
        "state": life.end.map(|end| end.state.name()),
        "filled": life.end.map(|end| qty(end.filled, life.decimals.1)),
        "leaves": life.end.map(|end| qty(end.leaves, life.decimals.1)),
        "events": events.collect::<Vec<_>>(),
    })
}

/// A price with its point.
pub fn px(px: Px, decimals: u8) -> String {
    scaled(px.0.into(), decimals.into())
}

/// A quantity with its point.
pub fn qty(qty: Qty, decimals: u8) -> String {
    scaled(qty.0.into(), decimals.into())
}
