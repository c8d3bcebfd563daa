//! The status screen of the demo: a client like any other, reading shared memory.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use model::page::{Board, Control, STAGES};
use model::{Reject, Scaled};
use program::eprintln;
use shm::Client;

use crate::summary;

/// How often a terminal is drawn, and how often a plain line is printed.
const DRAW: Duration = Duration::from_millis(500);
const LINE: Duration = Duration::from_secs(5);
/// Instruments on the screen.
const ROWS: usize = 10;

/// Shows an engine while it runs.
pub struct Screen {
    name: String,
    client: Option<Client>,
    terminal: bool,
    next: Instant,
    last: Option<(Instant, u64)>,
}

impl Screen {
    /// For the engine `name`; on standard error where standard output is for programs.
    pub fn new(name: &str, json: bool) -> Screen {
        let terminal = !json && std::io::stdout().is_terminal();
        Screen { name: name.into(), client: None, terminal, next: Instant::now(), last: None }
    }

    /// Draws, if it is time to.
    pub fn show(&mut self) {
        if Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + if self.terminal { DRAW } else { LINE };
        if self.client.is_none() {
            self.client = Client::attach(Some(&self.name)).ok();
        }
        let Some(client) = &self.client else { return };
        let Ok(control) = client.control() else { return };
        let messages = control.feeds.iter().map(|feed| feed.messages).sum();
        let rate = self.rate(messages);
        let busiest = busiest(self.client.as_ref(), &control);
        if self.terminal {
            let text = format!("\x1b[H\x1b[2J{}", full(&self.name, &control, rate, &busiest));
            let _ = std::io::stdout()
                .write_all(text.as_bytes())
                .and_then(|()| std::io::stdout().flush());
        } else {
            eprintln!("{}", plain(&control, rate, &busiest));
        }
    }

    /// Lets go of the engine.
    pub fn close(&mut self) {
        self.client = None;
    }

    fn rate(&mut self, messages: u64) -> f64 {
        let now = Instant::now();
        let last = self.last.replace((now, messages));
        last.map_or(0.0, |(then, before)| {
            messages.saturating_sub(before) as f64
                / now.duration_since(then).as_secs_f64().max(1e-3)
        })
    }
}

fn busiest(client: Option<&Client>, control: &Control) -> Vec<Board> {
    let read = |client: &Client| {
        (0..control.instruments as usize).filter_map(|i| client.board(i).ok()).collect()
    };
    let mut boards: Vec<Board> = client.map(read).unwrap_or_default();
    boards.sort_by_key(|board| std::cmp::Reverse(board.trades));
    boards.truncate(ROWS);
    boards
}

fn plain(control: &Control, rate: f64, busiest: &[Board]) -> String {
    let top =
        busiest.first().map(|board| format!("; {} {}", board.instrument.symbol, touch(board)));
    let refused: u64 = control.refused.iter().sum();
    let feeds = control.feeds.iter().take(control.feed_count as usize);
    let feeds: Vec<String> = feeds.map(summary::feed).collect();
    format!(
        "{} inputs, {}/s, {} live orders, {} passed, {refused} refused{}; {}",
        control.engine_seq,
        summary::short(rate),
        control.live_orders,
        control.passed,
        top.unwrap_or_default(),
        feeds.join("; "),
    )
}

fn full(name: &str, control: &Control, rate: f64, busiest: &[Board]) -> String {
    let mut text = format!(
        "tickgate `{name}`  {} on a synthetic market   halt: {}\n\n\
         {:>12} messages/s   {} inputs   {} live orders   journal {} behind\n\n",
        control.mode,
        control.halt,
        summary::short(rate),
        control.engine_seq,
        control.live_orders,
        control.engine_seq.saturating_sub(control.journal_written),
    );
    text += &format!(
        "{:<8} {:>36}  {:>10} {:>8}  {}\n",
        "symbol", "bid × ask", "last", "trades", "state, book"
    );
    for board in busiest {
        let last = board.last.map_or("–".into(), |last| px(board, last.px.0));
        text += &format!(
            "{:<8} {:>36}  {last:>10} {:>8}  {}, {}\n",
            board.instrument.symbol,
            touch(board),
            board.trades,
            board.state,
            board.integrity,
        );
    }
    for feed in control.feeds.iter().take(control.feed_count as usize) {
        text += &format!("\n{}\n", summary::feed(feed));
    }
    text += &format!("\n{}", summary::stages(STAGES.into_iter().zip(control.stages)));
    text += &format!("\ngate: {} passed", control.passed);
    for (code, count) in Reject::counts(&control.refused) {
        text += &format!(", {count} {code}");
    }
    text + "\n\nCtrl-C ends it.\n"
}

fn touch(board: &Board) -> String {
    let side = |quote: Option<model::page::Quote>| {
        quote.map_or("–".into(), |q| format!("{} ({})", px(board, q.px.0), q.qty.0))
    };
    format!("{} × {}", side(board.bid), side(board.ask))
}

fn px(board: &Board, value: i64) -> String {
    Scaled { value: value.into(), decimals: board.instrument.px_decimals.into() }.to_string()
}
