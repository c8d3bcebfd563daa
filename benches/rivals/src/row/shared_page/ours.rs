//! The engine's shared memory: a publisher, its socket, and a client in the other process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::page::Board;
use model::{Qty, Ts};
use shm::{Capacity, Client, Folder, Listener, Publisher};

use super::{About, Read, Round, Write, serve};

/// How a partner reads.
pub const WORDS: &str = "words";
pub const PAGE: &str = "page";

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

/// Reads the page, every field judged.
struct Page(Client);

impl Read for Page {
    fn read(&mut self) -> Option<(u64, u64)> {
        let board = self.0.board(0).ok()?;
        Some((board.volume.0.cast_unsigned(), board.since.0))
    }
}

/// Reads its words.
struct Words(Client, [u64; Board::WORDS]);

/// Places of volume and since among them; at others nothing right would be found.
const VOLUME: usize = 24;
const SINCE: usize = 10;

impl Read for Words {
    fn read(&mut self) -> Option<(u64, u64)> {
        self.0.board_words(0, &mut self.1).ok()?;
        Some((self.1[VOLUME], self.1[SINCE]))
    }
}

/// A round with a partner that reads by `kind`.
pub fn round(about: About, cpu: usize, kind: &str) -> Result<Round, String> {
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
        let round = serve(about, cpu, [kind, &path.to_string_lossy()], &mut pages);
        is_over.store(true, Ordering::Relaxed);
        round
    })
}

/// The partner's end, that reads words.
pub fn words_reader(folder: &str) -> Option<impl Read> {
    Some(Words(attach(folder)?, [0; Board::WORDS]))
}

/// The same, that reads pages.
pub fn page_reader(folder: &str) -> Option<impl Read> {
    attach(folder).map(Page)
}

fn attach(folder: &str) -> Option<Client> {
    let mut client = Client::attach_in(&[Folder::at(folder)], Some(NAME)).ok()?;
    client.set_stale_after(Duration::MAX);
    Some(client)
}
