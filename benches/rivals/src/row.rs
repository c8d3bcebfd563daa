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

use benches::apart::pinned;

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
    /// Whether its thread stays on the first processor, and so whatever it starts there. Programs that work beside each other
    /// would share one then, with whoever speaks to them.
    pub is_pinned: bool,
    run: fn(&Setting) -> Vec<Outcome>,
}

impl Row {
    const fn pinned(
        name: &'static str,
        what: &'static str,
        run: fn(&Setting) -> Vec<Outcome>,
    ) -> Row {
        Row { name, what, is_pinned: true, run }
    }

    /// Does it.
    pub fn outcomes(&self, setting: &Setting) -> Vec<Outcome> {
        if self.is_pinned {
            pinned(setting.cpus[0], || (self.run)(setting))
        } else {
            (self.run)(setting)
        }
    }
}

/// All of them.
pub const ROWS: [Row; 8] = [
    Row::pinned("itch_parse", "ITCH 5.0 bytes to fields", itch_parse::run),
    Row::pinned("l3_book", "order books, order by order, and their best prices", l3_book::run),
    Row::pinned(
        "depth_json",
        "Binance depth updates, text to levels and to a book",
        depth_json::run,
    ),
    Row::pinned("spsc_hop", "64 bytes from one thread to another", spsc_hop::run),
    Row::pinned(
        "shared_page",
        "a page in shared memory, from one process to another",
        shared_page::run,
    ),
    Row::pinned(
        "indicators",
        "moving average and relative strength of trade prices",
        indicators::run,
    ),
    Row::pinned("risk_gate", "pre-trade checks of an order that passes", risk_gate::run),
    Row {
        name: "mcp",
        what: "one MCP tool called over standard input and output",
        is_pinned: false,
        run: mcp::run,
    },
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::Options;
    use crate::contest::Contest;

    /// Goal: a row that stays on a processor holds nobody to it that is started after it, and one that starts programs may run
    /// on all. Method: rows that tell by a title where they may run, the pinned one first.
    #[test]
    fn rows_that_stay_on_a_processor() {
        fn tell(setting: &Setting) -> Vec<Outcome> {
            let title = format!("{:?}", host::cpus());
            vec![Contest { title, unit: "", right: None, contenders: Vec::new() }.run(setting)]
        }
        let setting = Setting::new(&Options::parse_from(["rivals"]));
        let title = |row: &Row| row.outcomes(&setting).remove(0).title;
        let all = format!("{:?}", host::cpus());
        assert_eq!(title(&Row::pinned("", "", tell)), format!("{:?}", [setting.cpus[0]]));
        assert_eq!(title(&Row { is_pinned: false, ..Row::pinned("", "", tell) }), all);
        let free: Vec<&str> =
            ROWS.iter().filter(|row| !row.is_pinned).map(|row| row.name).collect();
        assert_eq!(free, ["mcp"]);
    }
}
