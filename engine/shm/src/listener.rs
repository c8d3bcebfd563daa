//! The attach socket of an engine, run by its housekeeping thread: hands out memory, leases desks,
//! takes an operator's halt.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use model::{DeskId, Note};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};

use crate::client::Reader;
use crate::error::{Doing, ShmError};
use crate::folder::{Folder, NameLock, is_name};
use crate::greeting::{ATTACH, Greeting, HALT, MAPPED, OK, OPEN, hear, say};
use crate::layout::Layout;
use crate::lease::Lease;
use crate::memory::{self, Access, Map};
use crate::publisher::{HaltWord, Housekeeping, Publisher};

/// Connections that have not said yet what they want; one more drives out the oldest.
const GUESTS_MAX: usize = 8;

/// How long a desk rests between two clients. Each lease ends with a map that is taken away, which
/// the kernel tells the engine's processor by an interrupt: clients that come and go as fast as they
/// can must not make a stream of those.
const REST: Duration = Duration::from_millis(50);

/// What happened on the attach socket. The engine must hear of it in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachEvent {
    /// A client has leased a desk.
    Attached(DeskId),
    /// A desk's client is gone, or was put out because its ring overran. Requests that the engine
    /// has not polled yet are lost.
    Closed(DeskId),
    /// An operator asks to halt everything.
    Halt {
        /// Why, in the operator's words.
        note: Note,
    },
}

/// The attach socket. Dropping it closes every connection and frees the name.
pub struct Listener {
    socket: OwnedFd,
    path: PathBuf,
    engine: Housekeeping,
    desks: Vec<DeskState>,
    connections: Vec<Connection>,
    leases: u64,
    events: VecDeque<AttachEvent>,
    /// Declared last, so that it is let go of last.
    _name: NameLock,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum DeskState {
    Free,
    /// Free again since then.
    Resting(Instant),
    /// Offered or leased.
    Taken,
    /// The client is gone, the engine thread still has the memory.
    Returning,
}

impl DeskState {
    fn is_free(&self) -> bool {
        match self {
            DeskState::Free => true,
            DeskState::Resting(since) => since.elapsed() >= REST,
            DeskState::Taken | DeskState::Returning => false,
        }
    }
}

struct Connection {
    socket: OwnedFd,
    stage: Stage,
}

enum Stage {
    /// Has said nothing yet.
    Guest,
    /// Was given a desk's memory, must map it.
    Offered { desk: DeskId, lease: u64, file: OwnedFd },
    /// Has a desk for as long as the connection lasts.
    Leased(DeskId),
}

impl Listener {
    /// Opens the attach socket `name` in the user's standard folder.
    ///
    /// # Errors
    ///
    /// [`ShmError::NameTaken`] while an engine of this name lives; [`ShmError::Name`],
    /// [`ShmError::Folder`], [`ShmError::AlreadyBound`], [`ShmError::Os`].
    pub fn bind(name: &str, publisher: &mut Publisher) -> Result<Listener, ShmError> {
        Listener::bind_in(&Folder::standard(), name, publisher)
    }

    /// The same in another folder.
    ///
    /// # Errors
    ///
    /// As [`Listener::bind`].
    pub fn bind_in(
        folder: &Folder,
        name: &str,
        publisher: &mut Publisher,
    ) -> Result<Listener, ShmError> {
        if !is_name(name) {
            return Err(ShmError::Name(name.to_owned()));
        }
        folder.prepare()?;
        let lock = folder.lock(name)?;
        let engine = publisher.take_housekeeping().ok_or(ShmError::AlreadyBound)?;
        let path = folder.socket_path(name);
        let socket = open(&path)?;
        let desks = vec![DeskState::Free; engine.header.capacity.desks as usize];
        Ok(Listener {
            socket,
            path,
            engine,
            desks,
            connections: Vec::new(),
            leases: 0,
            events: VecDeque::new(),
            _name: lock,
        })
    }

    /// Reads the pages that are handed out here.
    ///
    /// # Errors
    ///
    /// [`ShmError::Os`] if they cannot be mapped once more.
    pub fn reader(&self) -> Result<Reader, ShmError> {
        let header = self.engine.header;
        let words = Layout::new(&header.capacity).words;
        let pages = Map::new(&self.engine.pages, words, Access::Read);
        Ok(Reader::new(pages.doing("map shared memory for reading")?, header))
    }

    /// The word by which housekeeping halts without the engine thread.
    pub fn halt_word(&self) -> HaltWord {
        self.engine.halt.clone()
    }

    /// Waits at most `timeout` for something to happen. Call it again at once while it returns
    /// events, and otherwise often: desks that overran are freed here.
    ///
    /// # Errors
    ///
    /// [`ShmError::Os`], after which the socket still works; wait a little before the next call.
    pub fn poll(&mut self, timeout: Duration) -> Result<Option<AttachEvent>, ShmError> {
        self.collect();
        if self.events.is_empty() {
            self.serve(timeout)?;
        }
        Ok(self.events.pop_front())
    }

    /// Takes back the memories that the engine thread is done with.
    fn collect(&mut self) {
        while let Some(desk) = self.engine.lessor.returned() {
            if self.desk_state(desk) == DeskState::Taken {
                // The client is there still, so its ring overran.
                self.connections.retain(|c| !matches!(c.stage, Stage::Leased(d) if d == desk));
                self.events.push_back(AttachEvent::Closed(desk));
            }
            self.set_desk(desk, DeskState::Resting(Instant::now()));
        }
    }

