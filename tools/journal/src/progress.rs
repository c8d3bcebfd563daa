//! A bar on a terminal for what takes longer than two seconds.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Counts inputs towards a known end.
pub struct Progress {
    bar: Option<ProgressBar>,
    total: u64,
    label: &'static str,
    next: Instant,
}

impl Progress {
    /// Towards `total` inputs. Nothing is drawn before two seconds are over, nor where standard error is no terminal.
    pub fn new(total: u64, label: &'static str) -> Progress {
        Progress { bar: None, total, label, next: Instant::now() + Duration::from_secs(2) }
    }

    /// Input `seq` is done.
    pub fn show(&mut self, seq: u64) {
        if !seq.is_multiple_of(1024) || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + Duration::from_millis(100);
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new(self.total);
            let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} inputs, {eta}");
            bar.set_style(style.unwrap_or(ProgressStyle::default_bar()));
            bar.set_message(self.label);
            bar
        });
        bar.set_position(seq);
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
