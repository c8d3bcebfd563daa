//! The thread that answers re-requests.

use std::net::UdpSocket;
use std::time::Duration;

use super::{Shared, lock};
use crate::mold::HEADER;

/// Serves until it is stopped: one datagram, one answer at most.
pub(super) fn run(socket: &UdpSocket, shared: &Shared) {
    // A byte more than a request, so that a longer datagram is seen to be none.
    let mut room = [0; HEADER + 1];
    while !shared.is_stopped() {
        match socket.recv_from(&mut room) {
            Ok((length, from)) => {
                let core = lock(&shared.core);
                let answer = lock(&shared.requests).answer(&room[..length], core.published());
                drop(core);
                // A client that is gone does not need it.
                let _ = answer.map(|answer| socket.send_to(&answer, from));
            }
            Err(error) if is_time_out(&error) => {}
            // Said of an answer to a client that is gone; must not become a busy loop.
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn is_time_out(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}
