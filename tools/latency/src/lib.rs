//! How long the whole engine takes from a message to a verdict, and what of that figure this machine supports.
//!
//! Flow: a capture is read once to find the stretch to be measured ([`window`]) → each round is a process of its own in which
//! the real threads play the capture, that stretch in open loop ([`round`]) → both hot threads stamp each of its events and
//! meter their own hiccups ([`watch`], [`meter`]) → histograms of stages and ways ([`rows`]) → percentiles as far as samples
//! and hiccups support them ([`support`]) → the report as JSON, text and one HTML file, and its noise band ([`band`]).
//!
//! Must never: let a message wait for the threads and not count it, show a percentile that is the machine's, or decide what
//! is undisturbed by how fast it was.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod band;
mod chart;
pub mod html;
pub mod json;
pub mod machine;
pub mod meter;
pub mod report;
pub mod round;
pub mod rows;
pub mod subject;
pub mod support;
pub mod text;
pub mod watch;
pub mod window;
pub mod words;
