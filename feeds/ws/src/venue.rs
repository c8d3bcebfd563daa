//! The venues by name.

use feeds::Venue;
use feeds::stream::{ConfigError, StreamConfig, StreamFeed, WithFeed, with_feed};

use crate::drive::{Counters, Options, Port, drive};
use crate::tap::Tap;

/// Why a feed cannot be driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DriveError {
    /// The venue is not heard over WebSocket.
    #[error("{0} is not heard over WebSocket")]
    Venue(Venue),
    /// Its configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Drives the feed of a venue until its port says that it is over. Blocks the thread.
///
/// # Errors
///
/// [`DriveError`], before anything is opened.
pub fn drive_venue(
    venue: Venue,
    config: StreamConfig,
    options: Options,
    port: impl Port,
    tap: impl Tap,
) -> Result<Counters, DriveError> {
    with_feed(venue, config, Drive { options, port, tap })?.ok_or(DriveError::Venue(venue))
}

struct Drive<P, T> {
    options: Options,
    port: P,
    tap: T,
}

impl<P: Port, T: Tap> WithFeed for Drive<P, T> {
    type Out = Counters;

    fn with<V: feeds::stream::Venue + Send + 'static>(self, feed: StreamFeed<V>) -> Counters {
        drive(feed, self.options, self.port, self.tap)
    }
}