    fn serve(&mut self, timeout: Duration) -> Result<(), ShmError> {
        let timeout = Timespec::try_from(timeout).unwrap_or_default();
        let mut fds: Vec<PollFd<'_>> = core::iter::once(&self.socket)
            .chain(self.connections.iter().map(|connection| &connection.socket))
            .map(|socket| PollFd::new(socket, PollFlags::IN))
            .collect();
        match rustix::event::poll(&mut fds, Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => return Ok(()),
            ready => ready.doing("wait on the attach socket")?,
        };
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        // From the back, so that a connection that ends does not shift those still to come.
        for (index, ready) in ready.iter().enumerate().skip(1).rev() {
            if *ready {
                self.take_packet(index - 1);
            }
        }
        if ready.first() == Some(&true) { self.accept() } else { Ok(()) }
    }

    fn accept(&mut self) -> Result<(), ShmError> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = match rustix::net::accept_with(&self.socket, flags) {
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => return Ok(()),
            socket => socket.doing("accept a connection on the attach socket")?,
        };
        let peer = rustix::net::sockopt::socket_peercred(&socket);
        let ours = rustix::process::geteuid();
        if !peer.is_ok_and(|peer| peer.uid == ours) {
            return Ok(());
        }
        let is_guest = |connection: &Connection| matches!(connection.stage, Stage::Guest);
        if self.connections.iter().filter(|c| is_guest(c)).count() >= GUESTS_MAX
            && let Some(oldest) = self.connections.iter().position(is_guest)
        {
            self.connections.remove(oldest);
        }
        self.connections.push(Connection { socket, stage: Stage::Guest });
        Ok(())
    }

    /// Takes one packet of a connection. Whatever does not belong there ends it.
    fn take_packet(&mut self, index: usize) {
        let Some(connection) = self.connections.get(index) else { return };
        let text = match hear(&connection.socket) {
            Err(Errno::AGAIN | Errno::INTR) => return,
            text => text.unwrap_or_default(),
        };
        let goes_on = match (&connection.stage, text.split_once(' ').unwrap_or((&text, ""))) {
            (Stage::Guest, (ATTACH, _)) => self.offer(index).is_ok(),
            (Stage::Offered { .. }, (MAPPED, _)) => self.lease(index).is_ok(),
            (Stage::Guest, (HALT, reason)) => {
                let _ = say(&connection.socket, OK);
                self.events.push_back(AttachEvent::Halt { note: Note::lossy(reason) });
                false
            }
            _ => false,
        };
        if !goes_on {
            self.close(index);
        }
    }

    /// Offers a free desk with a memory that no client ever held.
    fn offer(&mut self, index: usize) -> Result<(), Errno> {
        let connection = self.connections.get_mut(index).ok_or(Errno::INVAL)?;
        let header = self.engine.header;
        let Some(free) = self.desks.iter().position(DeskState::is_free) else {
            Greeting { header, desk: None }.send(&connection.socket, &[])?;
            return Err(Errno::BUSY);
        };
        let desk = DeskId(free as u8);
        let lease = self.leases + 1;
        let file = memory::create("tickgate-desk", header.capacity.desk_words())?;
        let greeting = Greeting { header, desk: Some((desk.0, lease)) };
        greeting.send(&connection.socket, &[self.engine.pages.as_fd(), file.as_fd()])?;
        connection.stage = Stage::Offered { desk, lease, file };
        self.leases = lease;
        self.set_desk(desk, DeskState::Taken);
        Ok(())
    }

    /// Seals the desk that the client has mapped and hands it to the engine thread.
    fn lease(&mut self, index: usize) -> Result<(), Errno> {
        let words = self.engine.header.capacity.desk_words();
        let connection = self.connections.get_mut(index).ok_or(Errno::INVAL)?;
        let Stage::Offered { desk, lease, file } = &connection.stage else {
            return Err(Errno::INVAL);
        };
        let (desk, lease) = (*desk, *lease);
        memory::seal(file)?;
        let map = Map::new(file, words, Access::Read)?;
        connection.stage = Stage::Leased(desk);
        self.engine.lessor.lease(desk, Lease::new(lease, map));
        self.events.push_back(AttachEvent::Attached(desk));
        // Last, so that what the client sends next finds the desk open.
        say(&connection.socket, OPEN)
    }

    fn close(&mut self, index: usize) {
        match self.connections.remove(index).stage {
            Stage::Guest => {}
            Stage::Offered { desk, .. } => self.set_desk(desk, DeskState::Free),
            Stage::Leased(desk) => {
                // The engine thread hears of the end before it can hear of the event, so nothing is
                // taken after it.
                self.engine.lessor.end(desk);
                self.set_desk(desk, DeskState::Returning);
                self.events.push_back(AttachEvent::Closed(desk));
            }
        }
    }

    fn desk_state(&self, desk: DeskId) -> DeskState {
        self.desks.get(usize::from(desk.0)).copied().unwrap_or(DeskState::Free)
    }

    fn set_desk(&mut self, desk: DeskId, state: DeskState) {
        if let Some(place) = self.desks.get_mut(usize::from(desk.0)) {
            *place = state;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // The name's lock is still held: this cannot be the socket of a successor.
        let _ = rustix::fs::unlink(&self.path);
    }
}

/// Listens at `path`, in the place of a dead engine's socket. Whoever calls this holds the name's
/// lock.
fn open(path: &PathBuf) -> Result<OwnedFd, ShmError> {
    match rustix::fs::unlink(path) {
        Err(Errno::NOENT) => {}
        gone => gone.doing("remove a dead engine's socket")?,
    }
    let address = SocketAddrUnix::new(path).doing("name the attach socket (path too long)")?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .doing("make the attach socket")?;
    rustix::net::bind(&socket, &address).doing("bind the attach socket")?;
    // Nobody can connect before it listens.
    rustix::fs::chmod(path, Mode::RUSR | Mode::WUSR).doing("protect the attach socket")?;
    rustix::net::listen(&socket, 16).doing("listen on the attach socket")?;
    Ok(socket)
}
