//! The housekeeping thread: the attach socket, latency figures, and an eye on the engine thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model::page::{STAGES, StageLatency};
use model::{Control, HaltLevel, HaltScope};
use shm::{AttachEvent, Listener};

use super::Progress;
use super::stages::{Sample, StageHistograms};

/// How long the socket is waited on.
const POLL: Duration = Duration::from_millis(5);
/// How often the latency figures are worked out.
const FIGURES: Duration = Duration::from_millis(250);

pub(super) struct HouseThread {
    pub listener: Option<Listener>,
    pub controls: rtrb::Producer<Control>,
    pub samples: [rtrb::Consumer<Sample>; 2],
    pub figures: rtrb::Producer<[StageLatency; STAGES.len()]>,
    pub progress: Arc<Progress>,
    pub stop: Arc<AtomicBool>,
}

impl HouseThread {
    /// Runs until it is stopped.
    pub fn run(mut self) -> StageHistograms {
        let mut histograms = StageHistograms::new();
        let mut next_figures = Instant::now();
        while !self.stop.load(Ordering::Acquire) && !self.progress.ended.load(Ordering::Acquire) {
            self.samples.iter_mut().for_each(|ring| histograms.collect(ring));
            if Instant::now() >= next_figures {
                next_figures = Instant::now() + FIGURES;
                let _ = self.figures.push(histograms.page()); // Full: the engine has newer ones than it reads.
            }
            self.poll();
        }
        self.samples.iter_mut().for_each(|ring| histograms.collect(ring));
        histograms
    }

    fn poll(&mut self) {
        let Some(listener) = &mut self.listener else {
            std::thread::sleep(POLL);
            return;
        };
        match listener.poll(POLL) {
            Ok(None) => {}
            Ok(Some(AttachEvent::Attached(desk))) => {
                tracing::info!("desk {}: a client attached", desk.0)
            }
            Ok(Some(AttachEvent::Closed(desk))) => {
                tracing::info!("desk {}: its client is gone", desk.0);
                self.tell(Control::DeskClosed(desk));
            }
            Ok(Some(AttachEvent::Halt { note })) => {
                tracing::warn!("halt asked for on the attach socket: {note}");
                self.tell(Control::Halt { scope: HaltScope::All, level: HaltLevel::Halted });
            }
            Err(_) => std::thread::sleep(POLL),
        }
    }

    /// Hands a control to the engine, waiting for room: none may be lost.
    fn tell(&mut self, control: Control) {
        while self.controls.push(control).is_err() && !self.stop.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}
