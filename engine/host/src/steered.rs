//! Whether the kernel believes its own wall clock.

/// Whether somebody steers the wall clock and its error is bounded (adjtimex(2)); `None`: the kernel does not say.
pub fn clock_is_steered() -> Option<bool> {
    // SAFETY: every field of the record is a number, of which zero is a value.
    let mut record: libc::timex = unsafe { core::mem::zeroed() };
    // SAFETY: the record is ours and lives through the call; `modes` is zero, so nothing is changed.
    let state = unsafe { libc::adjtimex(&raw mut record) };
    (state >= 0).then_some(state != libc::TIME_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: asking changes nothing and gives the same answer again. Method: ask twice.
    #[test]
    fn asks_only() {
        assert_eq!(clock_is_steered(), clock_is_steered());
    }
}
