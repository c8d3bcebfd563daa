//! Servers that stall, flood, send too much or nothing: memory stays bounded, nothing hangs, and the feed connects anew.

mod bodies;
mod rig;
mod streams;
