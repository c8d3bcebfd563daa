//! What the kernel did to a thread.

/// Counts of the calling thread since it began (getrusage(2), RUSAGE_THREAD).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadUsage {
    /// Page faults served from memory.
    pub minor_faults: u64,
    /// Page faults that waited for a disk.
    pub major_faults: u64,
    /// Times it gave the processor up.
    pub voluntary_switches: u64,
    /// Times the processor was taken from it.
    pub involuntary_switches: u64,
}

impl ThreadUsage {
    /// The calling thread's counts.
    pub fn now() -> ThreadUsage {
        let mut usage = core::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: the kernel writes one rusage to the place that it is given.
        let failed = unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) } != 0;
        debug_assert!(!failed, "neither argument can be wrong");
        // SAFETY: all zeros is a legal rusage, and so is what the kernel wrote.
        let usage = unsafe { usage.assume_init() };
        ThreadUsage {
            minor_faults: usage.ru_minflt.cast_unsigned(),
            major_faults: usage.ru_majflt.cast_unsigned(),
            voluntary_switches: usage.ru_nvcsw.cast_unsigned(),
            involuntary_switches: usage.ru_nivcsw.cast_unsigned(),
        }
    }

    /// What came after `earlier`, taken on the same thread.
    pub fn since(&self, earlier: &ThreadUsage) -> ThreadUsage {
        ThreadUsage {
            minor_faults: self.minor_faults.saturating_sub(earlier.minor_faults),
            major_faults: self.major_faults.saturating_sub(earlier.major_faults),
            voluntary_switches: self.voluntary_switches.saturating_sub(earlier.voluntary_switches),
            involuntary_switches: self
                .involuntary_switches
                .saturating_sub(earlier.involuntary_switches),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the counts are this thread's own. Method: sleep, which is one voluntary switch at
    /// least.
    #[test]
    fn sleeping_is_a_voluntary_switch() {
        let before = ThreadUsage::now();
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(ThreadUsage::now().since(&before).voluntary_switches >= 1);
    }
}
