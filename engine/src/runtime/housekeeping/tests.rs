use model::HaltLevel;

use super::*;

/// A housekeeping thread without sockets, and the ends that an engine thread would hold.
struct Rig {
    progress: Arc<Progress>,
    stop: Arc<AtomicBool>,
    controls: rtrb::Consumer<Handed>,
    _told: rtrb::Producer<Told>,
    thread: std::thread::JoinHandle<StageHistograms>,
}

impl Rig {
    fn start(bound: Duration) -> Rig {
        let (to_controls, controls) = rtrb::RingBuffer::new(8);
        let (to_house, told) = rtrb::RingBuffer::new(8);
        let (figures, _) = rtrb::RingBuffer::new(1);
        let samples = [rtrb::RingBuffer::new(1).1, rtrb::RingBuffer::new(1).1];
        let (progress, stop) = (Arc::new(Progress::default()), Arc::new(AtomicBool::new(false)));
        let housekeeping = HousekeepingThread {
            sockets: None,
            controls: to_controls,
            limits: rtrb::RingBuffer::new(1).0,
            spent: rtrb::RingBuffer::new(1).1,
            told,
            keeper: Keeper::new("nowhere".into(), Vec::new(), Vec::new()),
            watchdog: Watchdog::new(bound),
            clock: ClockWatch::new(None, 0, 0),
            attached: 0,
            outbox: Outbox::default(),
            samples,
            figures,
            progress: Arc::clone(&progress),
            stop: Arc::clone(&stop),
        };
        let thread = std::thread::spawn(move || housekeeping.run());
        Rig { progress, stop, controls, _told: to_house, thread }
    }

    fn until(&self, what: &str, holds: impl Fn(&Rig) -> bool) {
        let since = Instant::now();
        while !holds(self) {
            assert!(since.elapsed() < Duration::from_secs(60), "never: {what}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Goal: when the loop counter stops, the word that gateways read halts everything although the engine thread takes
/// nothing, the control waits for it, and the halt stays when the loop goes on. Method: a counter that goes, stops, and
/// goes again.
#[test]
fn a_stalled_loop_halts_everything() {
    let mut rig = Rig::start(Duration::from_secs(1));
    for _ in 0..60 {
        rig.progress.loops.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(rig.progress.halt.get(), None, "it goes round");
    }
    let halted = Some((HaltLevel::Halted, HaltCause::Heartbeat));
    rig.until("the word", |rig| rig.progress.halt.get() == halted);
    rig.until("the control", |rig| !rig.controls.is_empty());
    let control = rig.controls.pop().unwrap();
    let Handed::Input(Control::Halt { scope: HaltScope::All, level: HaltLevel::Halted, why }) =
        control
    else {
        panic!("{control:?}")
    };
    assert_eq!(why.cause, HaltCause::Heartbeat);
    for _ in 0..40 {
        rig.progress.loops.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(rig.progress.halt.get(), halted, "only an operator resumes");
    assert!(rig.controls.is_empty(), "told once");
    rig.stop.store(true, Ordering::Release);
    rig.thread.join().unwrap();
}
