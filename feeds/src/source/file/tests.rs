use std::io::{ErrorKind, Write};

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, ZipWriter};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// Text that neither fits one read nor is the same everywhere.
fn text() -> Vec<u8> {
    (0..100_000_u32)
        .flat_map(|n| format!("{n} {}\n", n.wrapping_mul(2_654_435_761)).into_bytes())
        .collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut zstd = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
    // Without it a damaged frame may decompress to something else.
    zstd.include_checksum(true).unwrap();
    zstd.write_all(bytes).unwrap();
    zstd.finish().unwrap()
}

/// A zip file of `files`, folders if their name ends in a slash.
fn zip(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in files {
        if name.ends_with('/') {
            zip.add_directory(*name, options).unwrap();
        } else {
            zip.start_file(*name, options).unwrap();
            zip.write_all(bytes).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

/// Opens `bytes` as a file whose name says nothing, or something wrong.
fn read(bytes: &[u8]) -> Result<std::io::Result<Vec<u8>>, SourceError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("day.gz");
    std::fs::write(&path, bytes).unwrap();
    let mut reader = FileReader::open(&path)?;
    let mut read = Vec::new();
    Ok(reader.read_to_end(&mut read).map(|_| read))
}

/// Goal: the content is the same whatever the compression, and the name does not matter.
/// Method: each of them, with several members and frames, a skippable frame first, and a folder beside the
/// file; then files shorter than any magic.
#[test]
fn all_kinds() {
    let text = text();
    let (first, second) = text.split_at(text.len() / 3);
    let skippable = [&[0x53, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &zstd(&text)].concat();
    let deflated = zip(&[("day/", &[]), ("day/file", &text)], CompressionMethod::Deflated);
    let kinds = [
        text.clone(),
        gzip(&text),
        [gzip(first), gzip(&[]), gzip(second)].concat(),
        zstd(&text),
        [zstd(first), zstd(&[]), zstd(second)].concat(),
        skippable,
        deflated,
        zip(&[("file", &text)], CompressionMethod::Stored),
    ];
    for (place, kind) in kinds.iter().enumerate() {
        assert!(read(kind).unwrap().unwrap() == text, "kind {place}");
    }
    for short in [&b""[..], b"P", b"PK\x03", &[0x28, 0xB5, 0x2F]] {
        assert_eq!(read(short).unwrap().unwrap(), short);
    }
}

/// Goal: a zip file that does not hold exactly one readable file says which rule it breaks.
/// Method: none, two, one that is encrypted, one of an unknown method, one without a directory.
#[test]
fn wrong_zips() {
    let refused = |bytes: &[u8]| read(bytes).unwrap_err().cause;
    let method = CompressionMethod::Deflated;
    assert_eq!(refused(&zip(&[], method)), SourceCause::ZipFiles { files: 0 });
    assert_eq!(refused(&zip(&[("a/", &[])], method)), SourceCause::ZipFiles { files: 0 });
    let two = refused(&zip(&[("a", b"1"), ("b", b"2")], method));
    assert_eq!(two, SourceCause::ZipFiles { files: 2 });
    assert_eq!(two.to_string(), "a zip file of 2 files: exactly one is read");

    let mut whole = zip(&[("a", b"12345")], CompressionMethod::Stored);
    assert_eq!(refused(&whole[..whole.len() - 30]), SourceCause::ZipDamaged);
    let directory = whole.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    // Flags and method, in the local header and in the directory.
    for (flags, method, cause) in
        [(1, 0, SourceCause::ZipEncrypted), (0, 97, SourceCause::ZipMethod)]
    {
        for header in [6, directory + 8] {
            (whole[header], whole[header + 2]) = (flags, method);
        }
        assert_eq!(refused(&whole), cause);
    }
}

/// Goal: content that differs from what the directory says is an error, not silence.
/// Method: change a byte of a stored file, then the length in the directory up and down.
#[test]
fn zip_content_is_checked() {
    let good = zip(&[("a", b"12345")], CompressionMethod::Stored);
    let directory = good.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    let content = good.windows(5).position(|five| five == b"12345").unwrap();
    for (at, by, kind) in [
        (content, 1, ErrorKind::InvalidData),
        (directory + 24, 1, ErrorKind::UnexpectedEof),
        (directory + 24, -1, ErrorKind::InvalidData),
    ] {
        let mut bytes = good.clone();
        bytes[at] = bytes[at].wrapping_add_signed(by);
        match read(&bytes) {
            Ok(read) => assert_eq!(read.unwrap_err().kind(), kind, "byte {at} by {by}"),
            Err(error) => assert_eq!(error.cause, SourceCause::ZipDamaged),
        }
    }
}

/// Goal: a compressed file that is cut off gives what is there, then `UnexpectedEof`; a damaged one another
/// error. Method: cut gzip and zstd in the middle and near the end; overwrite the middle.
#[test]
fn cut_and_damaged() {
    let text = text();
    for whole in [gzip(&text), zstd(&text)] {
        for cut in [whole.len() / 2, whole.len() - 1] {
            let error = read(&whole[..cut]).unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "cut at {cut}");
        }
        let mut damaged = whole.clone();
        let half = damaged.len() / 2;
        damaged[half..half + 64].fill(0xFF);
        let kind = read(&damaged).unwrap().map(|read| read.len()).map_err(|error| error.kind());
        assert!(matches!(kind, Err(kind) if kind != ErrorKind::UnexpectedEof), "{kind:?}");
    }
}

/// Goal: no compressed bytes make the reader panic or run on.
/// Method: flip every bit of the first and last bytes of small files of each kind.
#[test]
fn flipped_bits() {
    let text = b"1 {\"a\":1}\n".repeat(20);
    let kinds = [gzip(&text), zstd(&text), zip(&[("a", &text)], CompressionMethod::Deflated)];
    for whole in kinds {
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                if let Ok(Ok(read)) = read(&bytes) {
                    assert!(read.len() < 1 << 20);
                }
            }
        }
    }
}

/// Goal: a bomb is refused after what a reader accepts at most.
/// Method: 256 MiB of zeros in less than 64 KiB, read as lines.
#[test]
fn bomb() {
    let mut zstd = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
    let page = vec![0; 1 << 20];
    (0..256).for_each(|_| zstd.write_all(&page).unwrap());
    let bomb = zstd.finish().unwrap();
    assert!(bomb.len() < 1 << 16);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb");
    std::fs::write(&path, bomb).unwrap();
    let mut lines = crate::source::LineFile::open(&path).unwrap();
    let cause = SourceCause::LineTooLong { max: crate::source::LINE_MAX };
    assert_eq!(lines.next_line(), Err(SourceError { offset: 0, cause }), "one endless line");
}

/// Goal: a pipe is read like a file, except zip. Method: a named pipe that another thread fills.
#[cfg(unix)]
#[test]
fn pipes() {
    let text = text();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no mkfifo");
        return;
    }
    let through = |bytes: Vec<u8>| {
        let to = path.clone();
        // A reader that gives up breaks the pipe: that is its right.
        let writer = std::thread::spawn(move || std::fs::write(to, bytes).is_ok());
        let outcome = FileReader::open(&path).map(|mut reader| {
            let mut read = Vec::new();
            reader.read_to_end(&mut read).map(|_| read)
        });
        writer.join().unwrap();
        outcome
    };
    for kind in [text.clone(), gzip(&text), zstd(&text)] {
        assert!(through(kind).unwrap().unwrap() == text);
    }
    let refused = through(zip(&[("a", &text)], CompressionMethod::Stored)).err().unwrap();
    assert!(matches!(refused.cause, SourceCause::Read(_)), "{refused}");
}
