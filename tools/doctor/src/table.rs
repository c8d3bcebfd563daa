//! The page for people: what was found, what was measured, what to change.

use std::fmt::Write;

use doctor::{Finding, Group, Outcome, time};

use crate::measure::{Core, Measured};
use crate::subject::Asked;

/// Pairs of cores that are shown one by one; of more, the least and the greatest.
const PAIRS: usize = 6;

/// The whole page.
pub fn text(asked: &Asked, findings: &[Finding], measured: &Measured) -> String {
    let mut page = String::new();
    head(&mut page, asked);
    let mut group = None;
    for finding in findings.iter().filter(|finding| finding.group != Group::Measured) {
        if group.replace(finding.group) != Some(finding.group) {
            let _ = writeln!(page, "\n{}", format!("{:?}", finding.group).to_lowercase());
        }
        row(&mut page, finding);
    }
    let _ = writeln!(page, "\nmeasured");
    findings
        .iter()
        .filter(|finding| finding.group == Group::Measured)
        .for_each(|finding| row(&mut page, finding));
    match &measured.not {
        Some(why) => _ = writeln!(page, "  {why}"),
        None => figures(&mut page, asked, measured),
    }
    changes(&mut page, findings);
    last(&mut page, findings);
    page
}

fn head(page: &mut String, asked: &Asked) {
    let hot = match asked.subject.hot.is_empty() {
        true => "no hot core is known".into(),
        false => format!("hot cores {}", asked.subject.hot),
    };
    let what = match &asked.config {
        None => "judged for live trading, without a configuration".to_owned(),
        Some(path) => {
            format!("judged for {path} ({})", if asked.subject.live { "live" } else { "not live" })
        }
    };
    let _ = writeln!(page, "{what}; {hot} of {}", asked.subject.online);
}

const fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Good => "ok",
        Outcome::Advice => "advice",
        Outcome::Failed => "FAILS",
        Outcome::Unknown => "?",
    }
}

fn row(page: &mut String, finding: &Finding) {
    let Finding { check, outcome, found, wanted, .. } = finding;
    let mark = mark(*outcome);
    let _ = match outcome {
        Outcome::Good => writeln!(page, "  {mark:<7}{check:<16}{found}"),
        _ => writeln!(page, "  {mark:<7}{check:<16}{found}   (wanted: {wanted})"),
    };
}

fn figures(page: &mut String, asked: &Asked, measured: &Measured) {
    let spent = measured.cores.iter().filter_map(|core| core.gaps).map(|gaps| gaps.spent_ns).max();
    let _ = writeln!(
        page,
        "\n  gaps longer than    1 us   10 us  100 us    1 ms        max     lost   preempted  interrupts meanwhile ({} a core)",
        time(spent.unwrap_or(0))
    );
    measured.cores.iter().for_each(|core| core_row(page, asked, core));
    let _ = writeln!(page, "\n  the same, touching {} MiB of its own", doctor::TOUCHED_BYTES >> 20);
    for of in &measured.touches {
        let (Some(cpu), gaps, preempted) = (of.cpu, of.gaps, of.preempted) else { continue };
        core_row(page, asked, &Core { cpu, gaps, preempted, interrupts: Vec::new() });
    }
    if !measured.together.is_empty() {
        let _ = writeln!(
            page,
            "\n  {:<22}{:>8}{:>8}{:>8}",
            "times as long beside", "least", "median", "most"
        );
    }
    for of in ends(&measured.together, |of| of.median_percent) {
        let pair = format!("core {} beside {}", of.one, of.other);
        let [least, median, most] =
            [of.least_percent, of.median_percent, of.most_percent].map(doctor::factor);
        let _ = writeln!(page, "  {pair:<22}{least:>8}{median:>8}{most:>8}");
    }
    of_how_many(page, measured.together.len());
    if !measured.hops.is_empty() {
        let _ = writeln!(page, "\n  {:<22}{:>8}{:>8}", "core to core, one way", "min", "median");
    }
    for hop in ends(&measured.hops, |hop| hop.median_ns) {
        let pair = format!("{} to {}", hop.from, hop.to);
        let _ = writeln!(page, "  {pair:<22}{:>8}{:>8}", time(hop.min_ns), time(hop.median_ns));
    }
    of_how_many(page, measured.hops.len());
}

