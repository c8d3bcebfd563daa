//! WebSocket and REST transport of the crypto venues.
#![forbid(unsafe_code)]
