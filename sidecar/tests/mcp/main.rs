//! The sidecar as a client meets it: the real binary on pipes, real shared memory, and an engine of
//! a few lines that the test itself runs.

mod agent;
mod attach;
mod engine;
mod list;
mod look;
mod orders;
mod wire;
