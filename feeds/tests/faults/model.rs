//! What a small model of a venue must do.

use super::truth::{Changes, Truth};

/// A text of the venue, and which version of which symbol's book it leads to.
#[derive(Clone, Debug)]
pub struct Out {
    pub text: String,
    pub tag: Option<(usize, usize)>,
    /// Whether it holds the whole book.
    pub is_whole: bool,
}

impl Out {
    pub fn bare(text: impl Into<String>) -> Out {
        Out { text: text.into(), tag: None, is_whole: false }
    }

    pub fn book(text: String, symbol: usize, truth: &Truth) -> Out {
        Out { text, tag: Some((symbol, truth.version())), is_whole: false }
    }

    pub fn whole(text: String, symbol: usize, truth: &Truth) -> Out {
        Out { is_whole: true, ..Out::book(text, symbol, truth) }
    }
}

pub trait Model {
    /// The symbols that the venue lists.
    const SYMBOLS: [&'static str; 2];
    /// Levels a side that a subscriber sees.
    const DEPTH: usize;
    /// Whether a book message that is lost shows in the next.
    const SHOWS_LOSS: bool = true;
    /// Whether a book message that comes late, or late once more, shows.
    const SHOWS_ORDER: bool = true;

    fn new() -> Self;

    /// A connection opened: nothing is subscribed.
    fn opened(&mut self);

    /// The answer to a request that the venue will not grant; `None` if it would not answer.
    fn refusal(&self, text: &str) -> Option<Out>;

    /// What a text of the client is answered with.
    fn reply(&mut self, text: &str, truths: &[Truth]) -> Vec<Out>;

    /// What a subscriber is sent when a book changes.
    fn update(&mut self, symbol: usize, truth: &Truth, changes: &Changes) -> Vec<Out>;

    /// The body of a snapshot that is asked for by address, from `ago` versions ago.
    fn rest(&self, url: &str, truths: &[Truth], ago: usize) -> Option<Out> {
        let _ = (url, truths, ago);
        None
    }

    /// What is sent each second.
    fn second(&mut self) -> Vec<Out>;

    /// The text with a wrong checksum, if there is one.
    fn corrupt(&self, text: &str) -> Option<String> {
        let at = text.find("\"checksum\":")? + 11;
        let end = at + text[at..].find([',', '}'])?;
        let sum: i64 = text[at..end].parse().ok()?;
        Some(format!("{}{}{}", &text[..at], sum ^ 0x55, &text[end..]))
    }
}
