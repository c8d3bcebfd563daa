//! What a journal begins with: the configuration, the captures, the first engine.

use std::path::{Path, PathBuf};

use super::{Replay, ReplayError, digest_of, epoch_of, open_captures};
use crate::config::Config;
use crate::journal::Record;
use crate::journal::reader::{Fault, Reader};
use crate::step::Engine;

/// The head of a journal, and a reader that stands behind it.
pub(super) struct Head {
    pub config: Config,
    reader: Reader,
    sources: Vec<(u8, PathBuf)>,
    epoch: Option<u32>,
}

impl Head {
    /// Reads it, and sees that the captures are what they were; `None` if there is no journal.
    pub fn read(folder: &Path) -> Result<Option<Head>, ReplayError> {
        let mut reader = Reader::open(folder)?;
        let (mut files, mut sources) = (Vec::new(), Vec::new());
        let epoch = loop {
            match reader.next_record()? {
                Some(Record::Config { name, bytes }) => {
                    files.push((PathBuf::from(name), String::from_utf8_lossy(&bytes).into_owned()));
                }
                Some(Record::Source { feed, digest, path, .. }) => {
                    sources.push((feed, PathBuf::from(path), digest));
                }
                Some(Record::Opened { epoch, .. }) => break epoch_of(epoch),
                None => return no_head(&reader), // No engine had opened it yet: nothing is in it.
                Some(_) => return Err(ReplayError::NoConfig),
            }
        };
        let config = Config::from_texts(files)?;
        for (_, path, digest) in &sources {
            if digest_of(path)? != *digest {
                return Err(ReplayError::SourceChanged(path.clone()));
            }
        }
        let sources = sources.into_iter().map(|(feed, path, _)| (feed, path)).collect();
        Ok(Some(Head { config, reader, sources, epoch }))
    }

    /// The replay of what follows, by an engine that has had no input yet.
    pub fn into_replay(self, engine: Engine) -> Result<Replay, ReplayError> {
        let Head { config, reader, sources, epoch } = self;
        let captures = open_captures(&config, |feed| {
            let of_feed = sources.iter().filter(|(of, _)| usize::from(*of) == feed);
            of_feed.map(|(_, path)| path.clone()).collect()
        })?;
        let out = engine.output();
        let events = vec![0; config.engine.feeds.len()];
        Ok(Replay {
            reader,
            pending: None,
            limits: None,
            config,
            engine,
            out,
            captures,
            events,
            checkpoints: 0,
            closed: false,
            opened: 1,
            epoch,
            full_hash: None,
            deep: false,
            full_checkpoints: 0,
            from: None,
            passed_over: Vec::new(),
            snapshots: None,
            trail: None,
        })
    }
}

/// A journal that ends before an engine had opened it; damage in its head is told.
fn no_head(reader: &Reader) -> Result<Option<Head>, ReplayError> {
    match reader.fault().and_then(Fault::refusal) {
        None => Ok(None),
        Some(refusal) => Err(refusal.into()),
    }
}
