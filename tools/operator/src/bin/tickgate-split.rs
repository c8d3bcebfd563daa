//! `tickgate-split`: splits an instrument in the books. Needs a named operator, a reason, and the operator's passphrase.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use operator::args::Which;
use operator::books::{Who, say};
use operator::exit::end;
use switch::Entry;

/// Splits every instrument of a symbol: each position becomes NEW units for OLD ones, of which it must stay a whole number. No
/// money moves.
///
/// Refused while the venue trades it or orders work in it. Its book is not believed until the feed builds it again, and limits in
/// units stay as they are written: revise them, then `tickgate reload`. The passphrase is asked for at the terminal, always.
#[derive(Parser)]
#[command(
    name = "tickgate-split",
    version,
    after_help = "Examples:\n  \
    tickgate split AAPL 4:1 --dry-run\n  \
    tickgate split AAPL 4:1 --operator ann --reason \"four for one\"\n  \
    tickgate split XYZ 1:10 --operator ann --reason \"one for ten\" --json\n\
    Exit codes: 0 split (or, with --dry-run, would be), 2 usage, 4 no engine, 5 refused."
)]
struct Cli {
    /// Which.
    symbol: String,
    /// New units for so many old ones.
    #[arg(value_name = "NEW:OLD", value_parser = ratio)]
    ratio: (u32, u32),
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    who: Who,
}

fn main() -> ExitCode {
    let Cli { symbol, ratio: (num, den), which, who } = Cli::parse();
    end("tickgate-split", say(&which, &Entry::Split { symbol, num, den }, who))
}

fn ratio(text: &str) -> Result<(u32, u32), String> {
    let part = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
    let read = text.split_once(':').and_then(|(new, old)| Some((part(new)?, part(old)?)));
    read.ok_or_else(|| "two whole numbers above zero, such as 4:1".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a ratio is two numbers above zero. Method: one that is, and near misses.
    #[test]
    fn ratios_are_two_numbers() {
        assert_eq!(ratio("4:1"), Ok((4, 1)));
        assert_eq!(ratio("1:4294967295"), Ok((1, u32::MAX)));
        for bad in ["4", "4:", ":1", "0:1", "1:0", "4:1:1", "1.5:1", "4294967296:1", "-4:1"] {
            assert!(ratio(bad).is_err(), "{bad}");
        }
    }
}
