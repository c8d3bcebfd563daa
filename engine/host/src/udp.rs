//! Datagrams, many with one system call, each with the kernel's receive time.
//!
//! Hot: [`UdpReceiver::receive`] makes one system call and allocates nothing.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Datagrams taken with one call.
const BATCH: usize = 32;
/// Room for each: the largest that IPv4 carries.
const DATAGRAM_MAX: usize = 65_536;
/// Room for the ancillary data of each: a time and a drop counter, aligned.
const CONTROL_WORDS: usize = 16;

/// How a socket is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UdpOptions {
    /// Address and port to receive on. A multicast group is joined.
    pub bind: SocketAddr,
    /// The interface to join a group on; unspecified: the kernel's choice.
    pub interface: Ipv4Addr,
    /// Bytes that the kernel buffers; as many as it allows, up to this. See [`UdpReceiver::receive_buffer`].
    pub receive_buffer: usize,
    /// Microseconds that a call polls the device before it gives up (SO_BUSY_POLL); zero: not at all.
    pub busy_poll_us: u32,
}

/// One datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Its payload.
    pub bytes: &'a [u8],
    /// When the kernel received it, nanoseconds since the UNIX epoch; `None` if it did not say.
    pub received_ns: Option<u64>,
}

/// A socket that receives in batches.
pub struct UdpReceiver {
    socket: UdpSocket,
    arena: Vec<u8>,
    control: Vec<[u64; CONTROL_WORDS]>,
    dropped: u32,
}

impl UdpReceiver {
    /// Datagrams that one call takes, at most; where it took as many, more may wait.
    pub const BATCH: usize = BATCH;

