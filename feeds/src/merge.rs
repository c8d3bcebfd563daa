//! Several feeds of captures as one stream: the earliest receive time first, and at the same time the feed that stands first.

use model::{Event, FeedId};

use crate::arrival::Arrival;
use crate::capture::Capture;
use crate::feed::{Counters, FeedError, Next};

/// Feeds of captures, interleaved by (receive time, place). The same captures give the same order, always.
pub struct Merge {
    feeds: Vec<Capture>,
    /// The next event of each, if it was looked at.
    heads: Vec<Option<Event>>,
}

/// A feed's last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct MergeError {
    /// Place of the feed.
    pub feed: usize,
    /// Where in it and why.
    #[source]
    pub error: FeedError,
}

impl Merge {
    /// Interleaves `feeds`.
    pub fn new(feeds: Vec<Capture>) -> Merge {
        let heads = vec![None; feeds.len()];
        Merge { feeds, heads }
    }

    /// The next event of all feeds; `None` when all have ended.
    ///
    /// # Errors
    ///
    /// [`MergeError`] of the first feed that failed; every later call says the same.
    #[expect(clippy::should_implement_trait, reason = "an iterator has no end that can fail")]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Event>, MergeError> {
        self.next_at(&mut ())
    }

    /// As [`Merge::next`], with each message's receive time told before it is decoded. Of several feeds the next message of
    /// each is decoded before anybody knows which comes first: their times are not told.
    ///
    /// # Errors
    ///
    /// The same.
    #[inline]
    pub fn next_at(&mut self, arrival: &mut impl Arrival) -> Result<Option<Event>, MergeError> {
        if let [_] = self.feeds.as_slice() {
            return self.next_of_at(FeedId(0), arrival); // Alone, there is nothing to compare with.
        }
        for place in 0..self.feeds.len() {
            if self.heads.get(place).is_some_and(Option::is_none) {
                let next = self.read(place, &mut ())?;
                if let Some(head) = self.heads.get_mut(place) {
                    *head = next;
                }
            }
        }
        let first = self.heads.iter_mut().filter(|head| head.is_some());
        let first = first.min_by_key(|head| head.map(|event| event.ts_recv));
        Ok(first.and_then(Option::take))
    }

    /// The next event of one feed, whatever the others hold; `None` when it has ended.
    ///
    /// # Errors
    ///
    /// [`MergeError`], if it failed.
    #[inline]
    pub fn next_of(&mut self, feed: FeedId) -> Result<Option<Event>, MergeError> {
        self.next_of_at(feed, &mut ())
    }

    #[inline]
    fn next_of_at(
        &mut self,
        feed: FeedId,
        arrival: &mut impl Arrival,
    ) -> Result<Option<Event>, MergeError> {
        let place = usize::from(feed.0);
        match self.heads.get_mut(place).and_then(Option::take) {
            Some(event) => Ok(Some(event)),
            None => self.read(place, arrival),
        }
    }

    fn read(
        &mut self,
        place: usize,
        arrival: &mut impl Arrival,
    ) -> Result<Option<Event>, MergeError> {
        let Some(feed) = self.feeds.get_mut(place) else { return Ok(None) };
        match feed.next_at(arrival) {
            Ok(Next::Event(event)) => Ok(Some(event)),
            Ok(Next::End) => Ok(None),
            Err(error) => Err(MergeError { feed: place, error }),
        }
    }

    /// The feeds, to ask what each has seen.
    pub fn feeds(&self) -> &[Capture] {
        &self.feeds
    }

    /// What all feeds together have seen.
    pub fn counters(&self) -> Counters {
        let mut sum = Counters::NONE;
        self.feeds.iter().for_each(|feed| sum.add(&feed.counters()));
        sum
    }
}
