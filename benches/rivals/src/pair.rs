//! Where two processors are. A guest's are threads of its host, which moves them: at one time both are of one core, at another
//! of one cache, then of two, and a line takes 35, 60 or 200 ns from one to the other. Rounds of two places compare nothing.

use std::time::{Duration, Instant};

/// Looks that tell where they are most of the time.
const LOOKS: usize = 9;
/// How far a hop may be from those, in hundredths, for the place to be the same.
const SAME: std::ops::RangeInclusive<u64> = 75..=133;
/// Between two looks, and how long a contest waits in all for that place.
const PAUSE: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(90);

/// Two processors, held to where they mostly are.
pub struct Pair {
    cpus: [usize; 2],
    hop_ns: u64,
    waits_until: Instant,
    /// Rounds that were done again, and rounds of another place that nobody could wait for.
    again: u32,
    elsewhere: u32,
}

impl Pair {
    /// Looks where they mostly are; `None`: nothing can be measured.
    pub fn find(cpus: [usize; 2]) -> Option<Pair> {
        let look = |_| {
            std::thread::sleep(PAUSE);
            hop(cpus)
        };
        let mut hops = (0..LOOKS).map(look).collect::<Option<Vec<u64>>>()?;
        hops.sort_unstable();
        let waits_until = Instant::now() + PATIENCE;
        Some(Pair { cpus, hop_ns: hops[LOOKS / 2], waits_until, again: 0, elsewhere: 0 })
    }

    /// Does `round` until both were there before and after it.
    pub fn hold(&mut self, mut round: impl FnMut()) {
        loop {
            while !self.is_same() && Instant::now() < self.waits_until {
                std::thread::sleep(PAUSE);
            }
            round();
            if self.is_same() {
                return;
            }
            if Instant::now() >= self.waits_until {
                self.elsewhere += 1;
                return;
            }
            self.again += 1;
        }
    }

    fn is_same(&self) -> bool {
        hop(self.cpus).is_some_and(|now| SAME.contains(&(now * 100 / self.hop_ns.max(1))))
    }

    /// What a reader must know.
    pub fn text(&self) -> String {
        let Pair { hop_ns, again, elsewhere, .. } = self;
        let mut text = format!("a bare hop took {hop_ns} ns before and after each round");
        if *again > 0 {
            text += &format!(", {again} were done again");
        }
        if *elsewhere > 0 {
            text += &format!(", BUT FOR {elsewhere}");
        }
        text
    }
}

fn hop(cpus: [usize; 2]) -> Option<u64> {
    doctor::measure_hops(&cpus).first().map(|hop| hop.median_ns)
}
