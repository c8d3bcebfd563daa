//! Segment files: their names, their headers, and their frames one after the other.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use model::Ts;

use crate::chain::{FRAME_BYTES, Hash, link};
use crate::error::AuditError;
use crate::merkle::Frontier;

/// Size at which a segment ends and the next begins.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// Most records between two checkpoints.
pub const CHECKPOINT_RECORDS_MAX: u64 = 1 << 16;

const MAGIC: [u8; 8] = *b"TGAUDT1\n";
const VERSION: u32 = 1;
/// Bytes of a header before the heads of the tree.
const FIXED_BYTES: usize = 120;
/// Most heads: one for each bit of the number of records.
const PEAKS_MAX: usize = 64;

/// What a segment says of itself and of all before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub number: u64,
    /// Which log.
    pub identity: Hash,
    pub key_id: u64,
    /// A checkpoint follows after at most as many records.
    pub checkpoint_records: u64,
    /// Wall clock when it was begun.
    pub begun: Ts,
    /// The chain's hash at the end of the segment before; zeros in the first.
    pub before: Hash,
    /// The tree over all records of the segments before.
    pub tree: Frontier,
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoHeader {
    /// The file ends before it does.
    Short,
    /// It is another file, or one of another version.
    Foreign,
    /// Its hash is not that of its bytes.
    Hash,
}

impl Header {
    /// Its bytes, and the chain's hash behind it.
    pub fn write(&self, out: &mut Vec<u8>) -> Hash {
        let start = out.len();
        let length = FIXED_BYTES + 32 * self.tree.peaks().len() + 32;
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&(length as u32).to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.identity);
        for word in [self.key_id, self.checkpoint_records, self.begun.0, self.tree.count()] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.before);
        self.tree.peaks().iter().for_each(|peak| out.extend_from_slice(peak));
        let hash = link(&self.before, &[out.get(start..).unwrap_or_default()]);
        out.extend_from_slice(&hash);
        hash
    }

    /// Reads a header; with it, the chain's hash behind it and its length.
    fn read(from: &mut impl Read) -> io::Result<Result<(Header, Hash, u64), NoHeader>> {
        let mut fixed = [0; FIXED_BYTES];
        let filled = fill(from, &mut fixed)?;
        let begins_so = fixed.iter().zip(MAGIC).take(filled).all(|(found, due)| *found == due);
        if !begins_so && fixed.iter().any(|byte| *byte != 0) {
            return Ok(Err(NoHeader::Foreign));
        }
        if filled < FIXED_BYTES {
            return Ok(Err(NoHeader::Short));
        }
        let mut rest = Fields(&fixed);
        let [_magic, sizes, number] = [rest.word(), rest.word(), rest.word()];
        let identity = rest.hash();
        let [key_id, checkpoint_records, begun, count] = std::array::from_fn(|_| rest.word());
        let before = rest.hash();
        let peaks = count.count_ones() as usize;
        let length = FIXED_BYTES + 32 * peaks + 32;
        if sizes != u64::from(VERSION) | (length as u64) << 32 {
            return Ok(Err(NoHeader::Foreign));
        }
        let mut heads = [0; 32 * PEAKS_MAX + 32];
        let Some(heads) = heads.get_mut(..32 * peaks + 32) else {
            return Ok(Err(NoHeader::Foreign));
        };
        if fill(from, heads)? < heads.len() {
            return Ok(Err(NoHeader::Short));
        }
        let Some((heads, hash)) = heads.split_last_chunk::<32>() else {
            return Ok(Err(NoHeader::Foreign));
        };
        if link(&before, &[&fixed, heads]) != *hash {
            return Ok(Err(NoHeader::Hash));
        }
        let (heads, _) = heads.as_chunks::<32>();
        let Some(tree) = Frontier::from_parts(count, heads.to_vec()) else {
            return Ok(Err(NoHeader::Foreign));
        };
        let begun = Ts(begun);
        let header = Header { number, identity, key_id, checkpoint_records, begun, before, tree };
        Ok(Ok((header, *hash, length as u64)))
    }
}

