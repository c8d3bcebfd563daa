//! `[[feed]]` of `engine.toml`: where market data comes from.

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use feeds::stream::StreamSymbol;
use feeds::{Date, Venue};

use crate::feed_books::BookKind;

use super::server::Server;
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
    /// The venue, and how it is heard.
    pub venue: Venue,
    /// Where its bytes come from.
    pub source: FeedSource,
    /// Silence after which every book of the feed is stale.
    pub silence_ns: u64,
}

/// Where a feed's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedSource {
    /// Files, at recorded time.
    Captures(Captures),
    /// Datagrams, as they come.
    Lines(Lines),
    /// Messages over a connection, as they come.
    Server(Server),
    /// Texts over WebSocket, as they come.
    Stream(Stream),
}

/// Files of one feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captures {
    /// Captures, played in turn.
    pub files: Vec<PathBuf>,
    /// Day of the first message, where the capture does not say; 1970-01-01: not told.
    pub date: Date,
    /// At which pace.
    pub speed: Speed,
    /// Whether to start over, as a new day, when the last file ends.
    pub repeat: bool,
    /// Symbols, where the files are texts of a venue: they do not say how many decimals their numbers may have.
    pub symbols: Vec<StreamSymbol>,
}

/// One or two lines that carry the same datagrams, and the services that make up for what both lose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// Addresses and ports to receive on; multicast groups are joined. One or two.
    pub lines: Vec<SocketAddr>,
    /// The interface to join groups on; 0.0.0.0: the kernel's choice.
    pub interface: Ipv4Addr,
    /// The re-request server.
    pub request: Option<SocketAddr>,
    /// The snapshot server.
    pub snapshot: Option<SnapshotServer>,
    /// Bytes that the kernel buffers for each line.
    pub receive_buffer: usize,
    /// Microseconds that a receive call polls the device.
    pub busy_poll_us: u32,
}

/// Symbols over one WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The symbols.
    pub symbols: Vec<StreamSymbol>,
    /// Levels a side to ask the venue for.
    pub depth: u16,
    /// Where to connect, instead of the venue's own address.
    pub ws_url: Option<String>,
    /// Where to ask for snapshots, instead of the venue's own address.
    pub rest_url: Option<String>,
}

/// A GLIMPSE server, and who asks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// At most 6 characters.
    pub user: String,
    /// Name of the environment variable that holds the password; none: a blank password.
    pub password_env: Option<String>,
    /// Whether its session bears the name of the lines' session, and is refused if it does not.
    pub same_session: bool,
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
        if self.venue.tells_orders() { BookKind::Orders } else { BookKind::Levels }
    }

    /// Its captures, if it has any.
    pub fn captures(&self) -> Option<&Captures> {
        match &self.source {
            FeedSource::Captures(captures) => Some(captures),
            FeedSource::Lines(_) | FeedSource::Server(_) | FeedSource::Stream(_) => None,
        }
    }

    /// Its captures, to change them.
    pub fn captures_mut(&mut self) -> Option<&mut Captures> {
        match &mut self.source {
            FeedSource::Captures(captures) => Some(captures),
            FeedSource::Lines(_) | FeedSource::Server(_) | FeedSource::Stream(_) => None,
        }
    }

    /// The text that reads back as this feed.
    pub(super) fn to_toml(&self) -> String {
        let source = match &self.source {
            FeedSource::Captures(captures) => captures.to_toml(),
            FeedSource::Lines(lines) => lines.to_toml(),
            FeedSource::Server(server) => server.to_toml(),
            FeedSource::Stream(stream) => stream.to_toml(),
        };
        let (venue, silence_ms) = (self.venue, self.silence_ns / 1_000_000);
        // Last, because it may end in tables of its own.
        format!("\n[[feed]]\nvenue = \"{venue}\"\nsilence_ms = {silence_ms}\n{source}")
    }
}

impl Captures {
    fn to_toml(&self) -> String {
        let files: Vec<_> =
            self.files.iter().map(|file| format!("{:?}", file.to_string_lossy())).collect();
        let Captures { date, speed, repeat, .. } = self;
        let files = files.join(", ");
        let text = format!(
            "files = [{files}]\ndate = \"{date}\"\nspeed = \"{speed}\"\nrepeat = {repeat}\n"
        );
        text + &symbols_to_toml(&self.symbols)
    }

