//! A text of any bytes: its lines are those that splitting at line feeds gives, until one is too long.
#![no_main]

use feeds::source::{Direction, LineSource, SourceCause};
use libfuzzer_sys::fuzz_target;

/// Short, so that the limit is met.
const MAX: usize = 48;

fuzz_target!(|bytes: &[u8]| {
    let mut source = LineSource::with_line_max(bytes, MAX as u32);
    let mut offset = 0;
    for piece in bytes.split(|byte| *byte == b'\n') {
        let line = piece.strip_suffix(b"\r").unwrap_or(piece);
        if line.len() > MAX {
            let error = source.next_line().unwrap_err();
            assert_eq!(error.offset, offset);
            assert_eq!(error.cause, SourceCause::LineTooLong { max: MAX as u32 });
            assert_eq!(source.next_line(), Err(error));
            return;
        }
        if !line.is_empty() {
            let read = source.next_line().unwrap().unwrap();
            assert_eq!(read.offset, offset);
            match read.direction {
                Direction::Unmarked => assert_eq!((read.text, read.ts), (line, None)),
                Direction::Opened => assert!(read.text.is_empty() && read.ts.is_some()),
                _ => assert!(line.ends_with(read.text)),
            }
        }
        offset += piece.len() as u64 + 1;
    }
    assert_eq!(source.next_line(), Ok(None));
    assert_eq!(source.next_line(), Ok(None));
});
