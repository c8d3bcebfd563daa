//! Measures core by core, with the interrupts that came meanwhile.

use std::time::Duration;

use doctor::{Counts, Gaps, GapsOf, Hop, Host, Source, Subject, Together};
use indicatif::{ProgressBar, ProgressStyle};
use program::eprintln;
use serde_json::json;

/// Most cores of which all pairs are measured: 120 pairs, a tenth of a second each at most.
const PAIRED_MAX: usize = 16;
/// Most pairs that work together, a tenth of a second each, half a one at most.
const TOGETHER_MAX: usize = 240;
/// Interrupts that are named for a core.
const SOURCES: usize = 4;

/// A core.
pub struct Core {
    /// Its number.
    pub cpu: usize,
    /// What was measured on it; `None`: no thread may run there.
    pub gaps: Option<Gaps>,
    /// Times that another thread took it.
    pub preempted: u64,
    /// Interrupts that came meanwhile, the most frequent first.
    pub interrupts: Vec<Source>,
}

/// What was measured.
#[derive(Default)]
pub struct Measured {
    /// Cores, rising.
    pub cores: Vec<Core>,
    /// The same cores where they touched memory.
    pub touches: Vec<GapsOf>,
    /// Pairs of cores that work together.
    pub together: Vec<Together>,
    /// Pairs of cores and a line between them.
    pub hops: Vec<Hop>,
    /// Why nothing was.
    pub not: Option<String>,
}

impl Core {
    pub fn json(&self) -> serde_json::Value {
        let measured = self.gaps.map(gaps_json);
        json!({ "cpu": self.cpu, "measured": measured, "preempted": self.preempted, "interrupts": self.interrupts })
    }
}

/// What was measured on a core that touched memory.
pub fn touches_json(of: &GapsOf) -> serde_json::Value {
    json!({ "cpu": of.cpu, "measured": of.gaps.map(gaps_json), "preempted": of.preempted })
}

fn gaps_json(gaps: Gaps) -> serde_json::Value {
    json!({
        "spent_ns": gaps.spent_ns,
        "looks": gaps.looks,
        "over": gaps.over,
        "max_ns": gaps.max_ns,
        "lost_ns": gaps.lost_ns,
        "lost_ppm": gaps.lost_ppm(),
    })
}

impl Measured {
    /// Nothing, for a reason.
    pub fn not(why: impl Into<String>) -> Measured {
        Measured { not: Some(why.into()), ..Measured::default() }
    }

    /// Core by core.
    pub fn gaps(&self) -> Vec<GapsOf> {
        self.cores
            .iter()
            .map(|core| GapsOf { cpu: Some(core.cpu), gaps: core.gaps, preempted: core.preempted })
            .collect()
    }
}

/// Measures all cores for so long each, at rest and where they touch memory, then pairs.
pub fn run(host: &Host, subject: &Subject, for_ns: u64) -> Measured {
    let rounds = doctor::rounds(subject);
    let total = Duration::from_nanos(for_ns.saturating_mul(2 * rounds.len() as u64));
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {msg}, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(200));
    let (mut cores, mut touches) = (Vec::new(), Vec::new());
    for (place, round) in rounds.iter().enumerate() {
        bar.set_message(format!(
            "watches cores {round}, {} of {}, {total:.0?} in all",
            place + 1,
            rounds.len()
        ));
        let cpus: Vec<_> = round.iter().map(Some).collect();
        let before = Counts::now(host);
        let measured = doctor::measure_gaps(&cpus, for_ns);
        let after = Counts::now(host);
        touches.extend(doctor::measure_touches(&cpus, for_ns));
        for GapsOf { cpu, gaps, preempted } in measured {
            let Some(cpu) = cpu else { continue };
            let mut interrupts = after.since(&before, cpu);
            interrupts.truncate(SOURCES);
            cores.push(Core { cpu, gaps, preempted, interrupts });
        }
    }
    cores.sort_by_key(|core| core.cpu);
    touches.sort_by_key(|of| of.cpu);
    let hot: Vec<usize> = subject.hot.and(&subject.online).iter().collect();
    bar.set_message("lets cores work together");
    let mut pairs = beside(&hot, subject);
    if pairs.len() > TOGETHER_MAX {
        let left = pairs.len() - TOGETHER_MAX;
        bar.suspend(|| {
            eprintln!("together: {left} pairs of cores are left out, {TOGETHER_MAX} are measured")
        });
        pairs.truncate(TOGETHER_MAX);
    }
    let together = doctor::measure_together(&pairs);
    let mut paired = if hot.len() < 2 { subject.online.iter().collect() } else { hot };
    paired.truncate(PAIRED_MAX);
    bar.set_message("sends a cache line from core to core");
    let hops = doctor::measure_hops(&paired);
    bar.finish_and_clear();
    Measured { cores, touches, together, hops, not: None }
}

/// Each hot core beside every other one, for any may be its second thread, pairs of two hot ones first; without hot cores all
/// pairs.
fn beside(hot: &[usize], subject: &Subject) -> Vec<(usize, usize)> {
    let online: Vec<usize> = subject.online.iter().collect();
    let is_asked = |one: usize| hot.is_empty() || hot.contains(&one);
    let pairs = online
        .iter()
        .enumerate()
        .flat_map(|(place, one)| online.iter().skip(place + 1).map(move |other| (*one, *other)));
    let mut pairs: Vec<_> =
        pairs.filter(|(one, other)| is_asked(*one) || is_asked(*other)).collect();
    pairs.sort_by_key(|(one, other)| !(is_asked(*one) && is_asked(*other)));
    pairs
}

#[cfg(test)]
mod tests {
    use doctor::CpuSet;

    use super::*;

    /// Goal: each hot core is held beside every other one, and where there is no time for all, beside the hot ones first. Method:
    /// two hot cores of four, and none.
    #[test]
    fn hot_pairs_come_first() {
        let online = CpuSet::parse_list("0-3").unwrap();
        let subject = Subject { online, ..Subject::default() };
        assert_eq!(beside(&[2, 3], &subject), [(2, 3), (0, 2), (0, 3), (1, 2), (1, 3)]);
        assert_eq!(beside(&[], &subject).len(), 6);
    }
}
