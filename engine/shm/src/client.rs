//! A client's end: reads what the engine publishes, asks through a desk, hears the answers. It
//! never waits for the engine except in [`Client::attach`], and there with a deadline.

use std::os::fd::OwnedFd;

use model::page::Answer;
use model::{DeskId, Origin, Request};
use rustix::event::{PollFd, PollFlags, Timespec};

use crate::desk::DeskRing;
use crate::error::{AttachError, Doing};
use crate::find::{connect, find};
use crate::folder::Folder;
use crate::greeting::{ATTACH, Greeting, MAPPED, OPEN, hear, say};
use crate::header::{BadHeader, Header, Version};
use crate::layout::Layout;
use crate::lease::salt;
use crate::memory::{Access, Map};
use crate::ring::Ring;
use crate::sync::{AtomicU64, Ordering::*};
use crate::tape::{Next, TapeCursor};

mod read;

pub use read::{BoardWords, ReadError, Reader};

/// Why a request could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The engine has not yet taken the requests sent before.
    Full,
    /// The connection has ended; attach again.
    Gone,
}

/// A client attached to an engine: a [`Reader`] with a desk. Dropping it gives the desk back.
#[derive(Debug)]
pub struct Client {
    name: String,
    socket: OwnedFd,
    reader: Reader,
    requests: Map,
    desk: DeskId,
    lease: u64,
    sent: u64,
    answers: TapeCursor,
    answers_lost: u64,
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
            reader: Reader::new(pages, header),
            requests,
            desk: DeskId(desk),
            lease,
            sent: 0,
            answers: TapeCursor::default(),
            answers_lost: 0,
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

    /// The desk that this client has leased.
    pub fn desk(&self) -> DeskId {
        self.desk
    }

    /// Whether the connection has ended: the engine died, stopped serving, or put this client out.
    /// Never blocks.
    pub fn is_gone(&self) -> bool {
        // After "open" the engine says nothing more: anything to read is the end.
        let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        rustix::event::poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
    }

    /// Sends a request. Its `id` and `origin` are set here; returns the id under which the answer
    /// comes, unique among all clients of this engine.
    ///
    /// # Errors
    ///
    /// See [`SendError`]; nothing was sent.
    pub fn send(&mut self, request: &Request) -> Result<u64, SendError> {
        if self.is_gone() {
            return Err(SendError::Gone);
        }
        let salt = salt(self.reader.epoch(), self.lease);
        let slots = self.reader.capacity().requests as usize;
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

    /// All memory that this client can write, and what salts the records of its request ring: what a
    /// client that means harm has in its hands anyway. For tests of such clients alone.
    #[doc(hidden)]
    pub fn writable(&self) -> (&[AtomicU64], u64) {
        (self.requests.words(), salt(self.reader.epoch(), self.lease))
    }

    /// Requests of this lease that the engine has taken.
    fn taken(&self) -> u64 {
        match self.reader.words(self.reader.layout().ports, self.desk.0.into()) {
            [lease, taken, ..] if lease.load(Acquire) == self.lease => taken.load(Acquire),
            _ => 0,
        }
    }

    fn check_pages(&self) -> Result<(), AttachError> {
        let mut words = [0; Header::WORDS];
        for (word, shared) in
            words.iter_mut().zip(self.reader.words(self.reader.layout().header, 0))
        {
            *word = shared.load(Relaxed);
        }
        match Header::from_words(&words) {
            Ok(header) if &header == self.reader.header() => Ok(()),
            _ => Err(AttachError::Protocol("its memory is not what it greeted with")),
        }
    }

    fn answer_ring(&self) -> Option<Ring<'_, { Answer::WORDS }>> {
        let words = self.reader.words(self.reader.layout().answers, self.desk.0.into());
        Ring::over(words, self.reader.capacity().answers as usize, 0)
    }
}

impl core::ops::Deref for Client {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl core::ops::DerefMut for Client {
    fn deref_mut(&mut self) -> &mut Reader {
        &mut self.reader
    }
}

#[cfg(test)]
mod tests;
