//! Desk memories on their way between the housekeeping thread, which leases them, and the engine
//! thread, which reads them.
//!
//! ```text
//!              Change { desk, Some(lease) }          client attached
//! Lessor ────► Change { desk, None }        ────► Desks      client gone
//!        ◄──── spent lease                  ◄────       after a change, or an overrun
//! ```
//! Two wait-free rings. A memory goes to one client and never to another: a desk is leased again,
//! with a new memory, only after the engine thread gave the old one back, so a former client's map
//! reaches nobody.

use model::{DeskId, Request};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::desk::{DeskCursor, DeskFault, DeskRing};
use crate::memory::Map;

/// Changes of one desk that can wait for the engine thread: a lease and its end, twice.
const CHANGES_PER_DESK: usize = 4;

/// One client's use of a desk.
#[derive(Debug)]
pub(crate) struct Lease {
    /// Which of all leases of this engine, from 1.
    pub(crate) number: u64,
    map: Map,
    cursor: DeskCursor,
}

/// The salt of a desk's ring: a record of another engine or lease never passes for one of this.
pub(crate) fn salt(epoch: u64, lease: u64) -> u64 {
    epoch.rotate_left(32) ^ lease
}

impl Lease {
    pub(crate) fn new(number: u64, map: Map) -> Lease {
        Lease { number, map, cursor: DeskCursor::default() }
    }
}

/// What becomes of a desk.
struct Change {
    desk: DeskId,
    /// Its new lease, or none.
    lease: Option<Lease>,
}

/// The engine thread's half.
pub(crate) struct Desks {
    changes: Consumer<Change>,
    spent: Producer<(DeskId, Lease)>,
    leases: Vec<Option<Lease>>,
    requests: usize,
    epoch: u64,
}

/// The housekeeping thread's half.
pub(crate) struct Lessor {
    changes: Producer<Change>,
    spent: Consumer<(DeskId, Lease)>,
}

/// Both halves, for `desks` desks with rings of `requests` requests.
pub(crate) fn desks(desks: usize, requests: usize, epoch: u64) -> (Desks, Lessor) {
    let (to_engine, changes) = RingBuffer::new(CHANGES_PER_DESK * desks);
    let (spent, from_engine) = RingBuffer::new(desks);
    let leases = (0..desks).map(|_| None).collect();
    (
        Desks { changes, spent, leases, requests, epoch },
        Lessor { changes: to_engine, spent: from_engine },
    )
}

impl Lessor {
    /// Gives a desk to a client.
    pub(crate) fn lease(&mut self, desk: DeskId, lease: Lease) {
        self.tell(Change { desk, lease: Some(lease) });
    }

    /// Takes a desk from its client.
    pub(crate) fn end(&mut self, desk: DeskId) {
        self.tell(Change { desk, lease: None });
    }

    /// A desk whose memory came back.
    pub(crate) fn returned(&mut self) -> Option<DeskId> {
        self.spent.pop().ok().map(|(desk, _unmapped_here)| desk)
    }

    fn tell(&mut self, change: Change) {
        let told = self.changes.push(change);
        // At most a lease, its end, the next lease and its end can wait: see `CHANGES_PER_DESK`.
        debug_assert!(told.is_ok());
    }
}

impl Desks {
    /// Takes over what the housekeeping thread changed. Returns each desk that has a new lease and
    /// the lease's number.
    pub(crate) fn adopt(&mut self, mut leased: impl FnMut(DeskId, u64)) {
        for _ in 0..self.changes.slots() {
            let Ok(Change { desk, lease }) = self.changes.pop() else { return };
            self.give_back(desk);
            if let Some(lease) = &lease {
                leased(desk, lease.number);
            }
            if let Some(place) = self.leases.get_mut(usize::from(desk.0)) {
                *place = lease;
            }
        }
    }

    /// Takes the next request of a desk; with it the number taken so far, if that changed.
    pub(crate) fn poll(
        &mut self,
        desk: DeskId,
        mut taken: impl FnMut(u64),
    ) -> Result<Option<Request>, DeskFault> {
        let (requests, epoch) = (self.requests, self.epoch);
        let Some(Some(lease)) = self.leases.get_mut(usize::from(desk.0)) else { return Ok(None) };
        let salt = salt(epoch, lease.number);
        let Some(ring) = DeskRing::over(lease.map.words(), requests, salt) else { return Ok(None) };
        let request = lease.cursor.poll(&ring, desk);
        match request {
            Ok(None) => {}
            Err(DeskFault::Overrun) => self.give_back(desk),
            _ => taken(lease.cursor.taken()),
        }
        request
    }

    fn give_back(&mut self, desk: DeskId) {
        if let Some(lease) = self.leases.get_mut(usize::from(desk.0)).and_then(Option::take) {
            let returned = self.spent.push((desk, lease));
            // One place for each desk, and a desk has one lease at a time.
            debug_assert!(returned.is_ok());
        }
    }
}
