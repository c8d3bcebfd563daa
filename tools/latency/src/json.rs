//! The report for programs.

use serde_json::{Map, Value, json};

use crate::band::{Figure, figures};
use crate::meter::Cost;
use crate::report::{Line, Pace, Report};
use crate::support::{Cell, PERCENTILES};
use crate::words;

/// One object.
pub fn object(report: &Report) -> Value {
    let Report { facts, machine, cpus, seconds, paces, compared } = report;
    json!({
        "captures": facts,
        "machine": machine,
        "threads": { "feed_cpu": cpus[0], "engine_cpu": cpus[1], "wait": "spin" },
        "seconds": seconds,
        "stages": words::STAMPS.iter().map(|(name, what)| json!({ "stamp": name, "is": what })).collect::<Vec<_>>(),
        "paces": paces.iter().map(pace).collect::<Vec<_>>(),
        "compared": compared,
        "ok": compared.as_ref().is_none_or(|compared| compared.is_good()),
    })
}

fn pace(pace: &Pace) -> Value {
    let cores = ["feed", "engine"].iter().enumerate().map(|(place, name)| {
        let cores = pace.rounds.iter().filter_map(|round| round.cores.get(place));
        let gaps = cores.map(|core| json!({ "before": core.around[0], "during": core.during, "after": core.around[1] }));
        let value = json!({
            "cpu": pace.rounds.first().and_then(|round| round.cores.get(place)).map(|core| core.cpu),
            "lost_ppm": pace.lost_ppm[place],
            "longest_ns": pace.longest_ns[place],
            "watched_ppm": pace.watched_ppm(place),
            "rounds": gaps.collect::<Vec<_>>(),
            "cost": cost(pace.cost(place)),
        });
        ((*name).to_owned(), value)
    });
    let first = pace.rounds.first();
    json!({
        "speed": words::factor(pace.speed),
        "open_loop": words::is_open(pace.speed),
        "window": pace.window,
        "rounds": pace.rounds.len(),
        "events": pace.rounds.iter().map(|round| round.events).sum::<u64>(),
        "events_per_second": pace.rate().round(),
        "rows": pace.lines().iter().map(line).collect::<Vec<_>>(),
        "undisturbed": {
            "events_ppm": pace.quiet_ppm(),
            "rows": pace.quiet_lines().iter().map(line).collect::<Vec<_>>(),
        },
        "together": pace.rounds.iter().map(|round| round.together).collect::<Vec<_>>(),
        "hot_threads": cores.collect::<Map<_, _>>(),
        "clock": first.map(|round| round.clock),
        "taken_before_decoded": pace.rounds.iter().map(|round| round.backwards).sum::<u64>(),
        "orders": first.map(|round| json!({ "passed": round.orders[0], "refused": round.orders[1] })),
        "state_hashes": pace.rounds.iter().map(|round| &round.state_hash).collect::<Vec<_>>(),
        "noise": figures(pace).iter().map(noise).collect::<Vec<_>>(),
    })
}

/// A row: its percentiles in nanoseconds, `null` with a reason where nothing supports one.
fn line(line: &Line) -> Value {
    let mut object = Map::new();
    object.insert("row".into(), line.row.name.into());
    object.insert("kind".into(), json!(line.row.kind));
    object.insert("from_to".into(), line.row.from_to.into());
    object.insert("n".into(), line.n.into());
    object.insert("min_ns".into(), line.range[0].into());
    for ((name, _, tail), cell) in PERCENTILES.iter().zip(&line.cells) {
        object.insert(format!("{name}_ns"), json!(cell.ok()));
        if let Err(why) = *cell {
            object.insert(format!("{name}_unsupported"), why.why(*tail).into());
        }
    }
    object.insert("max_ns".into(), line.range[1].into());
    Value::Object(object)
}

fn cost(cost: Option<Cost>) -> Value {
    let Some(Cost { allocations, faults, preempted, calls }) = cost else { return Value::Null };
    json!({
        "allocations": allocations,
        "page_faults": faults,
        "preempted": preempted,
        "system_calls": calls.as_ref().ok(),
        "system_calls_not_counted": calls.as_ref().err(),
    })
}

fn noise(figure: &Figure) -> Value {
    let Figure { row, kind, percentile, rounds, .. } = figure;
    json!({ "row": row, "kind": kind, "percentile": percentile, "rounds_ns": rounds, "band_ns": figure.band() })
}

/// A cell of a table: nanoseconds, or the letter of the reason why there is none.
pub fn cell(cell: &Cell) -> String {
    match cell {
        Ok(ns) => words::ns(*ns),
        Err(why) => format!("—{}", why.letter()),
    }
}
