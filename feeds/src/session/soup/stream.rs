//! Packets out of a stream of bytes.

use super::SoupError;

/// Bytes before the type: the length of what follows.
const LENGTH: usize = 2;

/// One packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Byte of the stream where it begins.
    pub offset: u64,
    /// Its type: see [`super::kind`].
    pub kind: u8,
    /// What it carries.
    pub payload: &'a [u8],
}

/// Cuts packets from chunks of any size. Whole packets are borrowed from the chunk; only one that is split
/// is copied, into a buffer that holds at most one packet (65,537 bytes).
#[derive(Clone, Debug, Default)]
pub struct Stream {
    part: Vec<u8>,
    /// Bytes of the stream before the buffered part.
    offset: u64,
}

impl Stream {
    /// A stream that begins.
    pub fn new() -> Stream {
        Stream::default()
    }

    /// Begins again: another connection.
    pub fn restart(&mut self) {
        self.part.clear();
        self.offset = 0;
    }

    /// Bytes of a packet whose rest has not come yet.
    pub fn pending(&self) -> usize {
        self.part.len()
    }

    /// Takes a chunk; every packet that it completes is told. `take` stops the stream by an error.
    ///
    /// # Errors
    ///
    /// [`SoupError::Empty`] for a packet without a type, or what `take` says. The stream is of no use then.
    pub fn feed(
        &mut self,
        mut chunk: &[u8],
        take: &mut impl FnMut(Packet<'_>) -> Result<(), SoupError>,
    ) -> Result<(), SoupError> {
        while !chunk.is_empty() {
            if self.part.is_empty()
                && let Some((packet, rest)) = cut(chunk, self.offset)?
            {
                self.offset += (chunk.len() - rest.len()) as u64;
                chunk = rest;
                take(packet)?;
                continue;
            }
            // Only what the packet lacks is copied: first its length, then what that says.
            let need = match self.part.first_chunk::<LENGTH>() {
                Some(length) => LENGTH + usize::from(u16::from_be_bytes(*length)),
                None => LENGTH,
            };
            let missing = need.saturating_sub(self.part.len()).min(chunk.len());
            let (piece, rest) = chunk.split_at_checked(missing).unwrap_or((chunk, &[]));
            self.part.extend_from_slice(piece);
            chunk = rest;
            if let Some((packet, _)) = cut(&self.part, self.offset)? {
                let took = take(packet);
                self.offset += self.part.len() as u64;
                self.part.clear();
                took?;
            }
        }
        Ok(())
    }
}

/// The first packet and what follows it; `None` if it is not whole.
fn cut(bytes: &[u8], offset: u64) -> Result<Option<(Packet<'_>, &[u8])>, SoupError> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH>() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 {
        return Err(SoupError::Empty { offset });
    }
    let Some((packet, rest)) = rest.split_at_checked(length) else { return Ok(None) };
    let Some((&kind, payload)) = packet.split_first() else { return Ok(None) };
    Ok(Some((Packet { offset, kind, payload }, rest)))
}
