//! The report for a terminal.

use std::fmt::Write;

use crate::band::{Comparison, Moved};
use crate::json::cell;
use crate::report::{Line, Pace, Report};
use crate::rows::Kind;
use crate::support::PERCENTILES;
use crate::words;

/// The whole.
pub fn page(report: &Report) -> String {
    let mut page = String::new();
    let _ = writeln!(page, "{}", words::captures(&report.facts));
    let machine = &report.machine;
    let guest = if machine.is_guest { ", a guest" } else { "" };
    let _ = writeln!(
        page,
        "{}, {} cores{guest}, kernel {}, load {}; feed thread on core {}, engine thread on core {}",
        machine.processor,
        machine.cpus,
        machine.kernel,
        machine.load,
        report.cpus[0],
        report.cpus[1]
    );
    words::memory(machine).into_iter().for_each(|line| _ = writeln!(page, "{line}"));
    if !report.facts.optimised {
        let _ = writeln!(page, "{}", words::build(false));
    }
    report.paces.iter().for_each(|pace| of_pace(&mut page, pace));
    let _ = writeln!(
        page,
        "\n—n: fewer than 100 samples beyond it; —h: the cores stood still for more than half of what lies beyond it"
    );
    if let Some(compared) = &report.compared {
        of_comparison(&mut page, compared);
    }
    page
}

fn of_pace(page: &mut String, pace: &Pace) {
    let window = pace.window;
    let _ = writeln!(
        page,
        "\n{}: {} of {} events from {}, {} events/s",
        words::pace(pace.speed),
        words::rounds(pace.rounds.len()),
        words::count(window.events),
        words::time_of_day(window.from),
        words::count(pace.rate() as u64),
    );
    table(page, &pace.lines());
    if words::is_open(pace.speed) {
        let _ = writeln!(page, "  undisturbed: {} of the events", words::share(pace.quiet_ppm()));
        let quiet = pace.quiet_lines();
        let of_order = |line: &&Line| line.row.kind != Kind::Stage;
        rows(page, quiet.iter().filter(of_order));
    }
    for (place, name) in ["feed", "engine"].iter().enumerate() {
        let _ = writeln!(
            page,
            "  {name} thread: stood still for {} of the time, at most {}; watched in {} of the windows; {}",
            words::share(pace.lost_ppm[place]),
            words::ns(pace.longest_ns[place]),
            words::share(pace.watched_ppm(place)),
            words::cost(pace.cost(place).as_ref()),
        );
    }
    if let Some(said) = words::together(&pace.rounds) {
        let _ = writeln!(page, "  {said}");
    }
    if let Some(round) = pace.rounds.first() {
        let is_same = pace.rounds.iter().all(|other| other.state_hash == round.state_hash);
        let _ = writeln!(
            page,
            "  a look at the clock takes {}; {} orders passed, {} refused; state hash {}{}",
            words::ns(round.clock.look_ns),
            words::count(round.orders[0]),
            words::count(round.orders[1]),
            round.state_hash,
            if is_same { " in every round" } else { " in the first round, ANOTHER IN OTHERS" },
        );
    }
}

fn table(page: &mut String, lines: &[Line]) {
    let _ = write!(page, "  {:<31}{:<12}{:>11}", "", "", "n");
    PERCENTILES.iter().for_each(|(name, ..)| _ = write!(page, "{name:>10}"));
    let _ = writeln!(page, "{:>10}", "max");
    rows(page, lines.iter());
}

fn rows<'a>(page: &mut String, lines: impl Iterator<Item = &'a Line>) {
    for line in lines {
        let name = format!("{} {}", line.row.name, words::kind(line.row.kind));
        let _ = write!(page, "  {name:<31}{:<12}{:>11}", line.row.from_to, words::count(line.n));
        line.cells.iter().for_each(|of| _ = write!(page, "{:>10}", cell(of)));
        let _ = writeln!(page, "{:>10}", words::ns(line.range[1]));
    }
}

fn of_comparison(page: &mut String, compared: &Comparison) {
    let moved = |moved| compared.figures.iter().filter(move |of| of.moved == moved);
    let _ = writeln!(
        page,
        "\ncompared with the baseline: {} figures within the band, {} faster, {} slower; {} are supported on one side only",
        moved(Moved::Within).count(),
        moved(Moved::Faster).count(),
        moved(Moved::Slower).count(),
        compared.not_compared,
    );
    for of in moved(Moved::Slower).chain(moved(Moved::Faster)) {
        let word = if of.moved == Moved::Slower { "SLOWER" } else { "faster" };
        let name = format!("{} {}", of.figure.row, words::kind(of.figure.kind));
        let _ = writeln!(
            page,
            "  {word}  {name:<31} {:<7} at pace {:<5} {:>9} → {:>9}   band ± {}",
            of.figure.percentile,
            of.figure.speed,
            words::ns(of.before_ns),
            words::ns(of.after_ns),
            words::ns(of.band_ns),
        );
    }
    if compared.figures.is_empty() {
        let _ = writeln!(page, "  nothing could be compared");
    }
}