    /// Opens a socket and takes all memory that it will ever use.
    ///
    /// # Errors
    ///
    /// What the host says: the address is taken or not ours, or the group cannot be joined.
    pub fn bind(options: &UdpOptions) -> io::Result<UdpReceiver> {
        let socket =
            Socket::new(Domain::for_address(options.bind), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_reuse_address(options.bind.ip().is_multicast())?;
        grow_buffer(&socket, options.receive_buffer)?;
        socket.bind(&options.bind.into())?;
        match options.bind.ip() {
            IpAddr::V4(group) if group.is_multicast() => {
                socket.join_multicast_v4(&group, &options.interface)?;
            }
            IpAddr::V6(group) if group.is_multicast() => socket.join_multicast_v6(&group, 0)?,
            _ => {}
        }
        socket.set_nonblocking(true)?;
        set_option(&socket, libc::SO_TIMESTAMPNS, 1)?;
        set_option(&socket, libc::SO_RXQ_OVFL, 1)?;
        if options.busy_poll_us > 0 {
            set_option(&socket, libc::SO_BUSY_POLL, options.busy_poll_us as libc::c_int)?;
        }
        let mut arena = vec![0; BATCH * DATAGRAM_MAX];
        crate::prefault(&mut arena);
        let control = vec![[0; CONTROL_WORDS]; BATCH];
        Ok(UdpReceiver { socket: socket.into(), arena, control, dropped: 0 })
    }

    /// Hears nothing but `peer` from here on, and sends to it: datagrams of others the kernel discards. What came before is
    /// discarded too.
    ///
    /// # Errors
    ///
    /// What the host says: there is no way to that address.
    pub fn connect(&mut self, peer: SocketAddr) -> io::Result<()> {
        self.socket.connect(peer)?;
        while self.receive(|_| ())? > 0 {}
        Ok(())
    }

    /// Takes the datagrams that wait, [`BATCH`] at the most, and hands each to `each`; how many there were. Does not wait.
    ///
    /// # Errors
    ///
    /// What the host says; nothing to take is no error.
    #[inline]
    pub fn receive(&mut self, mut each: impl FnMut(Datagram<'_>)) -> io::Result<usize> {
        // SAFETY: all-zero bytes are a legal value of these plain C structures.
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { zeroed() };
        // SAFETY: as above.
        let mut pieces: [libc::iovec; BATCH] = unsafe { zeroed() };
        let rooms = self.arena.chunks_exact_mut(DATAGRAM_MAX).zip(&mut self.control);
        for ((header, piece), (room, control)) in headers.iter_mut().zip(&mut pieces).zip(rooms) {
            piece.iov_base = room.as_mut_ptr().cast();
            piece.iov_len = DATAGRAM_MAX;
            header.msg_hdr.msg_iov = piece;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = control.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = size_of::<[u64; CONTROL_WORDS]>();
        }
        // SAFETY: every header points to one piece and one control buffer of the lengths given, all of which outlive the
        // call and none of which is shared.
        let count = unsafe {
            libc::recvmmsg(
                self.socket.as_raw_fd(),
                headers.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            let nothing = [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
            return if nothing.contains(&error.kind()) { Ok(0) } else { Err(error) };
        };
        let rooms = self.arena.chunks_exact(DATAGRAM_MAX);
        for (header, room) in headers.iter().take(count).zip(rooms) {
            let Ancillary { received_ns, dropped } = ancillary(&header.msg_hdr);
            self.dropped = dropped.unwrap_or(self.dropped);
            let bytes = room.get(..header.msg_len as usize).unwrap_or(room);
            each(Datagram { bytes, received_ns });
        }
        Ok(count)
    }

    /// Datagrams that the kernel dropped because its buffer was full, as far as the last datagram told.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Bytes that the kernel does buffer: fewer than were asked for if its limit (net.core.rmem_max) is lower and this
    /// process may not pass it. It counts what a datagram takes of its memory, some hundred bytes above its length.
    ///
    /// # Errors
    ///
    /// What the host says.
    pub fn receive_buffer(&self) -> io::Result<usize> {
        granted(&SockRef::from(&self.socket))
    }

    /// The socket, to send by.
    pub fn socket(&self) -> &UdpSocket {
        &self.socket
    }
}

#[derive(Default)]
struct Ancillary {
    received_ns: Option<u64>,
    dropped: Option<u32>,
}

/// What the kernel said beside a datagram.
fn ancillary(header: &libc::msghdr) -> Ancillary {
    let mut found = Ancillary::default();
    // SAFETY: the kernel filled the control buffer of this header and set its length; the macros walk it within that length.
    let mut place = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !place.is_null() {
        // SAFETY: not null, so it points to a whole control header within the buffer.
        let (level, kind, len) =
            unsafe { ((*place).cmsg_level, (*place).cmsg_type, (*place).cmsg_len) };
        // SAFETY: the data of a control header follows it.
        let data = unsafe { libc::CMSG_DATA(place) };
        let has = |size: usize| {
            // SAFETY: arithmetic on sizes alone.
            len >= unsafe { libc::CMSG_LEN(size as u32) } as usize
        };
        if level == libc::SOL_SOCKET
            && kind == libc::SCM_TIMESTAMPNS
            && has(size_of::<libc::timespec>())
        {
            // SAFETY: as many bytes are there; the read does not depend on alignment.
            let time = unsafe { data.cast::<libc::timespec>().read_unaligned() };
            let (seconds, ns) = (time.tv_sec.cast_unsigned(), time.tv_nsec.cast_unsigned());
            found.received_ns = seconds.checked_mul(1_000_000_000).and_then(|s| s.checked_add(ns));
        }
        if level == libc::SOL_SOCKET && kind == libc::SO_RXQ_OVFL && has(size_of::<u32>()) {
            // SAFETY: as many bytes are there; the read does not depend on alignment.
            found.dropped = Some(unsafe { data.cast::<u32>().read_unaligned() });
        }
        // SAFETY: `place` came from this header.
        place = unsafe { libc::CMSG_NXTHDR(header, place) };
    }
    found
}

/// Asks for the buffer; beyond the host's limit as whoever administers it, if this process does.
fn grow_buffer(socket: &Socket, bytes: usize) -> io::Result<()> {
    socket.set_recv_buffer_size(bytes)?;
    if granted(socket)? < bytes {
        // Refused to all others, who keep what they got.
        let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
        let _ = set_option(socket, libc::SO_RCVBUFFORCE, bytes);
    }
    Ok(())
}

/// The kernel doubles what it is asked for, to allow for its own records, and tells the double.
fn granted(socket: &Socket) -> io::Result<usize> {
    Ok(socket.recv_buffer_size()? / 2)
}

fn set_option(socket: &Socket, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: the value is a live integer of the length given.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            std::ptr::from_ref(&value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(bind: SocketAddr) -> UdpOptions {
        let interface = Ipv4Addr::LOCALHOST;
        UdpOptions { bind, interface, receive_buffer: 1 << 16, busy_poll_us: 0 }
    }

    fn receive(receiver: &mut UdpReceiver, count: usize) -> Vec<(Vec<u8>, Option<u64>)> {
        let mut got = Vec::new();
        for _ in 0..10_000 {
            receiver.receive(|d| got.push((d.bytes.to_vec(), d.received_ns))).unwrap();
            if got.len() >= count {
                break;
            }
            std::thread::sleep(std::time::Duration::from_micros(100));
        }
        got
    }

    /// Goal: datagrams arrive whole, in order, stamped; an empty one too; none is no error. Method: loopback, more than one
    /// batch, the largest.
    #[test]
    fn datagrams_arrive_whole() {
        let mut receiver = UdpReceiver::bind(&options("127.0.0.1:0".parse().unwrap())).unwrap();
        assert_eq!(receiver.receive(|_| panic!("nothing was sent")).unwrap(), 0);
        let to = receiver.socket().local_addr().unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sent: Vec<Vec<u8>> = (0..3 * BATCH).map(|n| vec![n as u8; n]).collect();
        for bytes in &sent {
            sender.send_to(bytes, to).unwrap();
        }
        let got = receive(&mut receiver, sent.len());
        assert!(got.iter().map(|(bytes, _)| bytes).eq(&sent));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let now = now.as_nanos() as u64;
        let recent = |ns: &Option<u64>| ns.is_some_and(|ns| now.abs_diff(ns) < 60_000_000_000);
        assert!(got.iter().all(|(_, received)| recent(received)));
        sender.send_to(&vec![7; 65_507], to).unwrap();
        assert_eq!(receive(&mut receiver, 1)[0].0.len(), 65_507);
    }

    /// Goal: a connected socket hears its peer and nobody else, not even who wrote before. Method: a stranger that writes
    /// before and after, between two datagrams of the peer.
    #[test]
    fn strangers_are_not_heard() {
        let mut receiver = UdpReceiver::bind(&options("127.0.0.1:0".parse().unwrap())).unwrap();
        let to = receiver.socket().local_addr().unwrap();
        let [peer, stranger] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        stranger.send_to(b"before", to).unwrap();
        receiver.connect(peer.local_addr().unwrap()).unwrap();
        peer.send_to(b"first", to).unwrap();
        stranger.send_to(b"after", to).unwrap();
        peer.send_to(b"second", to).unwrap();
        let got: Vec<_> = receive(&mut receiver, 2).into_iter().map(|(bytes, _)| bytes).collect();
        assert_eq!(got, [b"first".to_vec(), b"second".to_vec()]);
        assert_eq!(receiver.receive(|_| panic!("nobody else")).unwrap(), 0);
        receiver.socket().send(b"asked").unwrap();
        assert_eq!(peer.recv(&mut [0; 8]).unwrap(), 5);
    }

    /// Goal: what the kernel had to drop is counted. Method: send more than its buffer holds, take all, send one more.
    #[test]
    fn drops_are_counted() {
        let mut small = options("127.0.0.1:0".parse().unwrap());
        small.receive_buffer = 4096;
        let mut receiver = UdpReceiver::bind(&small).unwrap();
        let to = receiver.socket().local_addr().unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..1000 {
            sender.send_to(&[0; 1000], to).unwrap();
        }
        let mut got = 0;
        while receiver.receive(|_| got += 1).unwrap() > 0 {}
        sender.send_to(b"one more", to).unwrap();
        got += receive(&mut receiver, 1).len();
        assert!(receiver.dropped() > 0);
        assert_eq!(got as u64 + u64::from(receiver.dropped()), 1001);
    }

    /// Goal: what is said of the buffer is what the kernel gives. Method: a small one; then one beyond the host's limit, which
    /// is granted to whoever administers the host, and cut to the limit for all others.
    #[test]
    fn the_buffer_is_what_it_is_said_to_be() {
        let given = |bytes| {
            let bind = "127.0.0.1:0".parse().unwrap();
            let options = UdpOptions { receive_buffer: bytes, ..options(bind) };
            UdpReceiver::bind(&options).unwrap().receive_buffer().unwrap()
        };
        assert_eq!(given(1 << 16), 1 << 16);
        let limit = std::fs::read_to_string("/proc/sys/net/core/rmem_max").unwrap();
        let limit: usize = limit.trim().parse().unwrap();
        let beyond = 2 * limit;
        assert!([limit, beyond].contains(&given(beyond)), "{} of {beyond}", given(beyond));
    }

    /// Goal: a group is joined on the interface told. Method: multicast on loopback, where the host has it.
    #[test]
    fn multicast_is_joined() {
        let group: SocketAddr = "239.255.77.1:0".parse().unwrap();
        let mut receiver = match UdpReceiver::bind(&options(group)) {
            Ok(receiver) => receiver,
            Err(error) => return eprintln!("SKIPPED: no multicast on loopback: {error}"),
        };
        let port = receiver.socket().local_addr().unwrap().port();
        let sender = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
        sender.set_multicast_if_v4(&Ipv4Addr::LOCALHOST).unwrap();
        let to: SocketAddr = (Ipv4Addr::new(239, 255, 77, 1), port).into();
        if let Err(error) = sender.send_to(b"group", &to.into()) {
            return eprintln!("SKIPPED: no multicast on loopback: {error}");
        }
        assert_eq!(receive(&mut receiver, 1)[0].0, b"group");
    }
}