    fn read(table: &mut Table<'_>, folder: &Path, errors: &mut ConfigErrors) -> Option<Captures> {
        let files = table.texts("files", errors);
        if files.as_ref().is_some_and(Vec::is_empty) {
            table.error("`files` must name a capture", errors);
        }
        let date = table.text_or("date", "1970-01-01", errors);
        let date = date.and_then(|text| parsed::<Date>(table, "date", &text, errors));
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
        let symbols = read_symbols(table, errors);
        let files = files?.iter().map(|file| folder.join(file)).collect();
        Some(Captures { files, date: date?, speed: speed?, repeat: repeat?, symbols: symbols? })
    }
}

impl Lines {
    fn to_toml(&self) -> String {
        let lines: Vec<_> = self.lines.iter().map(|line| format!("\"{line}\"")).collect();
        let Lines { interface, receive_buffer, busy_poll_us, .. } = self;
        let mut text = format!(
            "lines = [{}]\ninterface = \"{interface}\"\nreceive_buffer = {receive_buffer}\n\
             busy_poll_us = {busy_poll_us}\n",
            lines.join(", ")
        );
        if let Some(request) = self.request {
            text += &format!("request = \"{request}\"\n");
        }
        if let Some(SnapshotServer { address, user, password_env, same_session }) = &self.snapshot {
            text += &format!("snapshot = \"{address}\"\nuser = {user:?}\n");
            text += &format!("same_session = {same_session}\n");
            if let Some(name) = password_env {
                text += &format!("password_env = {name:?}\n");
            }
        }
        text
    }

    fn read(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<Lines> {
        let lines = table.texts("lines", errors).unwrap_or_default();
        let count = lines.len();
        let lines: Vec<SocketAddr> =
            lines.iter().filter_map(|text| parsed(table, "lines", text, errors)).collect();
        if !(1..=2).contains(&count) {
            table.error("`lines` must name one or two addresses", errors);
        }
        if lines.iter().any(|line| line.port() == 0) {
            table.error("`lines`: nothing is sent to port 0", errors);
        }
        let interface = table.text_or("interface", "0.0.0.0", errors);
        let interface = interface.and_then(|text| parsed(table, "interface", &text, errors));
        let request = table.text_or("request", "", errors).filter(|text| !text.is_empty());
        let request = request.map(|text| parsed(table, "request", &text, errors));
        let snapshot = table.text_or("snapshot", "", errors).filter(|text| !text.is_empty());
        let snapshot = snapshot.map(|text| parsed(table, "snapshot", &text, errors));
        let user = table.text_or("user", "", errors);
        if user.as_ref().is_some_and(|user| user.len() > 6) {
            table.error("`user` has at most 6 characters", errors);
        }
        let password_env = table.text_or("password_env", "", errors);
        let same_session = table.flag_or("same_session", true, errors);
        let receive_buffer = table.number_or("receive_buffer", 32 << 20, 4096, 1 << 30, errors);
        let busy_poll_us = table.number_or("busy_poll_us", 0, 0, 1_000_000, errors);
        let password_env = password_env?;
        let snapshot = match snapshot {
            None => None,
            Some(address) => Some(SnapshotServer {
                address: address?,
                user: user?,
                password_env: Some(password_env).filter(|name| !name.is_empty()),
                same_session: same_session?,
            }),
        };
        Some(Lines {
            lines,
            interface: interface?,
            request: match request {
                None => None,
                Some(address) => Some(address?),
            },
            snapshot,
            receive_buffer: receive_buffer? as usize,
            busy_poll_us: busy_poll_us? as u32,
        })
    }
}

impl Stream {
    fn to_toml(&self) -> String {
        let mut text = format!("depth = {}\n", self.depth);
        for (key, url) in [("ws_url", &self.ws_url), ("rest_url", &self.rest_url)] {
            if let Some(url) = url {
                text += &format!("{key} = {url:?}\n");
            }
        }
        text + &symbols_to_toml(&self.symbols)
    }

