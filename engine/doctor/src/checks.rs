//! The checklist. To add a check: a function in the file of its group, from [`Host`] and [`Subject`] to [`Seen`], and an entry in
//! that file's `CHECKS`; for a new group a file, its `mod` line and its line in [`all`]. Say in `why` what happens otherwise, in
//! `fix` what to type. Then a row in `checks/tests.rs` (good, bad, absent), and in `deploy/host.md`. The smallest to copy is
//! `clock.rs`.

mod clock;
mod cores;
mod interrupts;
mod limits;
mod machine;
mod memory;
mod network;
mod power;

use crate::{Finding, Group, Host, Seen, Subject};

/// Of whom it is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Of a host of live trading.
    Live,
    /// Of one whose hot processors are known: else [`cores`] fails already.
    LiveAndHot,
    /// Of one whose configuration is known.
    Configured,
    /// Of one whose engine locks its memory.
    LockedMemory,
    /// Of none: it costs latency at times.
    Never,
}

impl Need {
    fn holds(self, subject: &Subject) -> bool {
        match self {
            Need::Live => subject.live,
            Need::LiveAndHot => subject.live && !subject.hot.is_empty(),
            Need::Configured => subject.pinned.is_some(),
            Need::LockedMemory => subject.pinned.is_some_and(|pinned| pinned.lock_memory),
            Need::Never => false,
        }
    }
}

/// One check.
struct Check {
    name: &'static str,
    group: Group,
    need: Need,
    why: &'static str,
    look: fn(&Host, &Subject) -> Seen,
}

fn all() -> impl Iterator<Item = &'static Check> {
    [
        cores::CHECKS,
        power::CHECKS,
        interrupts::CHECKS,
        clock::CHECKS,
        memory::CHECKS,
        limits::CHECKS,
        network::CHECKS,
        machine::CHECKS,
    ]
    .into_iter()
    .flatten()
}

/// Longest text of a finding: what a file says is not ours.
const TEXT_MAX: usize = 200;

/// Every check's answer, in the order of the list.
pub fn run(host: &Host, subject: &Subject) -> Vec<Finding> {
    let finding = |check: &Check| {
        let required = check.need.holds(subject);
        let (outcome, Seen { found, wanted, fix, .. }) =
            (check.look)(host, subject).weighed(required);
        let Check { name, group, why, .. } = *check;
        let (found, fix) = (short(found), fix.into_iter().map(short).collect());
        Finding { check: name, group, outcome, required, found, wanted, why, fix }
    };
    all().map(finding).collect()
}

fn short(text: String) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// A number in a file that should be `wanted`, and the line that makes it so.
fn sysctl(host: &Host, name: &str, wanted: i64) -> Seen {
    let path = format!("proc/sys/{}", name.replace('.', "/"));
    let seen = match host.number(&path) {
        Some(value) => Seen::of(value == wanted, format!("{name} = {value}"), wanted.to_string()),
        None => Seen::unknown(format!("/{path} is absent or no number"), wanted.to_string()),
    };
    seen.fix(format!("sysctl -w {name}={wanted}"))
}

#[cfg(test)]
mod tests;
