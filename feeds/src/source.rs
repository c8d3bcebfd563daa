//! Where bytes come from. A source yields frames and knows nothing of their meaning.

mod binary_file;
mod file;

pub use binary_file::{BinaryFile, Frame, SourceCause, SourceError};
pub use file::{FileReader, FileSource};