    fn read(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<Stream> {
        let depth = table.number_or("depth", 1_000, 1, 10_000, errors);
        let mut url = |key| table.text_or(key, "", errors).filter(|url| !url.is_empty());
        let (ws_url, rest_url) = (url("ws_url"), url("rest_url"));
        let symbols = read_symbols(table, errors)?;
        if symbols.is_empty() {
            table.error("[[feed.symbol]] must name the symbols", errors);
        }
        Some(Stream { symbols, depth: depth? as u16, ws_url, rest_url })
    }
}

fn symbols_to_toml(symbols: &[StreamSymbol]) -> String {
    let row = |symbol: &StreamSymbol| {
        let StreamSymbol { venue_symbol, symbol, px_decimals, qty_decimals } = symbol;
        format!(
            "\n[[feed.symbol]]\nvenue = {venue_symbol:?}\nsymbol = \"{symbol}\"\n\
             px_decimals = {px_decimals}\nqty_decimals = {qty_decimals}\n"
        )
    };
    symbols.iter().map(row).collect()
}

/// Reads every `[[feed.symbol]]`.
fn read_symbols(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<Vec<StreamSymbol>> {
    let rows = table.tables("symbol", errors);
    let symbols: Option<Vec<_>> = rows.into_iter().map(|row| read_symbol(row, errors)).collect();
    if let Some(symbols) = symbols.as_ref().filter(|symbols| !symbols.is_empty())
        && let Err(error) = feeds::stream::Symbols::new(symbols.clone())
    {
        table.error(format!("[[feed.symbol]]: {error}"), errors);
    }
    symbols
}

fn read_symbol(mut row: Table<'_>, errors: &mut ConfigErrors) -> Option<StreamSymbol> {
    let venue_symbol = row.text("venue", errors);
    let symbol = row.symbol("symbol", errors);
    let px_decimals = row.number("px_decimals", 0, 12, errors);
    let qty_decimals = row.number("qty_decimals", 0, 12, errors);
    if let (Some(px), Some(qty)) = (px_decimals, qty_decimals)
        && px + qty > 12
    {
        row.error("`px_decimals` and `qty_decimals` must not exceed 12 together", errors);
    }
    row.finish(errors);
    Some(StreamSymbol {
        venue_symbol: venue_symbol?,
        symbol: symbol?,
        px_decimals: px_decimals? as u8,
        qty_decimals: qty_decimals? as u8,
    })
}

/// Reads a text as what it should be, or notes that it is not.
pub(super) fn parsed<T: FromStr<Err: Display>>(
    table: &Table<'_>,
    key: &str,
    text: &str,
    errors: &mut ConfigErrors,
) -> Option<T> {
    let parsed = text.parse();
    parsed.inspect_err(|error| table.error(format!("`{key}`: `{text}` is {error}"), errors)).ok()
}

/// Reads one table.
pub(super) fn read(
    mut table: Table<'_>,
    folder: &Path,
    errors: &mut ConfigErrors,
) -> Option<FeedConfig> {
    let venues: Vec<_> = Venue::ALL.iter().map(|venue| (venue.name(), *venue)).collect();
    let venue = table.choice("venue", &venues, errors);
    if table.has("server") && ["files", "lines", "symbol"].iter().any(|key| table.has(key)) {
        let text = "`server` is a way to hear a feed of its own: no `files`, `lines` or \
                    [[feed.symbol]] beside it";
        table.error(text, errors);
        return None;
    }
    let source = if table.has("files") {
        Captures::read(&mut table, folder, errors).map(FeedSource::Captures)
    } else if table.has("lines") {
        Lines::read(&mut table, errors).map(FeedSource::Lines)
    } else if table.has("server") {
        Server::read(&mut table, errors).map(FeedSource::Server)
    } else if table.has("symbol") {
        Stream::read(&mut table, errors).map(FeedSource::Stream)
    } else {
        table.error(
            "`files`, `lines`, `server` or [[feed.symbol]] must say where the bytes come from",
            errors,
        );
        None
    };
    if let (Some(venue), Some(source)) = (venue, &source) {
        let heard = match source {
            FeedSource::Captures(_) => true,
            FeedSource::Lines(_) => venue.is_over_lines(),
            FeedSource::Server(_) => venue.is_over_connections(),
            FeedSource::Stream(_) => venue.is_over_streams(),
        };
        if !heard {
            table.error(format!("`{venue}` is not heard in this way"), errors);
        }
    }
    let silence_ms = table.number_or("silence_ms", 5_000, 1, 86_400_000, errors);
    table.finish(errors);
    Some(FeedConfig { venue: venue?, source: source?, silence_ns: silence_ms? * 1_000_000 })
}
