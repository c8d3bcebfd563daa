//! What the measurements mean.

use crate::{CpuSet, Finding, Gaps, GapsOf, Group, Hop, Seen, Subject, Together};

/// Longest gap of a hot core that nobody need look after, nanoseconds: a trading host without one is common (deploy/host.md).
const QUIET_NS: u64 = 50_000;
/// Long gaps a second that a core may have more where it touches memory.
const TOUCHED_MORE: u64 = 5;
/// Slowest hop within a cache that cores share, nanoseconds: those that were published are 16 to 75.
const NEAR_NS: u64 = 90;

/// Longest gap of all cores, nanoseconds.
///
/// # Errors
///
/// The first core on which nothing could be measured.
pub fn worst(measured: &[GapsOf]) -> Result<u64, Option<usize>> {
    let mut maxima = measured.iter().map(|of| of.gaps.map(|gaps| gaps.max_ns).ok_or(of.cpu));
    maxima.try_fold(0, |worst, max| max.map(|max| worst.max(max)))
}

/// Gaps over 100 us a second of the worst hot core, or of the worst of all if no hot one was measured; `None`: nothing was
/// measured.
pub fn long_gaps(subject: &Subject, measured: &[GapsOf]) -> Option<u64> {
    let is_hot = |of: &&GapsOf| of.cpu.is_some_and(|cpu| subject.hot.has(cpu));
    let a_second = |of: &GapsOf| {
        let Gaps { over: [.., long, _], spent_ns, .. } = of.gaps?;
        u64::try_from(u128::from(long) * 1_000_000_000 / u128::from(spent_ns.max(1))).ok()
    };
    let hot = measured.iter().filter(is_hot).filter_map(a_second).max();
    hot.or_else(|| measured.iter().filter_map(a_second).max())
}

/// Whether cores that touch memory have about as many long gaps a second as cores at rest.
pub fn is_memory_kept(at_rest: u64, touching: u64) -> bool {
    touching <= at_rest.saturating_mul(2).saturating_add(TOUCHED_MORE)
}

/// Nanoseconds as people read them: `840 ns`, `12.3 us`, `4.7 ms`.
pub fn time(ns: u64) -> String {
    let tenths = |unit: u64, name: &str| format!("{}.{} {name}", ns / unit, ns % unit * 10 / unit);
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => tenths(1_000, "us"),
        1_000_000..1_000_000_000 => tenths(1_000_000, "ms"),
        _ => tenths(1_000_000_000, "s"),
    }
}

/// Judges the gaps of the hot cores by the configuration's limit, nanoseconds. Without one, they are no more than advice.
pub fn judge_gaps(subject: &Subject, limit_ns: Option<u64>, measured: &[GapsOf]) -> Finding {
    let of_hot = |of: &&GapsOf| of.cpu.is_some_and(|cpu| subject.hot.has(cpu));
    let hot: Vec<GapsOf> = measured.iter().filter(of_hot).copied().collect();
    let limit = limit_ns.unwrap_or(QUIET_NS);
    let wanted = match limit_ns {
        Some(limit) => format!("at most {} (hiccup_max_us)", time(limit)),
        None => format!("at most {}", time(limit)),
    };
    let seen = if measured.is_empty() {
        Seen::unknown("not measured", wanted)
    } else if hot.is_empty() {
        Seen::unknown("no hot core is known: the table shows all", wanted)
    } else {
        match worst(&hot) {
            Ok(max) => {
                let preempted: u64 = hot.iter().map(|of| of.preempted).sum();
                let found = format!(
                    "a hot core stood still for {}; other threads took one {preempted} times",
                    time(max)
                );
                Seen::of(max <= limit, found, wanted)
            }
            Err(cpu) => {
                let core = cpu.map_or(String::new(), |cpu| cpu.to_string());
                Seen::of(false, format!("no thread may run on core {core}"), wanted)
            }
        }
    };
    let seen = seen.fix("what fails above first; then look which interrupts the table names, and what else runs there:")
        .fix("ps -eLo psr,pid,comm | sort -n");
    let required = subject.live && limit_ns.is_some() && !measured.is_empty();
    finding(
        "gaps",
        required,
        "the engine stands still for so long, with orders in the market",
        seen,
    )
}

/// Judges the long gaps of cores that touch memory of their own, beside those of cores at rest.
pub fn judge_touches(subject: &Subject, at_rest: &[GapsOf], touching: &[GapsOf]) -> Finding {
    let wanted = "about as many as at rest".to_owned();
    let seen = match (long_gaps(subject, at_rest), long_gaps(subject, touching)) {
        (Some(rest), Some(touch)) => {
            let found = format!(
                "a core that touches memory of its own has {touch} gaps over 100 us a second, at rest {rest}"
            );
            Seen::of(is_memory_kept(rest, touch), found, wanted)
                .fix("a guest: back it with huge pages that its host keeps, without ballooning, merging or overcommitment;")
                .fix("or run on a machine of its own (deploy/host.md)")
        }
        _ => Seen::unknown("not measured", wanted),
    };
    finding(
        "touches",
        false,
        "an event whose memory is away waits until the host gives it back, and no page fault tells",
        seen,
    )
}

