//! The engine's shared memory: a publisher, its socket, and a client in the other process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::page::Board;
use model::{Qty, Ts};
use shm::{Capacity, Client, Folder, Listener, Publisher};

use super::{About, Read, Round, Write, serve};

/// Name of the engine.
const NAME: &str = "rivals";

struct Pages {
    publisher: Publisher,
    page: Board,
}

impl Write for Pages {
    fn publish(&mut self, number: u64, stamp: u64) {
        self.page.volume = Qty(number.cast_signed());
        self.page.since = Ts(stamp);
        self.publisher.publish_board(0, &self.page);
    }
}

struct Board0(Client);

impl Read for Board0 {
    fn read(&mut self) -> Option<(u64, u64)> {
        let board = self.0.board(0).ok()?;
        Some((board.volume.0.cast_unsigned(), board.since.0))
    }
}

/// A round with a partner.
pub fn round(about: About, cpu: usize) -> Result<Round, String> {
    let failed = |error: &dyn std::fmt::Display| format!("not run: {error}");
    let page = benches::standing(1, false).engine.board(0).ok_or("no page")?;
    let temporary = tempfile::tempdir().map_err(|error| failed(&error))?;
    let path = temporary.path().join("engines");
    let folder = Folder::at(&path);
    let mut publisher =
        Publisher::create(Capacity::default(), 1).map_err(|error| failed(&error))?;
    let mut listener =
        Listener::bind_in(&folder, NAME, &mut publisher).map_err(|error| failed(&error))?;
    publisher.beat(host::monotonic_ns(), 1);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let _ = listener.poll(Duration::from_millis(2));
            }
        });
        let mut pages = Pages { publisher, page };
        let round = serve(about, cpu, ["ours", &path.to_string_lossy()], &mut pages);
        is_over.store(true, Ordering::Relaxed);
        round
    })
}

/// The partner's end.
pub fn reader(folder: &str) -> Option<impl Read> {
    let mut client = Client::attach_in(&[Folder::at(folder)], Some(NAME)).ok()?;
    client.set_stale_after(Duration::MAX);
    Some(Board0(client))
}
