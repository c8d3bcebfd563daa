//! How the gateway stands, for the operator's status: written by its thread and, as far as it is the engine's to know, by the
//! engine thread; read by anybody.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use feeds::session::SessionId;
use model::Ts;

use super::super::Progress;

/// What is shown. Each field for itself is recent.
#[derive(Debug, Default)]
pub struct GatewayProgress {
    is_up: AtomicBool,
    /// When that changed last, by the wall clock, nanoseconds.
    since_ns: AtomicU64,
    /// The session that is heard, padded; zeros: none yet.
    session: [AtomicU64; 2],
    /// What waits to be sent.
    queued: AtomicU64,
    /// When the venue last said something of an order; zero: not yet.
    reported_ns: AtomicU64,
    /// Times that the session came up.
    sessions: AtomicU64,
    /// Whether it is not known where orders stand.
    is_unreconciled: AtomicBool,
    /// Orders that wait for the venue to say where they stand.
    in_doubt: AtomicU64,
}

impl GatewayProgress {
    /// Shows the session, and whether it is up at `now`.
    pub(super) fn show(&self, is_up: bool, session: Option<SessionId>, queued: usize, now: Ts) {
        let changed = self.is_up.swap(is_up, Ordering::Relaxed) != is_up;
        if changed || self.since_ns.load(Ordering::Relaxed) == 0 {
            self.since_ns.store(now.0, Ordering::Relaxed);
            self.sessions.fetch_add(is_up.into(), Ordering::Relaxed);
        }
        let mut bytes = [0; 16];
        let name = session.map_or([0; 10], |session| session.0);
        bytes.iter_mut().zip(name).for_each(|(place, byte)| *place = byte);
        let (words, _) = bytes.as_chunks::<8>();
        for (place, word) in self.session.iter().zip(words) {
            place.store(u64::from_le_bytes(*word), Ordering::Relaxed);
        }
        self.queued.store(queued as u64, Ordering::Relaxed);
    }

    /// The venue said something of an order.
    pub(super) fn reported(&self, now: Ts) {
        self.reported_ns.store(now.0, Ordering::Relaxed);
    }

    /// Whether it is not known where orders stand.
    pub fn set_unreconciled(&self, is: bool) {
        self.is_unreconciled.store(is, Ordering::Relaxed);
    }

    /// How many orders wait for the venue to say where they stand.
    pub fn set_in_doubt(&self, orders: u64) {
        self.in_doubt.store(orders, Ordering::Relaxed);
    }

    /// As the status has it, at `wall_ns`.
    fn read(&self, address: SocketAddr, wall_ns: u64) -> switch::Gateway {
        let is_up = self.is_up.load(Ordering::Relaxed);
        let state = match (is_up, self.is_unreconciled.load(Ordering::Relaxed)) {
            (false, _) => "down",
            (true, true) => "reconciling",
            (true, false) => "connected",
        };
        let words = self.session.each_ref().map(|word| word.load(Ordering::Relaxed).to_le_bytes());
        let name = String::from_utf8_lossy(words.as_flattened()).into_owned();
        let name = name.trim_matches(['\0', ' ']).to_owned();
        let reported = Some(self.reported_ns.load(Ordering::Relaxed)).filter(|at| *at > 0);
        switch::Gateway {
            address: address.to_string(),
            state: state.to_owned(),
            since_ns: self.since_ns.load(Ordering::Relaxed),
            session: Some(name).filter(|name| !name.is_empty()),
            sessions: self.sessions.load(Ordering::Relaxed),
            queued: self.queued.load(Ordering::Relaxed),
            in_doubt: self.in_doubt.load(Ordering::Relaxed),
            report_age_ms: reported.map(|at| wall_ns.saturating_sub(at) / 1_000_000),
        }
    }
}

/// The gateway of an engine that has one, to be looked at.
pub(in crate::runtime) struct GatewayView {
    /// Where it connects to.
    pub address: SocketAddr,
    /// How it stands.
    pub progress: Arc<Progress>,
}

impl GatewayView {
    /// As the status has it.
    pub fn read(&self, wall_ns: u64) -> switch::Gateway {
        self.progress.gateway.read(self.address, wall_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the state says since when it is what it is, and what is not known is absent. Method: a session that comes, is
    /// reconciled, goes.
    #[test]
    fn states_and_ages() {
        let progress = GatewayProgress::default();
        let session = Some(SessionId::named("S1"));
        let ms = |ms: u64| ms * 1_000_000;
        let read = |is_up, now: u64| {
            progress.show(is_up, session.filter(|_| is_up), 3, Ts(ms(now)));
            progress.read(([127, 0, 0, 1], 9).into(), ms(now))
        };
        progress.set_in_doubt(2);
        let down = read(false, 5);
        assert_eq!((down.state.as_str(), down.since_ns, down.session), ("down", ms(5), None));
        assert_eq!(
            (down.report_age_ms, down.sessions, down.queued, down.in_doubt),
            (None, 0, 3, 2)
        );
        progress.set_unreconciled(true);
        let up = read(true, 7);
        assert_eq!((up.state.as_str(), up.since_ns, up.sessions), ("reconciling", ms(7), 1));
        progress.set_unreconciled(false);
        progress.reported(Ts(ms(8)));
        let up = read(true, 10);
        assert_eq!((up.state.as_str(), up.since_ns), ("connected", ms(7)));
        assert_eq!((up.session.as_deref(), up.report_age_ms), (Some("S1"), Some(2)));
        let down = read(false, 11);
        assert_eq!((down.since_ns, down.sessions, down.report_age_ms), (ms(11), 1, Some(3)));
    }
}
