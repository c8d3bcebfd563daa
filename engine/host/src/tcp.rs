//! One connection at a time to one address, read and written without waiting.
//!
//! Hot: [`TcpClient::receive`] makes one system call and allocates nothing.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Bytes taken with one call.
const ROOM: usize = 256 << 10;
/// Bytes that may wait until the other end takes them.
const UNSENT_MAX: usize = 4 << 10;

/// A client that may be connected.
pub struct TcpClient {
    stream: Option<TcpStream>,
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
        TcpClient { stream: None, room, unsent: Vec::with_capacity(UNSENT_MAX) }
    }

    /// Connects, waiting at most so long. What was connected before is closed.
    ///
    /// # Errors
    ///
    /// What the host says; nothing is connected then.
    pub fn connect(&mut self, address: SocketAddr, within: Duration) -> Result<()> {
        self.close();
        let stream = TcpStream::connect_timeout(&address, within)?;
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        self.stream = Some(stream);
        Ok(())
    }

    /// Closes the connection, if there is one.
    pub fn close(&mut self) {
        self.stream = None;
        self.unsent.clear();
    }

    /// Whether there is a connection that was not seen to end.
    pub fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    /// Takes what has come, hands it to `each` and says how much it was; zero: nothing. Does not wait.
    ///
    /// # Errors
    ///
    /// What the host says, [`ErrorKind::UnexpectedEof`] if the other end has closed the connection. It is
    /// closed then.
    pub fn receive(&mut self, each: impl FnOnce(&[u8])) -> Result<usize> {
        let Some(stream) = &mut self.stream else { return Ok(0) };
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
        let Some(stream) = &mut self.stream else { return Ok(()) };
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

    /// Goal: bytes go both ways without waiting, and the end of the other is seen once. Method: a listener of this
    /// machine; a port that nobody listens on.
    #[test]
    fn both_ways() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = TcpClient::new();
        assert_eq!(client.receive(|_| panic!()).unwrap(), 0);
        client.connect(address, Duration::from_secs(5)).unwrap();
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
        assert!(client.connect(address, Duration::from_secs(5)).is_err());
        assert!(!client.is_connected());
    }
}
