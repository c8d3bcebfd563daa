//! A client's end: reads what the engine publishes, asks through a desk, hears the answers. It never waits for the engine
//! except in [`Client::attach`], and there with a deadline.

use std::os::fd::OwnedFd;
use std::time::Duration;

use model::page::{Account, Answer, Board, Control, Depth, Line, OrderCell, TapeRecord};
use model::{BadWord, DeskId, Origin, Request};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use rustix::time::{ClockId, clock_gettime};

use crate::cell::{Cell, CellError};
use crate::desk::DeskRing;
use crate::error::{AttachError, Doing};
use crate::folder::{Folder, is_name};
use crate::greeting::{ATTACH, Greeting, HALT, MAPPED, OK, OPEN, hear, say};
use crate::header::{BadHeader, Header, Version};
use crate::layout::{Capacity, Layout, Region};
use crate::lease::salt;
use crate::memory::{Access, Map};
use crate::ring::Ring;
use crate::sync::{AtomicU64, Ordering::*};
use crate::tape::{Next, TapeCursor};

/// Longest wait for each answer of the attach socket.
const PATIENCE: Duration = Duration::from_secs(2);
/// Age of the heartbeat from which on pages are called stale, unless set otherwise.
const STALE_AFTER: Duration = Duration::from_secs(1);

/// Why a page could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The engine has stopped beating, or overtook every attempt. What was published is not current.
    Stale,
    /// Nothing was published there yet.
    Absent,
    /// What was published is no legal page.
    Bad(BadWord),
    /// There is no such page.
    OutOfRange,
}

/// Why a request could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The engine has not yet taken the requests sent before.
    Full,
    /// The connection has ended; attach again.
    Gone,
}

/// A client attached to an engine. Dropping it gives the desk back.
#[derive(Debug)]
pub struct Client {
    name: String,
    socket: OwnedFd,
    pages: Map,
    requests: Map,
    header: Header,
    layout: Layout,
    desk: DeskId,
    lease: u64,
    sent: u64,
    answers: TapeCursor,
    answers_lost: u64,
    stale_after: Duration,
}

/// Names of the engines of this user that are running, sorted.
pub fn list_engines() -> Vec<String> {
    engines(&Folder::search()).into_iter().map(|(_, name)| name).collect()
}

/// Asks an engine to halt everything; without a name, the only one running. `Ok` means that it will: the control page shows
/// when it has.
///
/// # Errors
///
/// As [`Client::attach`].
pub fn halt(name: Option<&str>, reason: &str) -> Result<(), AttachError> {
    halt_in(&Folder::search(), name, reason)
}

/// The same, looking in these folders.
///
/// # Errors
///
/// As [`Client::attach`].
pub fn halt_in(folders: &[Folder], name: Option<&str>, reason: &str) -> Result<(), AttachError> {
    let (folder, name) = find(folders, name)?;
    let socket = connect(&folder, &name)?;
    let reason: String = reason.chars().take(64).collect();
    say(&socket, &format!("{HALT} {reason}")).doing("send a halt to the engine")?;
    match hear(&socket).doing("hear the engine's answer to a halt")?.as_str() {
        OK => Ok(()),
        _ => Err(AttachError::Protocol("it does not take a halt")),
    }
}

impl Client {
    /// Attaches to the engine `name`, or without a name to the only one running.
    ///
    /// # Errors
    ///
    /// See [`AttachError`]. Returns within a few seconds even if the engine is stopped.
    pub fn attach(name: Option<&str>) -> Result<Client, AttachError> {
        Client::attach_in(&Folder::search(), name)
    }

    /// The same, looking in these folders.
    ///
    /// # Errors
    ///
    /// As [`Client::attach`].
    pub fn attach_in(folders: &[Folder], name: Option<&str>) -> Result<Client, AttachError> {
        let (folder, name) = find(folders, name)?;
        let socket = connect(&folder, &name)?;
        say(&socket, ATTACH).doing("ask for a desk")?;
        let (greeting, files) = Greeting::receive(&socket).doing("hear the engine's greeting")?;
        let greeting = greeting.map_err(|bad| match bad {
            BadHeader::Version(engine) => AttachError::Version { engine, client: Version::OURS },
            BadHeader::Magic => AttachError::Protocol("its greeting is none"),
            BadHeader::Capacity => AttachError::Protocol("its capacity is impossible"),
        })?;
        let header = greeting.header;
        let (desk, lease) = greeting.desk.ok_or(AttachError::NoDesk)?;
        let [pages, requests] = <[OwnedFd; 2]>::try_from(files)
            .map_err(|_| AttachError::Protocol("it did not hand over its memory"))?;
        let layout = Layout::new(&header.capacity);
        let pages = Map::new(pages, layout.words, Access::Read).doing("map the engine's pages")?;
        let desk_words = header.capacity.desk_words();
        let requests = Map::new(requests, desk_words, Access::Write).doing("map the desk")?;
        say(&socket, MAPPED).doing("take the desk")?;
        if hear(&socket).doing("hear that the desk is open")? != OPEN {
            return Err(AttachError::Protocol("it took the desk back"));
        }
        let mut client = Client {
            name,
            socket,
            pages,
            requests,
            header,
            layout,
            desk: DeskId(desk),
            lease,
            sent: 0,
            answers: TapeCursor::default(),
            answers_lost: 0,
            stale_after: STALE_AFTER,
        };
        client.check_pages()?;
        client.answers =
            client.answer_ring().map(|ring| TapeCursor::newest(&ring)).unwrap_or_default();
        Ok(client)
    }