/// Judges the hot core that another one is most in the way of, hot or not.
pub fn judge_together(subject: &Subject, pairs: &[Together]) -> Finding {
    let hot = |of: &&Together| subject.hot.has(of.one) || subject.hot.has(of.other);
    let wanted = format!("at most {} times", factor(Together::APART));
    let seen = match pairs.iter().filter(hot).max_by_key(|of| of.median_percent) {
        None if pairs.is_empty() => Seen::unknown("not measured", wanted),
        None => Seen::unknown("no hot core is known: the table shows pairs", wanted),
        Some(of) => {
            let [least, median, most] =
                [of.least_percent, of.median_percent, of.most_percent].map(factor);
            let found = format!(
                "work on core {} takes {median} times as long while core {} works ({least} to {most})",
                of.one, of.other
            );
            Seen::of(of.is_apart(), found, wanted)
                .fix("engine.toml, [threads]: cores of which no other is the second thread (smt_sibling);")
                .fix("a guest: its host must give each virtual processor a core of its own, and leave it there")
        }
    };
    finding(
        "together",
        false,
        "two threads of one core share its units: each runs at little more than half the speed while the other has work",
        seen,
    )
}

/// Percent as a factor: `1.78`.
pub fn factor(percent: u64) -> String {
    format!("{}.{:02}", percent / 100, percent % 100)
}

/// Judges the slowest hop between hot cores.
pub fn judge_hops(subject: &Subject, hops: &[Hop]) -> Finding {
    let hot = |hop: &&Hop| subject.hot.has(hop.from) && subject.hot.has(hop.to);
    let slowest = hops.iter().filter(hot).max_by_key(|hop| hop.median_ns);
    let wanted = format!("at most {} one way", time(NEAR_NS));
    let seen = match slowest {
        None if hops.is_empty() => Seen::unknown("not measured", wanted),
        None => Seen::unknown("no two hot cores are known: the table shows pairs", wanted),
        Some(hop) => {
            let found =
                format!("{} from core {} to core {}", time(hop.median_ns), hop.from, hop.to);
            Seen::of(hop.median_ns <= NEAR_NS, found, wanted)
                .fix("engine.toml, [threads]: two cores of one L3 cache; shared_l3 names them")
        }
    };
    finding(
        "hops",
        false,
        "each event and each order crosses from core to core at least once",
        seen,
    )
}

fn finding(check: &'static str, required: bool, why: &'static str, seen: Seen) -> Finding {
    let (outcome, Seen { found, wanted, fix, .. }) = seen.weighed(required);
    Finding { check, group: Group::Measured, outcome, required, found, wanted, why, fix }
}

