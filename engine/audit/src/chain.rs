//! Frames and the chain of hashes through them.
//!
//! Everything in a log is one chain: the header of a segment, then frames, then the header of the next segment. Each
//! link is
//! `h = BLAKE3(h before ‖ what is linked)`, so that no byte can change without changing every hash behind it.

/// A BLAKE3 hash.
pub type Hash = [u8; 32];

/// Bytes of a frame's body: a record and a checkpoint take the same, so that every frame has its place.
pub const BODY_BYTES: usize = 192;
/// Bytes of a frame: length, kind, body, hash.
pub const FRAME_BYTES: usize = 8 + BODY_BYTES + 32;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// A record.
    Record,
    /// A checkpoint.
    Checkpoint,
}

impl FrameKind {
    const fn code(self) -> u32 {
        match self {
            FrameKind::Record => 1,
            FrameKind::Checkpoint => 2,
        }
    }
}

/// A frame as read, its hash not compared yet.
pub(crate) struct Frame<'a> {
    pub kind: FrameKind,
    pub body: &'a [u8; BODY_BYTES],
    /// The hash that it carries.
    pub hash: &'a Hash,
    /// The hash that it must carry.
    pub due: Hash,
}

/// The next link: BLAKE3 of the link before and of `parts` one after the other. All parts have fixed lengths, or
/// carry them.
pub(crate) fn link(before: &Hash, parts: &[&[u8]]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before);
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

fn head(kind: FrameKind) -> [u8; 8] {
    let mut head = [0; 8];
    let (length, code) = head.split_at_mut(4);
    length.copy_from_slice(&(BODY_BYTES as u32).to_le_bytes());
    code.copy_from_slice(&kind.code().to_le_bytes());
    head
}

/// Appends a frame to `out`; its hash.
pub(crate) fn write(
    before: &Hash,
    kind: FrameKind,
    body: &[u8; BODY_BYTES],
    out: &mut Vec<u8>,
) -> Hash {
    let head = head(kind);
    let hash = link(before, &[&head, body]);
    out.extend_from_slice(&head);
    out.extend_from_slice(body);
    out.extend_from_slice(&hash);
    hash
}

/// Takes a frame apart; `None` if length or kind are none of ours.
pub(crate) fn read<'a>(before: &Hash, bytes: &'a [u8; FRAME_BYTES]) -> Option<Frame<'a>> {
    let (found, rest) = bytes.split_first_chunk::<8>()?;
    let (body, hash) = rest.split_first_chunk::<BODY_BYTES>()?;
    let kinds = [FrameKind::Record, FrameKind::Checkpoint];
    let kind = kinds.into_iter().find(|kind| head(*kind) == *found)?;
    let due = link(before, &[found, body]);
    Some(Frame { kind, body, hash: hash.first_chunk()?, due })
}
