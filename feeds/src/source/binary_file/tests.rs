use super::*;

/// Goal: frames of every size pass, across the edges of the buffer. Method: the largest frames among small
/// ones, enough to fill the buffer several times; each starts where the one before ended.
#[test]
fn frames_across_buffer_edges() {
    let lengths: Vec<u16> = (0..60).map(|n| [0xFFFF, 1, 40, 0xFFFE][n % 4]).collect();
    let mut bytes = Vec::new();
    for (n, length) in lengths.iter().enumerate() {
        bytes.extend(length.to_be_bytes());
        bytes.extend(std::iter::repeat_n(n as u8, usize::from(*length)));
    }
    let mut source = BinaryFile::from_reader(bytes.as_slice());
    let mut offset = 0;
    for (n, length) in lengths.iter().enumerate() {
        let frame = source.next_frame().unwrap().unwrap();
        assert_eq!((frame.offset, frame.bytes.len()), (offset, usize::from(*length)));
        assert!(frame.bytes.iter().all(|byte| *byte == n as u8));
        offset += u64::from(*length) + 2;
        assert_eq!(source.offset(), offset);
    }
    assert_eq!(source.next_frame(), Ok(None));
    assert!(source.missing_end());
    assert_eq!(source.buffer.len(), BUFFER_BYTES);
}

/// Goal: a source begins again as if it were new. Method: restart after an error, and after an end without
/// marker.
#[test]
fn restart_forgets() {
    let mut source = BinaryFile::from_reader(&[0, 0][..]);
    let error = SourceError { offset: 0, cause: SourceCause::ZeroAtStart };
    assert_eq!(source.next_frame(), Err(error));
    source.restart(&[0, 1, 7][..]);
    assert_eq!(source.next_frame(), Ok(Some(Frame { bytes: &[7], offset: 0 })));
    assert_eq!(source.next_frame(), Ok(None));
    assert!(source.missing_end());
    source.restart(&[0, 1, 8, 0, 0][..]);
    assert_eq!(source.next_frame(), Ok(Some(Frame { bytes: &[8], offset: 0 })));
    assert_eq!(source.next_frame(), Ok(None));
    assert!(!source.missing_end());
}
