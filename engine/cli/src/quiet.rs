//! Whether the cores of a live engine are quiet. Asked while the journal's lease is held, so that no other engine of it runs on
//! them.

use std::time::Duration;

use doctor::{GapsOf, time};
use engine::config::{EngineConfig, HiccupMax};
use model::{HaltLevel, Mode};

/// For how long a start watches the hot cores.
pub const AT_START: Duration = Duration::from_secs(2);
/// For how long a standby does that takes over: orders may be open, and nobody else can cancel them.
pub const AT_PROMOTION: Duration = Duration::from_millis(200);

/// Watches the cores of feed and engine thread, if the engine trades at a venue and `hiccup_max_us` is a limit.
///
/// # Errors
///
/// What is too loud, for the operator.
pub fn watch(config: &EngineConfig, watched: Duration) -> Result<(), String> {
    if config.mode != Mode::Live {
        return Ok(());
    }
    let HiccupMax::Us(max_us) = config.hiccup_max else {
        tracing::warn!("hiccup_max_us is \"off\": nobody looks whether this host is quiet enough");
        return Ok(());
    };
    let cpus = [config.cpus.feed, config.cpus.engine];
    tracing::info!("watches the hot cores for {watched:?}");
    let measured = doctor::measure_gaps(&cpus, watched.as_nanos() as u64);
    judge(&measured, max_us, watched)
}

/// Nothing new is let through until a named operator resumes; cancels are.
pub fn hold(config: &mut EngineConfig) {
    config.start_level = config.start_level.max(HaltLevel::CancelOnly);
}

fn judge(measured: &[GapsOf], max_us: u64, watched: Duration) -> Result<(), String> {
    let limit_ns = max_us * 1_000;
    let loud = |of: &&GapsOf| of.gaps.is_none_or(|gaps| gaps.max_ns > limit_ns);
    let said: Vec<String> = measured.iter().filter(loud).map(|of| say(of, watched)).collect();
    if said.is_empty() {
        return Ok(());
    }
    let said = said.join("; ");
    Err(format!(
        "this host is not quiet enough for live trading: {said}; hiccup_max_us allows {}",
        time(limit_ns)
    ))
}

fn say(of: &GapsOf, watched: Duration) -> String {
    let core = of.cpu.map_or("a thread that is not pinned".into(), |cpu| format!("core {cpu}"));
    match of.gaps {
        Some(gaps) => {
            let (max, preempted) = (time(gaps.max_ns), of.preempted);
            format!(
                "{core} stood still for {max} within {watched:?}, other threads took it {preempted} times"
            )
        }
        None => format!("{core} takes no thread of this user, so nothing is known of it"),
    }
}

#[cfg(test)]
mod tests {
    use doctor::Gaps;

    use super::*;

    /// Goal: the limit itself passes, one nanosecond beyond does not, nor does a core of which nothing is known; each that
    /// is loud is named. Method: two cores, one row each.
    #[test]
    fn the_limit_and_beyond() {
        let of = |cpu, max_ns: Option<u64>| GapsOf {
            cpu,
            gaps: max_ns.map(|max_ns| Gaps { max_ns, ..Gaps::default() }),
            preempted: 3,
        };
        let judge = |first, second| judge(&[of(Some(2), first), of(None, second)], 50, AT_START);
        assert_eq!(judge(Some(50_000), Some(0)), Ok(()));
        let said = judge(Some(50_001), Some(4_700_000)).unwrap_err();
        for part in [
            "core 2 stood still for 50.0 us within 2s",
            "not pinned stood still for 4.7 ms",
            "allows 50.0 us",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(judge(None, Some(0)).unwrap_err().contains("core 2 takes no thread"));
    }
}
