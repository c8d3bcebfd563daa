//! The audit thread: takes records from the ring, and owns the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use audit::{Actor, AuditError, AuditKind, AuditRecord, SEGMENT_BYTES, SecretKey, Writer};
use model::Ts;

use super::{Progress, RECORDS_PER_INPUT, Tap, Trail, Words, trail};
use crate::config::Config;
use crate::step::Engine;

/// Records written by one system call at most.
const BATCH_RECORDS: usize = 1024;
/// How long the thread sleeps when there is nothing to write.
const IDLE: Duration = Duration::from_micros(200);

/// An audit log that is open, and both ends of the ring to it.
pub struct Opened {
    /// For the engine thread.
    pub tap: Tap,
    /// To be run on a thread of its own.
    pub thread: AuditThread,
}

/// Takes records from the ring and writes them.
pub struct AuditThread {
    writer: Writer,
    ring: rtrb::Consumer<Words>,
    progress: Arc<Progress>,
    batch: Vec<AuditRecord>,
}

/// Opens the log of a configuration, writes what it lacks of the journal that was replayed (`trail`), and records that the
/// engine starts; `None`: it wants none.
///
/// # Errors
///
/// [`AuditError`] if there is no key, or the log or its second file cannot be continued.
pub fn open(
    config: &Config,
    engine: &Engine,
    epoch: u64,
    trail: Option<Trail>,
) -> Result<Option<Opened>, AuditError> {
    let Some(of_log) = &config.engine.audit else { return Ok(None) };
    let wall = wall();
    let name = config.engine.name.as_bytes();
    let parts = [&b"tickgate audit log 1\n"[..], name, &epoch.to_le_bytes()].concat();
    // Before the writer says there what it found: that is no record of the engine's steps.
    let log = audit::tail(&of_log.folder)?;
    let mut writer = Writer::open(
        audit::Config {
            folder: of_log.folder.clone(),
            key: SecretKey::read(&of_log.key)?,
            identity: *blake3::hash(&parts).as_bytes(),
            checkpoint_records: of_log.checkpoint_records,
            checkpoint_ns: of_log.checkpoint_ms.saturating_mul(1_000_000),
            segment_bytes: SEGMENT_BYTES,
            witness: Some(of_log.checkpoints.clone()),
        },
        wall,
    )?;
    if let Some(trail) = trail {
        let missing = trail.missing(engine, &log);
        if !missing.is_empty() {
            tracing::info!("audit log: {} records are made good from the journal", missing.len());
            writer.append(&missing, wall)?;
        }
    }
    let digest = config.digest();
    let start = AuditRecord {
        aux: epoch,
        limits_version: digest,
        mono_ns: host::monotonic_ns(),
        ..AuditRecord::bare(AuditKind::Start, Actor::Engine, engine.seq(), engine.now())
    };
    writer.append(&[start, AuditRecord { kind: AuditKind::Config, aux: digest, ..start }], wall)?;

    let (mut to, mut from) = rtrb::RingBuffer::new(ring_places(config));
    // Every page of the ring is touched here, so that the engine thread never waits for one.
    while to.push([0; AuditRecord::WORDS]).is_ok() {}
    while from.pop().is_ok() {}
    let progress = Arc::new(Progress::default());
    let tap = Tap::new(to, Arc::clone(&progress), reserve(config));
    let tap = tap.stamped(trail::strategies(config));
    let batch = Vec::with_capacity(BATCH_RECORDS);
    Ok(Some(Opened { tap, thread: AuditThread { writer, ring: from, progress, batch } }))
}

/// Places that are kept: each order of ours may fill, close, and have been asked to, while nothing is written.
fn reserve(config: &Config) -> usize {
    4 * config.engine.capacity.own_orders as usize + RECORDS_PER_INPUT
}

/// Places of the ring.
pub(super) fn ring_places(config: &Config) -> usize {
    (2 * reserve(config)).max(1 << 14)
}

/// Bytes of the ring.
pub(crate) fn bytes(config: &Config) -> u64 {
    (ring_places(config) * size_of::<Words>()) as u64
}

/// The wall clock: a label on checkpoints, and when they are due.
fn wall() -> Ts {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ts(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}

impl AuditThread {
    /// Writes until `stop` is set and the ring is empty, then ends the log in good order. On the first failure it
    /// says so in
    /// [`Progress`] and goes on only to empty the ring.
    ///
    /// # Errors
    ///
    /// [`AuditError`] of the first failure.
    pub fn run(mut self, stop: &AtomicBool) -> Result<(), AuditError> {
        let mut outcome = Ok(());
        loop {
            let stopping = stop.load(Ordering::Acquire) || self.ring.is_abandoned();
            let taken = self.take_batch();
            if outcome.is_ok() {
                outcome = match taken {
                    0 => self.writer.tick(wall()),
                    _ => self.writer.append(&self.batch, wall()),
                };
                match &outcome {
                    Ok(()) => _ = self.progress.appended.fetch_add(taken, Ordering::Release),
                    Err(error) => {
                        self.progress.failed.store(true, Ordering::Release);
                        tracing::error!("audit log: {error}; new orders are refused");
                    }
                }
            }
            match taken {
                0 if stopping => break,
                0 => std::thread::park_timeout(IDLE),
                _ => {}
            }
        }
        outcome.and_then(|()| self.writer.close(wall()))
    }

    /// Takes what waits in the ring; how many.
    fn take_batch(&mut self) -> u64 {
        self.batch.clear();
        let mut taken = 0;
        while taken < BATCH_RECORDS as u64
            && let Ok(words) = self.ring.pop()
        {
            taken += 1;
            // The tap writes legal words only.
            self.batch.extend(AuditRecord::from_words(&words));
        }
        taken
    }
}
