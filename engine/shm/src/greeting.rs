//! What is said on the attach socket: one packet each way at a time.
//!
//! ```text
//! client                             engine
//!   attach                ──►
//!                         ◄──  header, desk, lease; descriptors of pages and desk
//!                                       (desk "none" and no descriptors: all are leased)
//!   (maps both) mapped    ──►
//!                         ◄──  open         the desk is sealed; leased until the connection ends
//!
//!   halt REASON           ──►                           an operator; no lease
//!                         ◄──  ok
//! ```

use core::mem::MaybeUninit;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, send, sendmsg,
};

use crate::header::{BadHeader, Header};

/// Asks for a desk.
pub(crate) const ATTACH: &str = "attach";
/// The client has mapped what it was given.
pub(crate) const MAPPED: &str = "mapped";
/// The lease has begun.
pub(crate) const OPEN: &str = "open";
/// An operator's halt; a reason may follow.
pub(crate) const HALT: &str = "halt";
/// The command was taken.
pub(crate) const OK: &str = "ok";
/// Longest packet of text.
pub(crate) const TEXT_MAX: usize = 256;

/// Stands for a desk when there is none.
const NO_DESK: u64 = u64::MAX;
const WORDS: usize = Header::WORDS + 2;

/// The engine's answer to `attach`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Greeting {
    pub(crate) header: Header,
    /// Desk and number of the lease; `None`: every desk is leased.
    pub(crate) desk: Option<(u8, u64)>,
}

impl Greeting {
    pub(crate) fn send(&self, socket: impl AsFd, files: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        let (desk, lease) = self.desk.map_or((NO_DESK, 0), |(desk, lease)| (desk.into(), lease));
        let words = self.header.to_words().into_iter().chain([desk, lease]);
        let bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !files.is_empty() && !control.push(SendAncillaryMessage::ScmRights(files)) {
            return Err(Errno::INVAL);
        }
        sendmsg(socket, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL).map(drop)
    }

    /// Receives a greeting and its descriptors.
    pub(crate) fn receive(
        socket: impl AsFd,
    ) -> Result<(Result<Greeting, BadHeader>, Vec<OwnedFd>), Errno> {
        let mut bytes = [0; WORDS * 8];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut buffers = [IoSliceMut::new(&mut bytes)];
        let received = recvmsg(socket, &mut buffers, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        if received.bytes == 0 {
            return Err(Errno::CONNRESET);
        }
        let mut files = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                files.extend(descriptors);
            }
        }
        // A greeting of another build may be shorter: what is missing reads as zero and the version
        // tells.
        let (chunks, _) = bytes.as_chunks::<8>();
        let mut words = chunks.iter().map(|chunk| u64::from_le_bytes(*chunk));
        let header = core::array::from_fn(|_| words.next().unwrap_or(0));
        let mut word = || words.next().unwrap_or(0);
        let (desk, lease) = (word(), word());
        let desk = u8::try_from(desk).ok().map(|desk| (desk, lease));
        Ok((Header::from_words(&header).map(|header| Greeting { header, desk }), files))
    }
}

/// Sends a line of text.
pub(crate) fn say(socket: impl AsFd, text: &str) -> Result<(), Errno> {
    send(socket, text.as_bytes(), SendFlags::NOSIGNAL).map(drop)
}

/// Receives a line of text; empty when the other side has hung up.
pub(crate) fn hear(socket: impl AsFd) -> Result<String, Errno> {
    let mut bytes = [0; TEXT_MAX];
    let (length, _) = rustix::net::recv(socket, &mut bytes[..], RecvFlags::empty())?;
    Ok(String::from_utf8_lossy(bytes.get(..length).unwrap_or_default()).trim_end().to_owned())
}
