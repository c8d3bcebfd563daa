//! A frame of any bytes on any link: a datagram whose payload lies in the frame, or an error in the frame; and
//! what follows the payload changes nothing.
#![no_main]

use feeds::source::LinkType;
use feeds::source::frame::{FrameCause, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some(([high, low], frame)) = input.split_first_chunk::<2>() else { return };
    let link = LinkType(u16::from_be_bytes([*high, *low]));
    let length = frame.len() as u32;
    let short = decode(link, frame, length + 1).unwrap_err();
    assert_eq!(short.cause, FrameCause::Snapped { need: length + 1, got: length });
    match decode(link, frame, length) {
        Ok(datagram) => {
            let from = datagram.payload.as_ptr() as usize - frame.as_ptr() as usize;
            assert!(from + datagram.payload.len() <= frame.len());
            assert_eq!(datagram.src.is_ipv4(), datagram.dst.is_ipv4());
            let trailed = [frame, &[0xA5; 20]].concat();
            assert_eq!(decode(link, &trailed, length + 20), Ok(datagram));
        }
        Err(error) => assert!(error.offset <= length),
    }
});