    /// The name of the engine.
    pub fn engine_name(&self) -> &str {
        &self.name
    }

    /// The engine's process.
    pub fn engine_pid(&self) -> u32 {
        self.header.pid
    }

    /// The number of the engine's start: another one after a restart.
    pub fn epoch(&self) -> u64 {
        self.header.epoch
    }

    /// How many of each thing the engine has room for.
    pub fn capacity(&self) -> &Capacity {
        &self.header.capacity
    }

    /// The desk that this client has leased.
    pub fn desk(&self) -> DeskId {
        self.desk
    }

    /// Whether the connection has ended: the engine died, stopped serving, or put this client out. Never blocks.
    pub fn is_gone(&self) -> bool {
        // After "open" the engine says nothing more: anything to read is the end.
        let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        rustix::event::poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
    }

    /// How long ago the engine's loop last said that it lives; `None` before it first did.
    pub fn heartbeat_age(&self) -> Option<Duration> {
        let [heartbeat, ..] = self.words(self.layout.pulse, 0) else { return None };
        let beat = heartbeat.load(Acquire);
        let now = clock_gettime(ClockId::Monotonic);
        let now = now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned();
        (beat > 0).then(|| Duration::from_nanos(now.saturating_sub(beat)))
    }

    /// Rounds of the engine's loop so far.
    pub fn loops(&self) -> u64 {
        self.words(self.layout.pulse, 0).get(1).map_or(0, |loops| loops.load(Relaxed))
    }

    /// Sets from which age of the heartbeat on pages are called stale; a second if never set.
    pub fn set_stale_after(&mut self, age: Duration) {
        self.stale_after = age;
    }

    /// The engine as a whole.
    ///
    /// # Errors
    ///
    /// See [`ReadError`]; so for every page.
    pub fn control(&self) -> Result<Control, ReadError> {
        self.page(self.layout.control, 0, Control::from_words)
    }

