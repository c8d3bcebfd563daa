//! A bar on a terminal for what takes longer than two seconds.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Counts inputs towards a known end.
pub struct Progress {
    bar: Option<ProgressBar>,
    total: u64,
    label: &'static str,
    next: Instant,
    stop: Option<Arc<AtomicBool>>,
}

impl Progress {
    /// Towards `total` inputs. Nothing is drawn before two seconds are over, nor where standard error is no terminal.
    pub fn new(total: u64, label: &'static str) -> Progress {
        let next = Instant::now() + Duration::from_secs(2);
        Progress { bar: None, total, label, next, stop: None }
    }

    /// The same, until somebody wants it to stop.
    pub fn until(self, stop: Arc<AtomicBool>) -> Progress {
        Progress { stop: Some(stop), ..self }
    }

    /// Input `seq` is done. [`ControlFlow::Break`]: it shall be the last.
    pub fn show(&mut self, seq: u64) -> ControlFlow<()> {
        if !seq.is_multiple_of(1024) {
            return ControlFlow::Continue(());
        }
        if self.is_stopped() {
            return ControlFlow::Break(());
        }
        if Instant::now() < self.next {
            return ControlFlow::Continue(());
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
        ControlFlow::Continue(())
    }

    /// Whether somebody wants it to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