/// Whether nothing but zeros follows a part of a header: the file had its length before it had its bytes when power
/// was lost.
fn is_torn_header(path: &Path) -> io::Result<bool> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut fixed = [0; FIXED_BYTES];
    let mut read = fill(&mut reader, &mut fixed)?;
    let peaks = fixed.get(80..88).and_then(|count| count.first_chunk());
    let peaks = peaks.map_or(0, |count| u64::from_le_bytes(*count).count_ones() as usize);
    let length = FIXED_BYTES + 32 * peaks + 32;
    let mut rest = [0; 4096];
    loop {
        let filled = fill(&mut reader, &mut rest)?;
        let said = rest.iter().take(filled).rposition(|byte| *byte != 0);
        if said.is_some_and(|place| read + place >= length) {
            return Ok(false);
        }
        read += filled;
        if filled < rest.len() {
            return Ok(fixed.starts_with(&MAGIC) || fixed.iter().rposition(|b| *b != 0) < Some(8));
        }
    }
}

/// Takes fields off the front of bytes; zeros past their end.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn word(&mut self) -> u64 {
        let Some((word, rest)) = self.0.split_first_chunk() else { return 0 };
        self.0 = rest;
        u64::from_le_bytes(*word)
    }

    fn hash(&mut self) -> Hash {
        let Some((hash, rest)) = self.0.split_first_chunk() else { return [0; 32] };
        self.0 = rest;
        *hash
    }
}

/// Reads until `to` is full or the file ends; bytes read.
fn fill(from: &mut impl Read, to: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = to.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The next thing in a segment.
pub(crate) enum Piece {
    /// As many bytes as a frame has.
    Frame(Box<[u8; FRAME_BYTES]>),
    /// The file ends behind the last frame.
    End,
    /// The file ends inside of a frame: as many bytes of it are there.
    Torn(u64),
}

/// A segment that is read.
pub(crate) struct Segment {
    pub path: PathBuf,
    pub header: Header,
    /// The chain's hash behind the header.
    pub chain: Hash,
    /// Where the next frame begins.
    pub offset: u64,
    reader: BufReader<File>,
}

impl Segment {
    /// Opens a segment and reads its header.
    ///
    /// # Errors
    ///
    /// [`AuditError::Io`]; what is wrong with the header is told inside.
    pub fn open(path: PathBuf) -> Result<Result<Segment, NoHeader>, AuditError> {
        let file = File::open(&path).map_err(AuditError::io(&path))?;
        let mut reader = BufReader::with_capacity(1 << 18, file);
        match Header::read(&mut reader).map_err(AuditError::io(&path))? {
            Err(NoHeader::Short) => Ok(Err(NoHeader::Short)),
            Err(error) => {
                let torn = is_torn_header(&path).map_err(AuditError::io(&path))?;
                Ok(Err(if torn { NoHeader::Short } else { error }))
            }
            Ok((header, chain, offset)) => Ok(Ok(Segment { path, header, chain, offset, reader })),
        }
    }

    /// Reads on.
    ///
    /// # Errors
    ///
    /// [`AuditError::Io`].
    pub fn next_piece(&mut self) -> Result<Piece, AuditError> {
        self.read_piece().map_err(AuditError::io(&self.path))
    }

    fn read_piece(&mut self) -> io::Result<Piece> {
        let mut frame = Box::new([0; FRAME_BYTES]);
        let filled = fill(&mut self.reader, frame.as_mut_slice())?;
        match filled {
            0 => Ok(Piece::End),
            FRAME_BYTES => {
                self.offset += FRAME_BYTES as u64;
                Ok(Piece::Frame(frame))
            }
            bytes => Ok(Piece::Torn(bytes as u64)),
        }
    }

    /// Whether a frame that was just read and found bad is the end of a write that power was lost in: zeros from its
    /// last byte to the
    /// end of the file, which had its length before it had its bytes. If so, the bytes from its first on.
    ///
    /// # Errors
    ///
    /// [`AuditError::Io`].
    pub fn torn_at(&mut self, frame: &[u8; FRAME_BYTES]) -> Result<Option<u64>, AuditError> {
        let mut bytes = FRAME_BYTES as u64;
        let mut rest = [0; 4096];
        loop {
            let filled = fill(&mut self.reader, &mut rest).map_err(AuditError::io(&self.path))?;
            if frame.last() != Some(&0) || rest.iter().take(filled).any(|byte| *byte != 0) {
                return Ok(None);
            }
            bytes += filled as u64;
            if filled < rest.len() {
                return Ok(Some(bytes));
            }
        }
    }
}

/// The path of a segment.
pub(crate) fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.tga"))
}

/// Numbers of the segments in a folder, ascending. An absent folder has none.
pub(crate) fn numbers(folder: &Path) -> Result<Vec<u64>, AuditError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(AuditError::io(folder)(error)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(AuditError::io(folder))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".tga")?.parse().ok());
        // Only the one spelling of a number, or two files would be the same segment.
        let number = number.filter(|number| path_of(folder, *number).ends_with(&name));
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}
