//! `[[feed]]` of `engine.toml`: where market data comes from.

use std::path::{Path, PathBuf};

use feeds::Date;

use crate::feed_books::BookKind;

use super::table::{ConfigErrors, Table};

/// At which pace a file is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// As fast as it goes.
    Max,
    /// Recorded time times this, in thousandths: 1000 is its own pace.
    Times(u64),
}

/// A feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedConfig {
    /// Captures, played in turn.
    pub files: Vec<PathBuf>,
    /// Day of the first message.
    pub date: Date,
    /// At which pace.
    pub speed: Speed,
    /// Whether to start over, as a new day, when the last file ends.
    pub repeat: bool,
    /// Silence after which every book of the feed is stale.
    pub silence_ns: u64,
}

impl Speed {
    /// Reads `max` or a factor such as `1` or `2.5`, in thousandths exactly.
    pub fn parse(text: &str) -> Option<Speed> {
        if text == "max" {
            return Some(Speed::Max);
        }
        let thousandths = model::parse_decimal(text, 3).ok()?;
        u64::try_from(thousandths).ok().filter(|t| *t > 0).map(Speed::Times)
    }
}

impl std::fmt::Display for Speed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Speed::Max => f.write_str("max"),
            Speed::Times(thousandths) => {
                model::Scaled { value: thousandths.into(), decimals: 3 }.fmt(f)
            }
        }
    }
}

impl FeedConfig {
    /// How its venue tells its books.
    pub fn books(&self) -> BookKind {
        BookKind::Orders
    }

    /// The text that reads back as this feed.
    pub(super) fn to_toml(&self) -> String {
        let files: Vec<_> =
            self.files.iter().map(|file| format!("{:?}", file.to_string_lossy())).collect();
        format!(
            "\n[[feed]]\nvenue = \"nasdaq_itch\"\nfiles = [{}]\ndate = \"{}\"\nspeed = \"{}\"\n\
             repeat = {}\nsilence_ms = {}\n",
            files.join(", "),
            self.date,
            self.speed,
            self.repeat,
            self.silence_ns / 1_000_000,
        )
    }
}

/// Reads one table.
pub(super) fn read(
    mut table: Table<'_>,
    folder: &Path,
    errors: &mut ConfigErrors,
) -> Option<FeedConfig> {
    table.choice("venue", &[("nasdaq_itch", ())], errors);
    let files = table.texts("files", errors);
    let date = table.text_or("date", "1970-01-01", errors);
    let date = date.and_then(|text| {
        let date = text.parse::<Date>();
        date.inspect_err(|error| table.error(format!("`date`: `{text}` is {error}"), errors)).ok()
    });
    let speed = table.text_or("speed", "1", errors);
    let speed = speed.and_then(|text| {
        let speed = Speed::parse(&text);
        if speed.is_none() {
            let text = format!(
                "`speed` must be \"max\" or a factor such as \"1\" or \"2.5\", not `{text}`"
            );
            table.error(text, errors);
        }
        speed
    });
    let repeat = table.flag_or("repeat", false, errors);
    let silence_ms = table.number_or("silence_ms", 5_000, 1, 86_400_000, errors);
    table.finish(errors);
    Some(FeedConfig {
        files: files?.iter().map(|file| folder.join(file)).collect(),
        date: date?,
        speed: speed?,
        repeat: repeat?,
        silence_ns: silence_ms? * 1_000_000,
    })
}
