//! The venues by name. To add one: a line in [`drive_venue`].

use feeds::Venue;
use feeds::stream::{ConfigError, StreamConfig};

use crate::drive::{Counters, Options, Port};
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
    let _ = (config, options, port, tap);
    Err(DriveError::Venue(venue))
}
