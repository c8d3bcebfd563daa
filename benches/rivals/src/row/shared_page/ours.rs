//! The engine's shared memory: a publisher, its socket, and a client in the other process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::page::Board;
use model::{Qty, Ts};
use shm::{BoardWords, Capacity, Client, Folder, Listener, Publisher};

use super::{About, Read, Round, Write, serve, whole};

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

/// Reads a board's words: those of the newest page, or of one that it has not seen.
struct Words {
    boards: BoardWords<'static>,
    words: [u64; Board::WORDS],
    about: About,
}

/// Places of volume and since among them; at others nothing right would be found.
const VOLUME: usize = 24;
const SINCE: usize = 10;

impl Words {
    fn attach(folder: &str, about: About) -> Option<Words> {
        let mut client = Client::attach_in(&[Folder::at(folder)], Some(NAME)).ok()?;
        client.set_stale_after(Duration::MAX);
        // The partner has no other life.
        let client: &'static Client = Box::leak(Box::new(client));
        Some(Words { boards: client.board_words(0).ok()?, words: [0; Board::WORDS], about })
    }

    fn newest(&mut self) -> Option<&[u64; Board::WORDS]> {
        let Words { boards, words, about } = self;
        let is_there = match about {
            About::Read => boards.read(words).is_ok(),
            About::Seen => boards.read_newer(words).ok()?,
        };
        is_there.then_some(whole(words))
    }
}

impl Read for Words {
    fn read(&mut self) -> Option<(u64, u64)> {
        let words = self.newest()?;
        Some((words[VOLUME], words[SINCE]))
    }
}

/// Reads the page, every field judged.
struct Page(Words);

impl Read for Page {
    fn read(&mut self) -> Option<(u64, u64)> {
        let board = Board::from_words(self.0.newest()?).ok()?;
        let board = whole(&board);
        Some((board.volume.0.cast_unsigned(), board.since.0))
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
pub fn words_reader(folder: &str, about: About) -> Option<impl Read> {
    Words::attach(folder, about)
}

/// The same, that reads pages.
pub fn page_reader(folder: &str, about: About) -> Option<impl Read> {
    Words::attach(folder, about).map(Page)
}
