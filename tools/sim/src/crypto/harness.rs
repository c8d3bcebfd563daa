//! A venue and a client on virtual time.
//!
//! The client is whatever implements [`Client`]: the machine of a feed without its sockets. Everything that
//! it sees is decided by the seed of the venue.

use super::answer::Answer;
use super::session::{Frame, SessionId, Tag};
use super::venue::CryptoVenue;
use crate::rng::Rng;

const SECOND: u64 = 1_000_000_000;

/// What a client wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// A connection.
    Connect,
    /// A text sent.
    Send(String),
    /// A body, by the path of its address.
    Get {
        /// Number to answer with.
        request: u32,
        /// The path, with what follows the question mark.
        path: String,
    },
    /// The connection closed, or no longer waited for.
    Close,
}

/// A client without sockets. Times are nanoseconds since the epoch.
pub trait Client {
    /// The connection that was wanted stands.
    fn on_open(&mut self, now: u64);
    /// It is down, or could not be opened.
    fn on_close(&mut self, now: u64);
    /// A text came.
    fn on_text(&mut self, text: &str, now: u64);
    /// A body came; `Err`: a status that is none of success.
    fn on_answer(&mut self, request: u32, body: Result<&str, u16>, now: u64);
    /// Time passes.
    fn on_time(&mut self, now: u64);
    /// When it wants to be told of the time.
    fn wake_at(&self) -> Option<u64>;
    /// What it wants next.
    fn want(&mut self) -> Option<Want>;
}

/// What a client has been told, to hold it against.
pub struct Known<'a> {
    /// Whether a connection stands.
    pub connected: bool,
    /// By symbol: the latest version of the book that a text has led to.
    pub versions: &'a [u64],
    /// By symbol: the version of the whole book that came last by itself; it may be ahead of the texts.
    pub bodies: &'a [u64],
}

/// A venue and a client.
pub struct Harness<C> {
    /// The venue.
    pub venue: CryptoVenue,
    /// The client.
    pub client: C,
    rng: Rng,
    now: u64,
    session: Option<SessionId>,
    /// When the connection that is wanted stands.
    opening: Option<u64>,
    answers: Vec<(u32, Answer)>,
    versions: Vec<u64>,
    bodies: Vec<u64>,
}

impl<C: Client> Harness<C> {
    /// Puts them together. The client has been started already.
    pub fn new(venue: CryptoVenue, client: C) -> Harness<C> {
        let (seed, now) = (venue.config().seed, venue.config().start);
        let versions = vec![0; venue.config().listings.len()];
        Harness {
            venue,
            client,
            rng: Rng::new(seed ^ 0xC11E_0000),
            now,
            session: None,
            opening: None,
            answers: Vec::new(),
            bodies: versions.clone(),
            versions,
        }
    }

    /// The time.
    pub const fn now(&self) -> u64 {
        self.now
    }

    /// Lets `ns` pass, and has the client looked at after everything that it is told.
    pub fn run(&mut self, ns: u64, check: &mut impl FnMut(&CryptoVenue, &C, &Known<'_>)) {
        let until = self.now.saturating_add(ns);
        self.satisfy();
        loop {
            let answers = self.answers.iter().map(|(_, answer)| answer.at);
            let others = answers.chain(self.opening).chain(self.client.wake_at());
            let next = others.fold(self.venue.next_at(), u64::min);
            if next > until {
                self.now = until;
                return;
            }
            self.now = self.now.max(next);
            self.venue.advance(self.now);
            self.step(check);
        }
    }

    fn step(&mut self, check: &mut impl FnMut(&CryptoVenue, &C, &Known<'_>)) {
        let now = self.now;
        if self.opening.take_if(|at| *at <= now).is_some() {
            self.session = self.venue.open(now);
            match self.session {
                Some(_) => self.client.on_open(now),
                None => self.client.on_close(now),
            }
            self.told(check);
        }
        while let Some(session) = self.session
            && let Some((frame, tag)) = self.venue.poll(session, now)
        {
            self.deliver(session, &frame, tag);
            self.told(check);
        }
        while let Some(place) = self.answers.iter().position(|(_, answer)| answer.at <= now) {
            let (request, answer) = self.answers.swap_remove(place);
            if let Some(tag) = self.venue.tag_of(answer.body.as_bytes()) {
                self.bodies[tag.symbol] = tag.version;
            }
            let body = if answer.status == 200 { Ok(&*answer.body) } else { Err(answer.status) };
            self.client.on_answer(request, body, now);
            self.told(check);
        }
        if self.client.wake_at().is_some_and(|at| at <= now) {
            self.client.on_time(now);
            self.told(check);
        }
    }

    fn deliver(&mut self, session: SessionId, frame: &Frame, tag: Option<Tag>) {
        match frame {
            Frame::Text(text) => {
                if let Some(tag) = tag {
                    let known = &mut self.versions[tag.symbol];
                    *known = tag.version.max(*known);
                }
                self.client.on_text(text, self.now);
            }
            // No transport takes the one; the other answers itself.
            Frame::Oversize(_) | Frame::Close => {
                self.venue.close(session);
                self.session = None;
                self.client.on_close(self.now);
            }
            Frame::Ping => {}
        }
    }

    fn told(&mut self, check: &mut impl FnMut(&CryptoVenue, &C, &Known<'_>)) {
        self.satisfy();
        let connected = self.session.is_some();
        let known = Known { connected, versions: &self.versions, bodies: &self.bodies };
        check(&self.venue, &self.client, &known);
    }

    /// Does what the client wants done.
    fn satisfy(&mut self) {
        while let Some(want) = self.client.want() {
            match want {
                Want::Connect => self.opening = Some(self.now + self.rng.below(SECOND / 3)),
                Want::Send(text) => {
                    if let Some(session) = self.session {
                        self.venue.on_text(session, &text, self.now);
                    }
                }
                Want::Get { request, path } => {
                    let answer = self.venue.get(&path, self.now);
                    self.answers.push((request, answer));
                }
                Want::Close => {
                    self.opening = None;
                    if let Some(session) = self.session.take() {
                        self.venue.close(session);
                    }
                }
            }
        }
    }
}
