//! The report as one HTML file: drawings in it, nothing to be loaded.

use std::fmt::Write;

use crate::band::{Comparison, Moved};
use crate::chart;
use crate::report::{Line, Pace, Report};
use crate::rows::{Kind, ROWS, VERDICT_RESPONSE, VERDICT_SERVICE};
use crate::support::{Cell, PERCENTILES};
use crate::words;

const STYLE: &str = include_str!("page.css");

/// The file.
pub fn page(report: &Report) -> String {
    let mut page = String::new();
    let title = "From tick to verdict";
    let _ = write!(
        page,
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>tickgate latency: {0}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1><p>{0}</p>"#,
        escape(&words::captures(&report.facts))
    );
    report.paces.iter().for_each(|pace| of_pace(&mut page, pace));
    if let Some(compared) = &report.compared {
        of_comparison(&mut page, compared);
    }
    of_machine(&mut page, report);
    of_reading(&mut page);
    page + "</main></body></html>\n"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn of_pace(page: &mut String, pace: &Pace) {
    let window = pace.window;
    let _ = write!(page, "<h2>{}</h2>", capital(&words::pace(pace.speed)));
    let _ = write!(
        page,
        "<p>{}, each in a process of its own, of {} events received from {} on: {} events a second.</p>",
        capital(&words::rounds(pace.rounds.len())),
        words::count(window.events),
        words::time_of_day(window.from),
        words::count(pace.rate() as u64)
    );
    tiles(page, pace);
    let _ = write!(
        page,
        "<h3>Percentiles</h3><p>{}</p>{}",
        chart::legend(pace),
        chart::percentiles(pace)
    );
    page.push_str("<p>Solid as far as samples and hiccups support it, dashed beyond.</p>");
    if let Some(round) = pace.rounds.first() {
        let _ = write!(
            page,
            "<h3>Over time</h3><p>Tick to indicators in the first round: the median of each {} as a line, its maximum as a dot; \
             below, when feed and engine core stood still for over 10 µs, on a scale up to 10 ms.</p>{}",
            words::ns(round.slice_ns),
            chart::time_line(round)
        );
    }
    page.push_str("<h3>Stages and ways</h3>");
    table(page, &pace.lines());
    if words::is_open(pace.speed) {
        let _ =
            write!(page, "<h3>Undisturbed events: {} of all</h3>", words::share(pace.quiet_ppm()));
        let lines: Vec<Line> =
            pace.quiet_lines().into_iter().filter(|line| line.row.kind != Kind::Stage).collect();
        match lines.as_slice() {
            [] => page.push_str("<p>None: no event was far enough from a hiccup.</p>"),
            lines => table(page, lines),
        }
    }
    threads(page, pace);
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// The figures that are looked for first.
fn tiles(page: &mut String, pace: &Pace) {
    let cell = |lines: &[Line], row: usize| {
        lines.iter().find(|line| ROWS.get(row) == Some(&line.row)).map(|line| line.cells[0])
    };
    let (all, quiet) = (pace.lines(), pace.quiet_lines());
    let figure = |cell: Option<Cell>| match cell {
        Some(Ok(ns)) => format!("<b>{}</b>", words::ns(ns)),
        Some(Err(why)) => {
            format!(r#"<b class="no">not supported</b><span>{}</span>"#, escape(&why.why(500_000)))
        }
        None => r#"<b class="no">none</b>"#.into(),
    };
    let longest = pace.longest_ns.iter().max().copied().unwrap_or(0);
    let lost = pace.lost_ppm.iter().max().copied().unwrap_or(0);
    let tiles = [
        (figure(cell(&all, VERDICT_RESPONSE)), "p50 from due to verdict, all waiting in it"),
        (figure(cell(&quiet, VERDICT_RESPONSE)), "the same of undisturbed events"),
        (figure(cell(&all, VERDICT_SERVICE)), "p50 of the work on that event alone"),
        (
            format!("<b>{}</b>", words::share(lost)),
            "of the time the louder of both cores stood still, at most for",
        ),
    ];
    page.push_str(r#"<div class="tiles">"#);
    for (place, (figure, what)) in tiles.iter().enumerate() {
        let more = if place == 3 { format!(" {}", words::ns(longest)) } else { String::new() };
        let _ = write!(page, r#"<div class="tile">{figure}<span>{what}{more}</span></div>"#);
    }
    page.push_str("</div>");
}

fn table(page: &mut String, lines: &[Line]) {
    page.push_str(r#"<table><tr><th></th><th class="l">from → to</th><th>n</th>"#);
    PERCENTILES.iter().for_each(|(name, ..)| _ = write!(page, "<th>{name}</th>"));
    page.push_str("<th>max</th></tr>");
    let mut before = None;
    for line in lines {
        // A rule where another way begins.
        let group = if line.row.kind == Kind::Stage { "" } else { line.row.name };
        let class = if before.is_some_and(|before| before != group) { r#" class="s""# } else { "" };
        before = Some(group);
        let (name, kind) = (line.row.name, words::kind(line.row.kind));
        let _ = write!(
            page,
            r#"<tr{class}><td>{name} <small>{kind}</small></td><td class="l"><small>{}</small></td><td>{}</td>"#,
            line.row.from_to,
            words::count(line.n)
        );
        for (cell, (_, _, tail)) in line.cells.iter().zip(PERCENTILES) {
            let _ = match cell {
                Ok(ns) => write!(page, "<td>{}</td>", words::ns(*ns)),
                Err(why) => {
                    let (said, letter) = (escape(&why.why(tail)), why.letter());
                    write!(page, r#"<td class="u" title="{said}">—{letter}</td>"#)
                }
            };
        }
        let _ = write!(page, "<td>{}</td></tr>", words::ns(line.range[1]));
    }
    page.push_str("</table>");
}

fn threads(page: &mut String, pace: &Pace) {
    page.push_str(
        r#"<h3>Hot threads</h3><table><tr><th></th><th>core</th><th>stood still</th><th>at most</th><th>&gt; 1 µs</th>
<th>&gt; 10 µs</th><th>&gt; 100 µs</th><th>&gt; 1 ms</th><th>watched</th><th class="l">taken in the windows</th></tr>"#,
    );
    for (place, name) in ["feed", "engine"].iter().enumerate() {
        let cores = || pace.rounds.iter().filter_map(|round| round.cores.get(place));
        let over = |class: usize| cores().map(|core| core.during.over[class]).sum::<u64>();
        let _ = write!(
            page,
            "<tr><td>{name}</td><td>{}</td><td>{}</td><td>{}</td>",
            cores().next().map_or(0, |core| core.cpu),
            words::share(pace.lost_ppm[place]),
            words::ns(pace.longest_ns[place])
        );
        (0..4).for_each(|class| _ = write!(page, "<td>{}</td>", words::count(over(class))));
        let _ = write!(
            page,
            r#"<td>{}</td><td class="l w">{}</td></tr>"#,
            words::share(pace.watched_ppm(place)),
            escape(&words::cost(pace.cost(place).as_ref()))
        );
    }
    page.push_str("</table>");
    if let Some(said) = words::together(&pace.rounds) {
        let _ = write!(page, "<p>{}.</p>", escape(&capital(&said)));
    }
    if let Some(round) = pace.rounds.first() {
        let is_same = pace.rounds.iter().all(|other| other.state_hash == round.state_hash);
        let _ = write!(
            page,
            "<p>{} orders passed the gate and {} were refused in the whole capture. State hash {} {}. {} events seem to be taken \
             before they were decoded: the clocks of two cores are compared.</p>",
            words::count(round.orders[0]),
            words::count(round.orders[1]),
            round.state_hash,
            if is_same { "in every round" } else { "in the first round, another in others" },
            words::count(pace.rounds.iter().map(|round| round.backwards).sum()),
        );
    }
}

fn of_comparison(page: &mut String, compared: &Comparison) {
    let count = |moved| compared.figures.iter().filter(|of| of.moved == moved).count();
    let _ = write!(
        page,
        "<h2>Beside the baseline</h2><p>{} figures within the band, {} faster, {} slower; {} are supported on one side only.</p>",
        count(Moved::Within),
        count(Moved::Faster),
        count(Moved::Slower),
        compared.not_compared
    );
    page.push_str(
        r#"<table><tr><th></th><th>pace</th><th>percentile</th><th>before</th><th>now</th><th>band</th><th></th></tr>"#,
    );
    for of in &compared.figures {
        let (class, word) = match of.moved {
            Moved::Within => ("u", "within"),
            Moved::Faster => ("faster", "faster"),
            Moved::Slower => ("slower", "slower"),
        };
        let _ = write!(
            page,
            r#"<tr><td>{} <small>{}</small></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>± {}</td>
<td class="{class}">{word}</td></tr>"#,
            of.figure.row,
            words::kind(of.figure.kind),
            of.figure.speed,
            of.figure.percentile,
            words::ns(of.before_ns),
            words::ns(of.after_ns),
            words::ns(of.band_ns),
        );
    }
    page.push_str("</table>");
}

fn of_machine(page: &mut String, report: &Report) {
    let Report { machine, facts, cpus, seconds, .. } = report;
    let guest = if machine.is_guest { ", a guest of another machine" } else { "" };
    let isolated = if machine.isolated.is_empty() { "none" } else { &machine.isolated };
    let fails = match machine.fails.as_slice() {
        [] => "nothing that live trading requires".to_owned(),
        fails => fails.join("; "),
    };
    let clock = report.paces.first().and_then(|pace| pace.rounds.first()).map(|round| round.clock);
    let clock = clock.map_or_else(String::new, |clock| {
        let what = if clock.is_counter { "the processor's counter" } else { "CLOCK_MONOTONIC" };
        let (look, step) = (words::ns(clock.look_ns), words::ns(clock.step_ns));
        format!("{what}; a look takes {look}, steps of {step}; one calibration for both threads")
    });
    let every: Vec<String> = facts.every.iter().map(u64::to_string).collect();
    let rows = [
        ("Processor", format!("{}, {} cores{guest}", machine.processor, machine.cpus)),
        ("Program", words::build(facts.optimised).to_owned()),
        (
            "Kernel",
            format!("{}; isolated cores: {isolated}; load {}", machine.kernel, machine.load),
        ),
        ("What tickgate doctor says fails", fails),
        ("Memory", words::memory(machine).unwrap_or_else(|| "not measured".to_owned())),
        ("Clock", clock),
        (
            "Threads",
            format!(
                "feed on core {}, engine on core {}, both spin; memory is locked where the host allows it",
                cpus[0], cpus[1]
            ),
        ),
        (
            "Windows",
            format!(
                "{seconds} s on the clock, in the busiest stretch of the captures unless a time was given"
            ),
        ),
        (
            "Engine",
            "pages are published; no journal, no audit log; the paper venue takes the orders"
                .to_owned(),
        ),
        (
            "Strategy",
            format!("probe, an immediate-or-cancel order every {} trades", every.join(", ")),
        ),
        ("Configuration", format!("digest {}", facts.config)),
    ];
    page.push_str("<h2>Machine and configuration</h2><table>");
    for (name, what) in rows {
        let _ = write!(page, r#"<tr><td>{name}</td><td class="l w">{}</td></tr>"#, escape(&what));
    }
    page.push_str("</table>");
}

fn of_reading(page: &mut String) {
    page.push_str("<h2>How to read this</h2><table>");
    for (name, what) in words::STAMPS {
        let _ = write!(page, r#"<tr><td><b>{name}</b></td><td class="l w">{what}</td></tr>"#);
    }
    page.push_str("</table><ul>");
    words::READING.iter().for_each(|line| _ = write!(page, "<li>{line}</li>"));
    page.push_str("</ul>");
}
