//! MoldUDP64 packets: session (10), sequence (8), count (2), then blocks of length (2) and message.

/// Bytes before the blocks.
pub const HEADER: usize = 20;
/// Bytes before each message.
pub const BLOCK: usize = 2;
/// The count that says that the session is over.
pub const END: u16 = 0xFFFF;

pub(super) fn header(session: &[u8; 10], sequence: u64, count: u16) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..10].copy_from_slice(session);
    header[10..18].copy_from_slice(&sequence.to_be_bytes());
    header[18..].copy_from_slice(&count.to_be_bytes());
    header
}

/// Appends a message; its length fits because it fits a packet.
pub(super) fn block(message: &[u8], packet: &mut Vec<u8>) {
    packet.extend_from_slice(&(message.len() as u16).to_be_bytes());
    packet.extend_from_slice(message);
}

/// Session, sequence and count of what must be a request and nothing else.
pub(super) fn parse_request(bytes: &[u8]) -> Option<([u8; 10], u64, u16)> {
    let bytes: &[u8; HEADER] = bytes.try_into().ok()?;
    let (session, rest) = bytes.split_first_chunk::<10>()?;
    let (sequence, count) = rest.split_first_chunk::<8>()?;
    let count = count.first_chunk()?;
    Some((*session, u64::from_be_bytes(*sequence), u16::from_be_bytes(*count)))
}
