//! Live feeds, opened before any thread runs: one that cannot be opened leaves nothing behind.

use std::thread::JoinHandle;

use feeds::stream::StreamConfig;
use model::FeedId;
use shm::EventSender;

use super::spawn::spawn;
use crate::config::{FeedSource, Stream};
use crate::runtime::feed_ring::FeedRing;
use crate::runtime::lines::{Around, LinesThread};
use crate::runtime::server::ServerThread;
use crate::runtime::{Plan, RunError};

/// A thread of a live feed that does not run yet.
pub(super) struct Live {
    name: &'static str,
    cpu: Option<usize>,
    body: Box<dyn FnOnce() + Send>,
}

impl Live {
    /// Starts it.
    pub(super) fn spawn(self) -> Result<JoinHandle<()>, RunError> {
        spawn(self.name, self.cpu, self.body)
    }
}

/// Opens every live feed.
///
/// # Errors
///
/// [`RunError`] of the first that cannot be opened.
pub(super) fn open_live(
    plan: &Plan,
    rings: &mut impl Iterator<Item = EventSender>,
    around: &Around,
    epoch: u64,
) -> Result<Vec<Live>, RunError> {
    let mut live = Vec::new();
    for (number, feed) in plan.config.engine.feeds.iter().enumerate() {
        let (id, venue, cpu) = (FeedId(number as u8), feed.venue, plan.config.engine.cpus.feed);
        let mut ring = || Some(FeedRing::new(rings.next()?, plan.config.engine.filter(feed)));
        live.push(match &feed.source {
            FeedSource::Captures(_) => continue, // They have a thread together.
            FeedSource::Lines(lines) => {
                let Some(ring) = ring() else { break };
                let lines = LinesThread::open(id, venue, lines, ring, around)?;
                Live { name: "feed", cpu, body: Box::new(move || lines.run()) }
            }
            FeedSource::Server(server) => {
                let Some(ring) = ring() else { break };
                let server = ServerThread::new(id, server, ring, around, epoch)?;
                Live { name: "feed", cpu, body: Box::new(move || server.run()) }
            }
            FeedSource::Stream(stream) => {
                let Some(ring) = ring() else { break };
                let drive = plan.drive_stream.ok_or(RunError::Unheard(venue))?;
                let (port, config) = (around.port(id, ring), stream_config(id, stream, epoch));
                let body = Box::new(move || drive(venue, config, port));
                Live { name: "stream", cpu: None, body }
            }
        });
    }
    Ok(live)
}

/// What the machine of a stream feed is told. Its pauses are another engine's after every start.
fn stream_config(feed: FeedId, stream: &Stream, seed: u64) -> StreamConfig {
    StreamConfig {
        feed,
        symbols: stream.symbols.clone(),
        depth: stream.depth,
        seed,
        ws_url: stream.ws_url.clone(),
        rest_url: stream.rest_url.clone(),
    }
}
