//! One WebSocket.

use std::net::IpAddr;

use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// A WebSocket, over TLS unless it stays on this machine.
pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a WebSocket; `None`: refused, unreachable, or not allowed.
pub(crate) async fn open(url: String, text_max: usize) -> Option<Box<Socket>> {
    if !is_allowed(&url, "wss://", "ws://") {
        tracing::error!("{}: only wss:// leaves this machine", shown(&url));
        return None;
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(text_max))
        .max_frame_size(Some(text_max))
        .max_write_buffer_size(1 << 20);
    match tokio_tungstenite::connect_async_with_config(url.as_str(), Some(config), true).await {
        Ok((socket, _)) => Some(Box::new(socket)),
        Err(error) => {
            tracing::warn!("{}: {error}", shown(&url));
            None
        }
    }
}

/// Whether a URL may be opened: the encrypted scheme anywhere, the plain one on this machine.
pub(crate) fn is_allowed(url: &str, encrypted: &str, plain: &str) -> bool {
    let Some(rest) = url.strip_prefix(plain) else { return url.starts_with(encrypted) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or("");
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(""),
        None => authority.split(':').next().unwrap_or(""),
    };
    let is_near =
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    // Behind a user stands another host, which is the one that is connected to.
    is_near && !authority.contains('@')
}

/// A URL without what stands behind its path, and none that names a user: keys travel there.
fn shown(url: &str) -> &str {
    let shown = url.split(['?', '#']).next().unwrap_or("");
    if shown.contains('@') { "(address with a user)" } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: nothing unencrypted leaves this machine, however the address is written. Method: both kinds, and tricks.
    #[test]
    fn plain_stays_here() {
        for url in
            ["ws://127.0.0.1:9/x", "ws://localhost/", "ws://[::1]:80/", "wss://venue.example/"]
        {
            assert!(is_allowed(url, "wss://", "ws://"), "{url}");
        }
        for url in [
            "ws://venue.example/",
            "ws://127.0.0.1@venue.example/",
            "ws://127.0.0.1:1@127.0.0.2:38123/",
            "ws://[::1]@127.0.0.2:38123/",
            "ws://user@127.0.0.1/",
            "ws://localhost.venue.example/",
            "ws://10.0.0.1/",
            "http://127.0.0.1/",
            "",
        ] {
            assert!(!is_allowed(url, "wss://", "ws://"), "{url}");
        }
        assert_eq!(shown("wss://a.example/ws?key=secret"), "wss://a.example/ws");
        assert!(!shown("wss://user:secret@a.example/ws").contains("secret"));
    }
}
