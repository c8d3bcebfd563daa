//! One client of the stream.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::{Shared, Speaker};
use crate::crypto::session::{Frame, SessionId};

/// How often frames that are due are looked for.
const LOOK: Duration = Duration::from_millis(1);
/// Longest text of a client.
const TEXT_MAX: usize = 64 << 10;
/// Time for a client to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(5);

pub async fn serve<S: Speaker>(shared: Arc<Shared<S>>, client: TcpStream) {
    let _ = client.set_nodelay(true);
    let now = shared.clock.now();
    let Some(session) = shared.speaker().open(now) else { return };
    let config = WebSocketConfig::default()
        .max_message_size(Some(TEXT_MAX))
        .max_frame_size(Some(TEXT_MAX))
        .max_write_buffer_size(32 << 20);
    let shake = tokio_tungstenite::accept_async_with_config(client, Some(config));
    if let Ok(Ok(socket)) = tokio::time::timeout(HANDSHAKE, shake).await {
        converse(&shared, session, socket).await;
    }
    shared.speaker().close(session);
}

async fn converse<S: Speaker>(
    shared: &Shared<S>,
    session: SessionId,
    mut socket: WebSocketStream<TcpStream>,
) {
    while !shared.over.load(Ordering::Relaxed) {
        loop {
            let frame = shared.speaker().poll(session, shared.clock.now());
            let message = match frame {
                None => break,
                Some(Frame::Text(text)) => Message::text(&*text),
                Some(Frame::Oversize(bytes)) => Message::text(" ".repeat(bytes)),
                Some(Frame::Ping) => Message::Ping(Vec::new().into()),
                Some(Frame::Close) => return,
            };
            if socket.feed(message).await.is_err() {
                return;
            }
        }
        if socket.flush().await.is_err() {
            return;
        }
        match tokio::time::timeout(LOOK, socket.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => {
                shared.speaker().on_text(session, &text, shared.clock.now());
            }
            Ok(Some(Ok(_))) | Err(_) => {}
            Ok(Some(Err(_)) | None) => return,
        }
    }
}
