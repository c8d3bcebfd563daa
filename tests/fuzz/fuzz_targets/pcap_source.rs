//! A capture of any bytes: it comes to an end or to an error that stays, hands out no more than it was given,
//! and says the same whether its bytes come at once or one at a time.
#![no_main]

use std::io::Read;

use feeds::source::frame::FrameCounts;
use feeds::source::{PcapCounts, PcapSource, SourceError};
use libfuzzer_sys::fuzz_target;

/// Packets and their bytes, counts, and the last word.
type Outcome = (u64, usize, PcapCounts, FrameCounts, Result<(), SourceError>);

fn read(reader: impl Read, most: usize) -> Outcome {
    let mut source = PcapSource::from_reader(reader);
    let (mut packets, mut bytes, mut frames) = (0, 0, FrameCounts::default());
    let outcome = loop {
        match source.next_packet() {
            Ok(Some(packet)) => {
                packets += 1;
                bytes += packet.bytes.len();
                let payload = frames.decode(&packet).map_or(0, |datagram| datagram.payload.len());
                assert!(payload <= packet.bytes.len());
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
        assert!(bytes <= most && packets <= most as u64, "more than there is");
    };
    assert_eq!(source.next_packet(), outcome.map(|()| None));
    let counts = source.counts();
    assert_eq!(counts.packets, packets);
    assert_eq!(frames.datagrams + frames.rejected(), packets);
    (packets, bytes, counts, frames, outcome)
}

/// Gives one byte at a time.
struct Drops<'a>(&'a [u8]);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}

fuzz_target!(|bytes: &[u8]| {
    let whole = read(bytes, bytes.len());
    assert_eq!(whole, read(Drops(bytes), bytes.len()));
    if let Err(error) = whole.4 {
        assert!(error.offset <= bytes.len() as u64);
    }
});