fn of_how_many(page: &mut String, pairs: usize) {
    if pairs > PAIRS {
        let _ = writeln!(page, "  the least and the greatest of {pairs} pairs");
    }
}

/// All, or if they are more than are shown, the least and the greatest.
fn ends<T: Copy>(pairs: &[T], by: impl Fn(&T) -> u64) -> Vec<T> {
    let mut pairs = pairs.to_vec();
    if pairs.len() > PAIRS {
        pairs.sort_by_key(by);
        pairs.drain(PAIRS / 2..pairs.len() - PAIRS / 2);
    }
    pairs
}

fn core_row(page: &mut String, asked: &Asked, core: &Core) {
    let pinned = asked.subject.pinned.unwrap_or_default();
    let roles = [("feed", pinned.feed), ("engine", pinned.engine), ("journal", pinned.journal)];
    let roles: Vec<&str> =
        roles.iter().filter(|(_, cpu)| *cpu == Some(core.cpu)).map(|(role, _)| *role).collect();
    let name = format!("core {} {}", core.cpu, roles.join(" "));
    let Some(gaps) = core.gaps else {
        let _ = writeln!(page, "  {name:<18}no thread of this user may run there");
        return;
    };
    let [us, us10, us100, ms] = gaps.over;
    let lost = gaps.lost_ppm();
    let lost = format!("{}.{:03} %", lost / 10_000, lost % 10_000 / 10);
    let sources: Vec<String> =
        core.interrupts.iter().map(|of| format!("{} x {}", of.count, of.name)).collect();
    let _ = writeln!(
        page,
        "  {name:<18}{us:>6}  {us10:>6}  {us100:>6}  {ms:>6} {:>10} {lost:>8} {:>11}  {}",
        time(gaps.max_ns),
        core.preempted,
        sources.join(", ")
    );
}

fn changes(page: &mut String, findings: &[Finding]) {
    let mut wrong: Vec<&Finding> = findings
        .iter()
        .filter(|finding| matches!(finding.outcome, Outcome::Failed | Outcome::Advice))
        .collect();
    wrong.sort_by_key(|finding| finding.outcome != Outcome::Failed);
    if !wrong.is_empty() {
        let _ = writeln!(page, "\nto change, what is required first");
    }
    for finding in wrong {
        let _ = writeln!(page, "  {:<7}{}: {}", mark(finding.outcome), finding.check, finding.why);
        finding.fix.iter().for_each(|step| _ = writeln!(page, "           {step}"));
    }
    let asked: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.outcome == Outcome::Unknown && !finding.fix.is_empty())
        .filter(|finding| finding.group != Group::Measured)
        .collect();
    if !asked.is_empty() {
        let _ = writeln!(page, "\nto look at, for nothing here tells");
    }
    for finding in asked {
        let _ = writeln!(page, "  {:<7}{}: {}", mark(finding.outcome), finding.check, finding.why);
        finding.fix.iter().for_each(|step| _ = writeln!(page, "           {step}"));
    }
}

fn last(page: &mut String, findings: &[Finding]) {
    let count = |outcome| findings.iter().filter(|finding| finding.outcome == outcome).count();
    let [good, advice, failed, unknown] =
        [Outcome::Good, Outcome::Advice, Outcome::Failed, Outcome::Unknown].map(count);
    let word = if failed == 0 {
        "nothing that is required fails"
    } else {
        "not fit: what is marked FAILS is required"
    };
    let _ = writeln!(
        page,
        "\n{failed} required fail, {advice} advice, {unknown} unknown, {good} good: {word}"
    );
    if failed + advice > 0 {
        let _ = writeln!(
            page,
            "deploy/tune-host.sh shows what can be changed without a restart; deploy/host.md explains the rest"
        );
    }
}
