//! One client that asks for a body: as much of HTTP/1.1 as that takes.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Shared, Speaker};

/// Longest request.
const REQUEST_MAX: usize = 8 << 10;
/// Time for a client to ask, and longest that an answer is held back.
const PATIENCE: Duration = Duration::from_secs(20);

pub async fn serve<S: Speaker>(shared: Arc<Shared<S>>, mut client: TcpStream) {
    let Ok(Some(path)) = tokio::time::timeout(PATIENCE, path(&mut client)).await else { return };
    let answer = shared.speaker().get(&path, shared.clock.now());
    let late = shared.clock.until(answer.at);
    if late > PATIENCE {
        // It never comes: the client gives up first, or after so long.
        let mut rest = [0; 64];
        let _ = tokio::time::timeout(PATIENCE, client.read(&mut rest)).await;
        return;
    }
    tokio::time::sleep(late).await;
    let retry = if answer.status == 429 { "Retry-After: 1\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{retry}Connection: close\r\n\r\n",
        answer.status,
        if answer.status == 200 { "OK" } else { "Refused" },
        answer.body.len()
    );
    // A client that does not wait for the end is its own affair.
    let _ = client.write_all(head.as_bytes()).await;
    let _ = client.write_all(answer.body.as_bytes()).await;
    let _ = client.shutdown().await;
}

/// The path of a request; `None`: it is not one that is answered here.
async fn path(client: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut chunk = [0; 1_024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = client.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&chunk[..read]);
        if request.len() > REQUEST_MAX {
            return None;
        }
    }
    let line = std::str::from_utf8(&request).ok()?.lines().next()?.to_owned();
    let mut words = line.split(' ');
    match (words.next(), words.next(), words.next()) {
        (Some("GET"), Some(path), Some("HTTP/1.1")) => Some(path.to_owned()),
        _ => None,
    }
}
