//! The rows of the table.
//!
//! How to add one: write `row/<name>.rs` after `row/itch_parse.rs`, which is the smallest; give it a line in [`ROWS`].
//! How to add a rival to one: give its crate a line and a feature in Cargo.toml, and a line in the `rivals` of its
//! row; where there is anything to compare, hand out what it found as the `sum` of its rounds.

mod depth_json;
mod indicators;
mod itch_parse;
mod l3_book;
mod mcp;
mod risk_gate;
mod shared_page;
mod spsc_hop;

use std::process::ExitCode;

use crate::contest::Outcome;
use crate::setting::Setting;

/// The first so many of framed messages.
fn bytes_of(bytes: &[u8], messages: usize) -> &[u8] {
    let length = benches::frames(bytes).take(messages).map(|message| message.len() + 2).sum();
    bytes.get(..length).unwrap_or(bytes)
}

/// A row: work that several libraries do, in one or more contests.
pub struct Row {
    /// Its name on the command line.
    pub name: &'static str,
    /// What the work is.
    pub what: &'static str,
    /// Does it.
    pub run: fn(&Setting) -> Vec<Outcome>,
}

/// All of them.
pub const ROWS: [Row; 8] = [
    Row { name: "itch_parse", what: "ITCH 5.0 bytes to fields", run: itch_parse::run },
    Row {
        name: "l3_book",
        what: "order books, order by order, and their best prices",
        run: l3_book::run,
    },
    Row {
        name: "depth_json",
        what: "Binance depth updates, text to levels and to a book",
        run: depth_json::run,
    },
    Row { name: "spsc_hop", what: "64 bytes from one thread to another", run: spsc_hop::run },
    Row {
        name: "shared_page",
        what: "a page in shared memory, from one process to another",
        run: shared_page::run,
    },
    Row {
        name: "indicators",
        what: "moving average and relative strength of trade prices",
        run: indicators::run,
    },
    Row {
        name: "risk_gate",
        what: "pre-trade checks of an order that passes",
        run: risk_gate::run,
    },
    Row { name: "mcp", what: "one MCP tool called over standard input and output", run: mcp::run },
];

/// The contender of a rival whose feature is on; else a line that says that it was not built.
macro_rules! rival {
    ($feature:tt, $package:literal, $contender:expr) => {{
        #[cfg(feature = $feature)]
        let contender = $contender;
        #[cfg(not(feature = $feature))]
        let contender = $crate::contest::Contender::not_built($package);
        contender
    }};
}
use rival;

/// What the program does when a row has started it as the other process of a pair; `None`: it was not.
pub fn as_partner() -> Option<ExitCode> {
    shared_page::as_partner()
}
