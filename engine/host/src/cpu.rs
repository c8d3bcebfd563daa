//! Which processors there are, and staying on one.

use core_affinity::CoreId;

/// Numbers of the processors that this thread may run on, rising. Empty if the host does not tell.
pub fn cpus() -> Vec<usize> {
    let ids = core_affinity::get_core_ids().unwrap_or_default();
    ids.into_iter().map(|core| core.id).collect()
}

/// Processors that the kernel's fixed-size set can name (sched_setaffinity(2), CPU_SETSIZE).
const CPU_SET_SIZE: usize = 1024;

/// Keeps the calling thread on one processor. `false`: the host refused, and the thread runs where
/// it did.
pub fn pin_current(cpu: usize) -> bool {
    cpu < CPU_SET_SIZE && core_affinity::set_for_current(CoreId { id: cpu })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a thread stays where it is pinned, and an absent processor is refused. Method: pin a
    /// fresh thread, look.
    #[test]
    fn pinned_thread_has_one_cpu() {
        let all = cpus();
        let last = *all.last().unwrap();
        let (pinned, seen, absent) = std::thread::spawn(move || {
            (pin_current(last), cpus(), pin_current(1023) || pin_current(1024))
        })
        .join()
        .unwrap();
        assert!(pinned && !absent);
        assert_eq!(seen, [last]);
        assert_eq!(cpus(), all, "other threads keep their own");
    }
}
