//! How a hot thread waits for work.

use std::time::Duration;

use crate::config::Wait;

/// Rounds of spinning, then of yielding, before [`Wait::Park`] sleeps.
const SPINS: u32 = 200;
const YIELDS: u32 = 50;
/// How long it sleeps at a time.
const NAP: Duration = Duration::from_micros(50);

/// Waits longer the longer nothing happens, as far as its strategy allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiter {
    strategy: Wait,
    idle: u32,
}

impl Waiter {
    /// [`Wait::Auto`] spins on four processors or more.
    pub fn new(strategy: Wait) -> Waiter {
        Waiter { strategy: strategy.settled(host::cpus().len()), idle: 0 }
    }

    /// Whether it never gives its processor away.
    pub fn spins(&self) -> bool {
        self.strategy == Wait::Spin
    }

    /// There was work.
    pub fn busy(&mut self) {
        self.idle = 0;
    }

    /// There was none: waits a moment.
    pub fn idle(&mut self) {
        self.idle = self.idle.saturating_add(1);
        match self.strategy {
            Wait::Yield => std::thread::yield_now(),
            Wait::Park if self.idle > SPINS + YIELDS => std::thread::sleep(NAP),
            Wait::Park if self.idle > SPINS => std::thread::yield_now(),
            _ => std::hint::spin_loop(),
        }
    }
}