/// Rounds in which all cores are measured: the hot ones together, as they run; then the others in two halves, so that the rest of
/// the machine always has somewhere to go.
pub fn rounds(subject: &Subject) -> Vec<CpuSet> {
    let rest: Vec<usize> = subject.rest().iter().collect();
    let (first, second) = rest.split_at(rest.len().div_ceil(2));
    let halves = [first, second].map(|half| half.iter().copied().collect());
    let rounds = std::iter::once(subject.hot.and(&subject.online)).chain(halves);
    rounds.filter(|round: &CpuSet| !round.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;

    fn subject(hot: &str) -> Subject {
        let set = |text| CpuSet::parse_list(text).unwrap();
        Subject { live: true, hot: set(hot), online: set("0-6"), ..Subject::default() }
    }

    fn of(cpu: usize, max_ns: Option<u64>) -> GapsOf {
        GapsOf {
            cpu: Some(cpu),
            gaps: max_ns.map(|max_ns| Gaps { max_ns, ..Gaps::default() }),
            preempted: 0,
        }
    }

    /// Goal: the limit itself passes, one beyond does not, other cores do not count, and a core without a figure is no good one.
    /// Method: one row each.
    #[test]
    fn gaps_against_a_limit() {
        let judge = |hot: &str, limit, measured: &[GapsOf]| {
            judge_gaps(&subject(hot), limit, measured).outcome
        };
        let busy = of(0, Some(9_000_000));
        let limit = Some(20_000);
        assert_eq!(
            judge("2-3", limit, &[busy, of(2, Some(20_000)), of(3, Some(5))]),
            Outcome::Good
        );
        assert_eq!(judge("2-3", limit, &[of(2, Some(1)), of(3, Some(20_001))]), Outcome::Failed);
        assert_eq!(judge("2-3", limit, &[of(2, Some(1)), of(3, None)]), Outcome::Failed);
        assert_eq!(
            judge("", limit, &[busy]),
            Outcome::Failed,
            "a limit, and nothing to hold it against"
        );
        assert_eq!(judge("2", limit, &[]), Outcome::Unknown, "nobody asked to measure");
        assert_eq!(judge("2", None, &[of(2, Some(QUIET_NS + 1))]), Outcome::Advice);
        assert_eq!(judge("", None, &[busy]), Outcome::Unknown);
        let paper = Subject { live: false, ..subject("2") };
        assert_eq!(judge_gaps(&paper, limit, &[of(2, Some(20_001))]).outcome, Outcome::Advice);
        assert_eq!(worst(&[of(1, Some(3)), of(2, None), of(3, None)]), Err(Some(2)));
    }

    /// Goal: what touching takes counts beside what is taken at rest, of hot cores where they were measured. Method: a row at the
    /// edge, one beyond it, one of other cores, and without figures.
    #[test]
    fn touches_beside_rest() {
        // Over half a second: twice as many a second.
        let of = |cpu, long| GapsOf {
            cpu: Some(cpu),
            gaps: Some(Gaps { spent_ns: 500_000_000, over: [900, 90, long, 0], ..Gaps::default() }),
            preempted: 0,
        };
        let judge = |rest: &[GapsOf], touch: &[GapsOf]| judge_touches(&subject("2-3"), rest, touch);
        let rest = [of(0, 90), of(2, 1), of(3, 5)];
        assert_eq!(judge(&rest, &[of(0, 900), of(2, 12)]).outcome, Outcome::Good);
        assert_eq!(judge(&rest, &[of(2, 13)]).outcome, Outcome::Advice);
        assert_eq!(judge(&[of(0, 0)], &[of(0, 3)]).outcome, Outcome::Advice);
        assert_eq!(judge(&rest, &[]).outcome, Outcome::Unknown);
        let found = judge(&rest, &[of(2, 171)]).found;
        assert!(found.contains("has 342 gaps") && found.contains("at rest 10"), "{found}");
    }

    /// Goal: only hops between hot cores count. Method: a slow one beside them, then among them.
    #[test]
    fn hops_of_hot_cores() {
        let hop = |from, to, median_ns| Hop { from, to, min_ns: 1, median_ns, batches: 1 };
        let judge = |hops: &[Hop]| judge_hops(&subject("2-3"), hops).outcome;
        assert_eq!(judge(&[hop(0, 2, 900), hop(2, 3, NEAR_NS)]), Outcome::Good);
        assert_eq!(judge(&[hop(2, 3, NEAR_NS + 1)]), Outcome::Advice);
        assert_eq!(judge(&[hop(0, 1, 5)]), Outcome::Unknown);
    }

    /// Goal: each core is measured once, never all at once if it can be helped. Method: with and without hot ones.
    #[test]
    fn every_core_has_its_round() {
        let texts =
            |hot: &str| rounds(&subject(hot)).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts("2-3"), ["2-3", "0-1,4", "5-6"]);
        assert_eq!(texts(""), ["0-3", "4-6"]);
        assert_eq!(texts("0-6"), ["0-6"]);
        assert_eq!(texts("9"), ["0-3", "4-6"], "a core that is not there");
    }

    /// Goal: figures keep their size. Method: around each change of unit.
    #[test]
    fn times() {
        let texts = [0, 999, 1_000, 12_390, 999_999, 4_700_000, 61_000_000_000].map(time);
        assert_eq!(texts, ["0 ns", "999 ns", "1.0 us", "12.3 us", "999.9 us", "4.7 ms", "61.0 s"]);
    }

    /// Goal: the edge itself passes, one beyond is advice, a hot core counts beside any other, pairs of others do not, and what
    /// is not known is not good. Method: one row each.
    #[test]
    fn cores_of_their_own() {
        let of = |one, other, median_percent| Together {
            one,
            other,
            median_percent,
            ..Together::default()
        };
        let judge = |hot: &str, pairs: &[Together]| judge_together(&subject(hot), pairs).outcome;
        let [edge, beyond] = [Together::APART, Together::APART + 1];
        assert_eq!(judge("2-3", &[of(2, 3, edge), of(0, 1, 199)]), Outcome::Good);
        assert_eq!(judge("2-3", &[of(2, 3, 100), of(3, 4, beyond)]), Outcome::Advice);
        assert_eq!(judge("2-3", &[of(0, 2, beyond), of(2, 3, 100)]), Outcome::Advice);
        assert_eq!(judge("", &[of(0, 1, 199)]), Outcome::Unknown);
        assert_eq!(judge("2-3", &[]), Outcome::Unknown);
        assert_eq!([99, 100, 199, 2_005].map(factor), ["0.99", "1.00", "1.99", "20.05"]);
    }
}
