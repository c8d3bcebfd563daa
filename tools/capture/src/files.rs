//! Where the files of a feed go, and when the next one begins.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use crate::Done;

/// The files of one feed: `FOLDER/NUMBER-VENUE-TIME-COUNT.EXTENSION`.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
    stem: String,
    count: u32,
    bytes_max: u64,
}

/// A file being written, and how much is in it.
pub type Out = BufWriter<Counted>;

/// Counts what goes through.
#[derive(Debug)]
pub struct Counted {
    file: File,
    bytes: u64,
}

impl Counted {
    /// Bytes that have reached the kernel.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Who sent a datagram to an address, where that is not known: headers have one family.
pub fn nobody(to: SocketAddr) -> SocketAddr {
    let unspecified = match to {
        SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    (unspecified, 0).into()
}

impl Place {
    /// For a feed; a file ends after `bytes_max`.
    pub fn new(folder: &Path, number: usize, venue: &str, bytes_max: u64) -> Place {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let seconds = now.unwrap_or_default().as_secs();
        let (date, time) = (feeds::Date((seconds / 86_400) as u16), seconds % 86_400);
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        let stem = format!("{number}-{venue}-{date}T{hour:02}{minute:02}{second:02}Z");
        Place { folder: folder.to_path_buf(), stem, count: 0, bytes_max }
    }

    /// Begins the next file. One that is there is never written over.
    pub fn next(&mut self, extension: &str, done: &Done) -> Result<Out, String> {
        let path = self.folder.join(format!("{}-{:06}.{extension}", self.stem, self.count));
        self.count += 1;
        let file = File::options().write(true).create_new(true).open(&path);
        let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
        done.files.fetch_add(1, Ordering::Relaxed);
        Ok(BufWriter::with_capacity(256 << 10, Counted { file, bytes: 0 }))
    }

    /// Whether a file with so many bytes is full.
    pub fn is_full(&self, bytes: u64) -> bool {
        bytes >= self.bytes_max
    }
}
