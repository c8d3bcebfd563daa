//! The journal of a run: continued, or begun with what it runs by.

use crate::config::{Config, Durability, FeedConfig};
use crate::journal::epoch::Claim;
use crate::journal::lease::Lease;
use crate::journal::recorder::Recorder;
use crate::journal::writer::Writer;
use crate::journal::{Entry, JournalError, Record};
use crate::replay::digest_of;
use crate::runtime::RunError;
use crate::runtime::ready::Found;
use crate::snapshot;
use crate::step::Engine;

/// Texts of limits that can wait for the journal.
const FILES: usize = 4;

/// A journal that is about to be written.
pub(super) struct Opened {
    pub writer: Writer,
    pub ring: rtrb::Consumer<Entry>,
    pub durability: Durability,
}

/// Opens the journal for appending; a new one begins with the configuration and the captures.
pub(super) fn open_journal(
    config: &Config,
    engine: &Engine,
    events: &[u64],
    lease: Lease,
    found: Option<Found>,
) -> Result<(Option<Recorder>, Option<Opened>), RunError> {
    let Some(journal) = &config.engine.journal else { return Ok((None, None)) };
    let had_inputs = || snapshot::list(&journal.folder).map_or(true, |listed| !listed.is_empty());
    if found.is_none() && had_inputs() {
        return Err(JournalError::Gone(journal.folder.clone()).into());
    }
    let claim = Claim::take(&journal.folder, found.as_ref().and_then(|found| found.epoch))?;
    let tail = found.as_ref().map(|found| found.tail).unwrap_or_default();
    let mut writer = Writer::open(lease, claim, tail, journal.segment_bytes)?;
    if found.is_none() {
        for file in &config.files {
            let bytes = file.text.clone().into_bytes();
            writer.append_head(&Record::Config { name: file.name.clone(), bytes })?;
        }
        for source in sources(config)? {
            writer.append_head(&source)?;
        }
    }
    let epoch = writer.epoch().into();
    writer.append_head(&Record::Opened { epoch, seq: engine.seq() })?;
    let reserve = reserve_of(config);
    let is_recorded = |feed: &FeedConfig| feed.captures().is_some();
    let feeds = config.engine.feeds.iter().map(is_recorded).zip(events.iter().copied()).collect();
    let (to_journal, ring) = rtrb::RingBuffer::new(entries_of(config));
    let (files, of_files) = rtrb::RingBuffer::new(FILES);
    let writer = writer.with_files(of_files);
    let recorder = Recorder::new(to_journal, feeds, reserve)
        .with_files(files)
        .with_deep_checkpoints(journal.deep_checkpoints);
    Ok((Some(recorder), Some(Opened { writer, ring, durability: journal.durability })))
}

/// Places for cancels of every order of ours, and as many again for everything else that must pass.
const fn reserve_of(config: &Config) -> usize {
    2 * config.engine.capacity.own_orders as usize
}

/// Entries that can wait for the journal thread.
pub(crate) fn entries_of(config: &Config) -> usize {
    (4 * reserve_of(config)).max(1 << 14)
}

/// The captures that the journal will refer to.
fn sources(config: &Config) -> Result<Vec<Record>, RunError> {
    let mut sources = Vec::new();
    for (feed, of_feed) in config.engine.feeds.iter().enumerate() {
        let Some(captures) = of_feed.captures() else { continue };
        for (place, path) in captures.files.iter().enumerate() {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            sources.push(Record::Source {
                feed: feed as u8,
                place: place as u32,
                midnight: captures.date.midnight(),
                digest: digest_of(&path)?,
                path: path.to_string_lossy().into_owned(),
            });
        }
    }
    Ok(sources)
}
