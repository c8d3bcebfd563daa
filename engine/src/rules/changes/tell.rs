//! Says of one key at a time whether it differs, and to which effect.

use std::cmp::Ordering;
use std::fmt::Display;

use rust_decimal::Decimal;

use super::{Change, Effect};

/// What was found so far.
#[derive(Default)]
pub(super) struct Teller {
    /// Whose keys follow, with a space behind.
    pub of: String,
    pub changes: Vec<Change>,
    /// What cannot change.
    pub fixed: Vec<String>,
}

/// A number as it is compared and shown.
pub(super) trait Number: Copy + Ord {
    fn text(self) -> String;
}

impl Number for u8 {
    fn text(self) -> String {
        self.to_string()
    }
}

impl Number for u32 {
    fn text(self) -> String {
        self.to_string()
    }
}

impl Number for u64 {
    fn text(self) -> String {
        self.to_string()
    }
}

impl Number for Decimal {
    fn text(self) -> String {
        self.normalize().to_string()
    }
}

/// Nanoseconds in the milliseconds that the file counts in.
pub(super) fn ms(ns: u64) -> u64 {
    ns / 1_000_000
}

/// A limit as the file says it.
pub(super) fn or_off<T: Number>(limit: Option<T>) -> String {
    limit.map_or("off".to_owned(), Number::text)
}

impl Teller {
    /// A key that says something else, to a known effect.
    pub fn note(&mut self, key: &str, old: impl Display, new: impl Display, effect: Effect) {
        let (old, new) = (old.to_string(), new.to_string());
        if old != new {
            let what = format!("{}{key}", self.of);
            self.changes.push(Change { what, old, new, effect });
        }
    }

    /// A key that may not say anything else.
    pub fn fixed<T: PartialEq + Display>(&mut self, key: &str, old: T, new: T) {
        if old != new {
            self.fixed.push(format!("{}{key}: {old} -> {new}", self.of));
        }
    }

    /// A key whose values have an order: `looser` is how far the new one is above the old one.
    pub fn ordered(&mut self, key: &str, old: &str, new: &str, looser: Ordering) {
        let effect = match looser {
            Ordering::Less => Effect::Tighter,
            Ordering::Equal => Effect::Neither,
            Ordering::Greater => Effect::Looser,
        };
        self.note(key, old, new, effect);
    }

    /// The most that may be: more is looser.
    pub fn most<T: Number>(&mut self, key: &str, old: T, new: T) {
        self.ordered(key, &old.text(), &new.text(), new.cmp(&old));
    }

    /// The same, and off is looser than any number.
    pub fn most_or_off<T: Number>(&mut self, key: &str, old: Option<T>, new: Option<T>) {
        let rank = |limit: Option<T>| (limit.is_none(), limit);
        self.ordered(key, &or_off(old), &or_off(new), rank(new).cmp(&rank(old)));
    }

    /// The least that must be there: less of it is looser.
    pub fn least_or_off<T: Number>(&mut self, key: &str, old: Option<T>, new: Option<T>) {
        self.ordered(key, &or_off(old), &or_off(new), old.cmp(&new));
    }

    /// The most of something that belongs to a limit: where that is off, before or after, it says nothing.
    pub fn most_of_both<T: Number>(&mut self, key: &str, old: Option<T>, new: Option<T>) {
        if let (Some(old), Some(new)) = (old, new) {
            self.most(key, old, new);
        }
    }

    /// The window that a limit counts in: a shorter one is looser.
    pub fn window(&mut self, key: &str, old: Option<u64>, new: Option<u64>) {
        if let (Some(old), Some(new)) = (old.map(ms), new.map(ms)) {
            self.ordered(key, &old.text(), &new.text(), old.cmp(&new));
        }
    }

    /// What is either strict, the first of both words, or not.
    pub fn strict(&mut self, key: &str, words: [&str; 2], old: bool, new: bool) {
        let [yes, no] = words;
        let word = |strict| if strict { yes } else { no };
        self.ordered(key, word(old), word(new), old.cmp(&new));
    }
}
