//! One packet of any bytes: it is refused, or holds what it announces and is written back the same.
#![no_main]

use feeds::session::mold::{HEADER, Packet, PacketKind, PacketWriter, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(packet) = Packet::parse(bytes) {
        let header = packet.header();
        let length: usize = packet.messages().map(|message| 2 + message.len()).sum();
        assert_eq!(HEADER + length, bytes.len());
        assert_eq!(packet.messages().count(), header.messages().into());
        if header.kind() != PacketKind::End {
            let mut writer = PacketWriter::new(header.session, header.first, bytes.len());
            if bytes.len() <= feeds::session::mold::PACKET_MAX {
                assert!(packet.messages().all(|message| writer.push(message)));
                assert_eq!(writer.packet(), bytes);
            }
        }
    }
    if let Ok(request) = Request::parse(bytes) {
        assert_eq!(request.to_bytes(), bytes);
    }
});