    /// An instrument at a glance.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn board(&self, instrument: usize) -> Result<Board, ReadError> {
        self.page(self.layout.boards, instrument, Board::from_words)
    }

    /// An instrument's book.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn depth(&self, instrument: usize) -> Result<Depth, ReadError> {
        self.page(self.layout.depths, instrument, Depth::from_words)
    }

    /// An account.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn account(&self, account: usize) -> Result<Account, ReadError> {
        self.page(self.layout.accounts, account, Account::from_words)
    }

    /// A line of an account in an instrument.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn line(&self, slot: usize) -> Result<Line, ReadError> {
        self.page(self.layout.lines, slot, Line::from_words)
    }

    /// An order, at its [`model::OrderId::slot`].
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn order(&self, slot: usize) -> Result<OrderCell, ReadError> {
        self.page(self.layout.orders, slot, OrderCell::from_words)
    }

    /// A place in front of the oldest record of the tape, or `None` if there is no tape.
    pub fn tape(&self) -> TapeCursor {
        self.tape_ring().map(|tape| TapeCursor::oldest(&tape)).unwrap_or_default()
    }

    /// Reads the tape's record at `place` and moves on. Also after the engine is gone.
    ///
    /// # Errors
    ///
    /// [`BadWord`] if it is no legal record.
    pub fn next_record(&self, place: &mut TapeCursor) -> Result<Next<TapeRecord>, BadWord> {
        let Some(tape) = self.tape_ring() else { return Ok(Next::Empty) };
        Ok(match place.next(&tape) {
            Next::Record(words) => Next::Record(TapeRecord::from_words(&words)?),
            Next::Lost(count) => Next::Lost(count),
            Next::Empty => Next::Empty,
        })
    }

    /// Sends a request. Its `id` and `origin` are set here; returns the id under which the answer comes, unique among all
    /// clients of this engine.
    ///
    /// # Errors
    ///
    /// See [`SendError`]; nothing was sent.
    pub fn send(&mut self, request: &Request) -> Result<u64, SendError> {
        if self.is_gone() {
            return Err(SendError::Gone);
        }
        let salt = salt(self.header.epoch, self.lease);
        let slots = self.header.capacity.requests as usize;
        let ring = DeskRing::over(self.requests.words(), slots, salt).ok_or(SendError::Gone)?;
        if self.sent.saturating_sub(self.taken()) >= ring.slots() {
            return Err(SendError::Full);
        }
        self.sent += 1;
        let id = self.lease << 32 | self.sent;
        let request = Request { id, origin: Origin::Desk(self.desk), ..*request };
        ring.push(&request.to_words());
        Ok(id)
    }

    /// The next answer to this client, if there is one.
    pub fn poll_answer(&mut self) -> Option<Answer> {
        let ring = self.answer_ring()?;
        let mut place = self.answers;
        let mut lost = 0;
        let mut answer = None;
        for _ in 0..ring.slots() {
            match place.next(&ring) {
                Next::Empty => break,
                Next::Lost(count) => lost += count,
                Next::Record(words) => {
                    // Late answers to a former client of this desk bear its lease.
                    let mine = |answer: &Answer| answer.request >> 32 == self.lease;
                    answer = Answer::from_words(&words).ok().filter(mine);
                    if answer.is_some() {
                        break;
                    }
                }
            }
        }
        self.answers = place;
        self.answers_lost += lost;
        answer
    }

    /// Answers that were overwritten before they were polled.
    pub fn answers_lost(&self) -> u64 {
        self.answers_lost
    }

    /// Requests of this lease that the engine has taken.
    fn taken(&self) -> u64 {
        match self.words(self.layout.ports, self.desk.0.into()) {
            [lease, taken, ..] if lease.load(Acquire) == self.lease => taken.load(Acquire),
            _ => 0,
        }
    }

    fn check_pages(&self) -> Result<(), AttachError> {
        let mut words = [0; Header::WORDS];
        for (word, shared) in words.iter_mut().zip(self.words(self.layout.header, 0)) {
            *word = shared.load(Relaxed);
        }
        match Header::from_words(&words) {
            Ok(header) if header == self.header => Ok(()),
            _ => Err(AttachError::Protocol("its memory is not what it greeted with")),
        }
    }

    fn page<const W: usize, T>(
        &self,
        region: Region,
        index: usize,
        from_words: fn(&[u64; W]) -> Result<T, BadWord>,
    ) -> Result<T, ReadError> {
        let cell = Cell::over(self.words(region, index)).ok_or(ReadError::OutOfRange)?;
        let words = cell.read().map_err(|error| match error {
            CellError::Absent => ReadError::Absent,
            CellError::Overtaken => ReadError::Stale,
        })?;
        if self.heartbeat_age().is_some_and(|age| age > self.stale_after) {
            return Err(ReadError::Stale);
        }
        from_words(&words).map_err(ReadError::Bad)
    }

    fn tape_ring(&self) -> Option<Ring<'_, { TapeRecord::WORDS }>> {
        Ring::over(self.words(self.layout.tape, 0), self.header.capacity.tape as usize, 0)
    }

    fn answer_ring(&self) -> Option<Ring<'_, { Answer::WORDS }>> {
        let words = self.words(self.layout.answers, self.desk.0.into());
        Ring::over(words, self.header.capacity.answers as usize, 0)
    }

    /// The words of an object; none if it does not exist.
    fn words(&self, region: Region, index: usize) -> &[AtomicU64] {
        region.at(index).and_then(|range| self.pages.words().get(range)).unwrap_or_default()
    }
}

fn engines(folders: &[Folder]) -> Vec<(Folder, String)> {
    let found = folders
        .iter()
        .flat_map(|folder| folder.engines().into_iter().map(|name| (folder.clone(), name)));
    let mut engines: Vec<(Folder, String)> = found.collect();
    engines.sort_by(|(_, a), (_, b)| a.cmp(b));
    engines
}

fn find(folders: &[Folder], name: Option<&str>) -> Result<(Folder, String), AttachError> {
    for folder in folders {
        if folder.is_private().doing("look at the folder of the sockets")? == Some(false) {
            return Err(AttachError::Folder(folder.path().to_owned()));
        }
    }
    let absent = || AttachError::NoEngine(name.map(str::to_owned));
    let mut engines = engines(folders);
    if let Some(name) = name.filter(|name| is_name(name)) {
        engines.retain(|(_, other)| other == name);
        return engines.into_iter().next().ok_or_else(absent);
    }
    match (name, engines.len()) {
        (None, 2..) => {
            Err(AttachError::SeveralEngines(engines.into_iter().map(|(_, name)| name).collect()))
        }
        (None, _) => engines.pop().ok_or_else(absent),
        (Some(_), _) => Err(absent()),
    }
}

fn connect(folder: &Folder, name: &str) -> Result<OwnedFd, AttachError> {
    let path = folder.socket_path(name);
    let address = SocketAddrUnix::new(&path).doing("name the attach socket")?;
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .doing("make a socket")?;
    for timeout in [Timeout::Send, Timeout::Recv] {
        set_socket_timeout(&socket, timeout, Some(PATIENCE)).doing("set a deadline")?;
    }
    rustix::net::connect(&socket, &address).doing("connect to the attach socket")?;
    Ok(socket)
}
