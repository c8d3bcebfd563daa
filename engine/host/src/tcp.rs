//! One connection at a time to one address, read and written without waiting.
//!
//! Hot: [`TcpClient::receive`] makes one system call and allocates nothing.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};

use socket2::{Domain, Protocol, Socket, Type};

/// Bytes taken with one call.
const ROOM: usize = 256 << 10;
/// Bytes that may wait until the other end takes them.
const UNSENT_MAX: usize = 4 << 10;

/// A client that may be connected.
pub struct TcpClient {
    stream: Option<TcpStream>,
    /// The connection does not stand yet.
    opening: bool,
    room: Vec<u8>,
    unsent: Vec<u8>,
}

impl Default for TcpClient {
    fn default() -> TcpClient {
        TcpClient::new()
    }
}

impl TcpClient {
    /// A client that is not connected. All memory that it will ever use is taken here.
    pub fn new() -> TcpClient {
        let mut room = vec![0; ROOM];
        crate::prefault(&mut room);
        TcpClient { stream: None, opening: false, room, unsent: Vec::with_capacity(UNSENT_MAX) }
    }

    /// Begins to connect; [`TcpClient::has_opened`] says when it stands. What was connected before is closed.
    ///
    /// # Errors
    ///
    /// What the host says at once; nothing is connected then.
    pub fn connect(&mut self, address: SocketAddr) -> Result<()> {
        self.close();
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&address.into()) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
            _ => (self.stream, self.opening) = (Some(socket.into()), true),
        }
        Ok(())
    }

    /// Whether the connection that was begun stands since the last call: true once.
    ///
    /// # Errors
    ///
    /// Why it could not be made. It is closed then.
    #[inline]
    pub fn has_opened(&mut self) -> Result<bool> {
        if self.opening { self.look() } else { Ok(false) }
    }

    #[cold]
    fn look(&mut self) -> Result<bool> {
        let Some(stream) = &self.stream else { return Ok(false) };
        let failed = stream.take_error().and_then(|error| error.map_or(Ok(()), Err));
        match failed.and_then(|()| stream.peer_addr()) {
            Ok(_) => {
                self.opening = false;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
            Err(error) => {
                self.close();
                Err(error)
            }
        }
    }

    /// Closes the connection, if there is one.
    pub fn close(&mut self) {
        (self.stream, self.opening) = (None, false);
        self.unsent.clear();
    }

    /// Whether a connection stands that was not seen to end.
    pub fn is_connected(&self) -> bool {
        self.stream.is_some() && !self.opening
    }

    /// Whether nothing waits until the other end takes it.
    pub fn is_clear(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Takes what has come, hands it to `each` and says how much it was; zero: nothing. Does not wait.
    ///
    /// # Errors
    ///
    /// What the host says, [`ErrorKind::UnexpectedEof`] if the other end has closed the connection. It is
    /// closed then.
    pub fn receive(&mut self, each: impl FnOnce(&[u8])) -> Result<usize> {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.opening) else { return Ok(0) };
        match stream.read(&mut self.room) {
            Ok(0) => {
                self.close();
                Err(ErrorKind::UnexpectedEof.into())
            }
            Ok(count) => {
                each(self.room.get(..count).unwrap_or_default());
                Ok(count)
            }
            Err(error) if rests(&error) => Ok(0),
            Err(error) => {
                self.close();
                Err(error)
            }
        }
    }

    /// Sends bytes, behind what still waits. What the other end does not take now waits for the next call; of no bytes,
    /// for instance.
    ///
    /// # Errors
    ///
    /// What the host says, or that the other end takes nothing. The connection is closed then.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.opening) else { return Ok(()) };
        if self.unsent.len() + bytes.len() > UNSENT_MAX {
            self.close();
            return Err(ErrorKind::TimedOut.into());
        }
        self.unsent.extend_from_slice(bytes);
        if self.unsent.is_empty() {
            return Ok(());
        }
        let sent = match stream.write(&self.unsent) {
            Ok(0) => Err(Error::from(ErrorKind::WriteZero)),
            Err(error) if rests(&error) => Ok(0),
            sent => sent,
        };
        match sent {
            Ok(sent) => {
                self.unsent.drain(..sent.min(self.unsent.len()));
                Ok(())
            }
            Err(error) => {
                self.close();
                Err(error)
            }
        }
    }
}

fn rests(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Waits until the connection stands.
    fn opened(client: &mut TcpClient) -> Result<()> {
        while !client.has_opened()? {
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Goal: bytes go both ways without waiting, and the end of the other is seen once. Method: a listener of this
    /// machine; a port that nobody listens on.
    #[test]
    fn both_ways() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = TcpClient::new();
        assert_eq!(client.receive(|_| panic!()).unwrap(), 0);
        client.connect(address).unwrap();
        opened(&mut client).unwrap();
        assert!(client.is_connected() && !client.has_opened().unwrap());
        let (mut server, _) = listener.accept().unwrap();
        assert_eq!(client.receive(|_| panic!()).unwrap(), 0);
        client.send(b"hello").unwrap();
        let mut room = [0; 5];
        server.read_exact(&mut room).unwrap();
        assert_eq!(&room, b"hello");
        server.write_all(b"world").unwrap();
        let mut heard = Vec::new();
        while heard.len() < 5 {
            client.receive(|bytes| heard.extend_from_slice(bytes)).unwrap();
        }
        assert_eq!(heard, b"world");
        drop(server);
        let error = loop {
            match client.receive(|_| panic!()) {
                Ok(_) => std::thread::yield_now(),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert!(!client.is_connected() && client.send(b"x").is_ok());
        drop(listener);
        let refused = client.connect(address).and_then(|()| opened(&mut client));
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert!(!client.is_connected() && !client.has_opened().unwrap());
    }
}
