//! Reads TOML tables key by key; every error gets its file and line, and reading goes on.

use std::path::{Path, PathBuf};

use model::{Currency, Symbol};
use rust_decimal::Decimal;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::journal::FILE_MAX;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    path: PathBuf,
    line: usize,
    text: String,
}

impl ConfigError {
    /// A file that cannot be read.
    pub(super) fn file(path: &Path, error: &std::io::Error) -> ConfigError {
        ConfigError { path: path.to_path_buf(), line: 0, text: format!("cannot be read: {error}") }
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path.display(), self.text),
            line => write!(f, "{}:{line}: {}", self.path.display(), self.text),
        }
    }
}

/// Everything that is wrong, in the order in which it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    pub(super) fn push(&mut self, error: ConfigError) {
        self.0.push(error);
    }

    /// Notes what no single line is to blame for.
    pub(super) fn note(&mut self, path: &Path, text: String) {
        self.push(ConfigError { path: path.to_path_buf(), line: 0, text });
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl std::fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}

/// A file's text with what an error needs to name its place.
#[derive(Clone, Copy)]
struct Text<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Text<'_> {
    fn error(&self, at: usize, text: String) -> ConfigError {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        ConfigError { path: self.path.to_path_buf(), line, text }
    }
}

/// A table whose keys are taken one by one; what is left at [`Table::finish`] is unknown.
pub(super) struct Table<'a> {
    text: Text<'a>,
    at: usize,
    keys: DeTable<'a>,
}

/// Parses a file. Its syntax errors are noted, and what could be read is returned.
pub(super) fn parse<'a>(path: &'a Path, text: &'a str, errors: &mut ConfigErrors) -> Table<'a> {
    if text.len() > FILE_MAX {
        let size = text.len();
        errors.note(path, format!("{size} bytes; a journal holds no file of more than {FILE_MAX}"));
    }
    let (root, faults) = DeTable::parse_recoverable(text);
    let text = Text { path, text };
    for fault in faults {
        let at = fault.span().map_or(0, |span| span.start);
        errors.push(text.error(at, fault.message().to_string()));
    }
    Table { text, at: 0, keys: root.into_inner() }
}

impl<'a> Table<'a> {
    /// Notes an error about the table as a whole.
    pub fn error(&self, text: impl Into<String>, errors: &mut ConfigErrors) {
        errors.push(self.text.error(self.at, text.into()));
    }

    /// Takes a key that must be there.
    fn need(&mut self, key: &str, errors: &mut ConfigErrors) -> Option<Value<'a>> {
        let value = self.take(key);
        if value.is_none() {
            self.error(format!("`{key}` is missing"), errors);
        }
        value
    }

    /// Takes a key that may be absent.
    fn take(&mut self, key: &str) -> Option<Value<'a>> {
        let value = self.keys.remove(key)?;
        Some(Value { text: self.text, key: key.to_string(), value })
    }

    /// Whether a key is there and was not taken yet.
    pub fn has(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// A text that must be there.
    pub fn text(&mut self, key: &str, errors: &mut ConfigErrors) -> Option<String> {
        self.need(key, errors)?.text(errors)
    }

    /// A text, or `default`.
    pub fn text_or(
        &mut self,
        key: &str,
        default: &str,
        errors: &mut ConfigErrors,
    ) -> Option<String> {
        self.take(key).map_or(Some(default.to_string()), |value| value.text(errors))
    }

    /// One of the words of `choices`, by its word.
    pub fn choice<T: Copy>(
        &mut self,
        key: &str,
        choices: &[(&str, T)],
        errors: &mut ConfigErrors,
    ) -> Option<T> {
        let value = self.need(key, errors)?;
        let word = value.clone().text(errors)?;
        let found = choices.iter().find(|(name, _)| *name == word);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            value.error(
                format!("`{key}` must be one of {}, not `{word}`", names.join(", ")),
                errors,
            );
        }
        found.map(|(_, choice)| *choice)
    }

    /// [`Table::choice`], or `default` if the key is absent.
    pub fn choice_or<T: Copy>(
        &mut self,
        key: &str,
        choices: &[(&str, T)],
        default: T,
        errors: &mut ConfigErrors,
    ) -> Option<T> {
        if self.has(key) { self.choice(key, choices, errors) } else { Some(default) }
    }

    /// A whole number from `least` to `most`.
    pub fn number(
        &mut self,
        key: &str,
        least: u64,
        most: u64,
        errors: &mut ConfigErrors,
    ) -> Option<u64> {
        self.need(key, errors)?.number(least, most, errors)
    }

    /// [`Table::number`], or `default` if the key is absent.
    pub fn number_or(
        &mut self,
        key: &str,
        default: u64,
        least: u64,
        most: u64,
        errors: &mut ConfigErrors,
    ) -> Option<u64> {
        self.take(key).map_or(Some(default), |value| value.number(least, most, errors))
    }

    /// A whole number, or `None` inside if the key is absent.
    pub fn number_maybe(
        &mut self,
        key: &str,
        most: u64,
        errors: &mut ConfigErrors,
    ) -> Option<Option<u64>> {
        self.take(key).map_or(Some(None), |value| value.number(0, most, errors).map(Some))
    }

    /// Yes or no, or `default`.
    pub fn flag_or(&mut self, key: &str, default: bool, errors: &mut ConfigErrors) -> Option<bool> {
        let Some(value) = self.take(key) else { return Some(default) };
        let flag = value.value.get_ref().as_bool();
        if flag.is_none() {
            value.error(format!("`{key}` must be true or false"), errors);
        }
        flag
    }

    /// An exact decimal that is not negative, as text or as a number.
    pub fn decimal(&mut self, key: &str, errors: &mut ConfigErrors) -> Option<Decimal> {
        self.need(key, errors)?.decimal(errors)
    }

    /// An exact decimal of either sign.
    pub fn signed(&mut self, key: &str, errors: &mut ConfigErrors) -> Option<Decimal> {
        self.need(key, errors)?.signed(errors)
    }

    /// [`Table::decimal`], or `None` inside for `"off"`: a limit is never left out silently.
    pub fn decimal_or_off(
        &mut self,
        key: &str,
        errors: &mut ConfigErrors,
    ) -> Option<Option<Decimal>> {
        let value = self.need_or_off(key, errors)?;
        if value.is_off() { Some(None) } else { value.decimal(errors).map(Some) }
    }

    /// [`Table::number`], or `None` inside for `"off"`.
    pub fn number_or_off(
        &mut self,
        key: &str,
        least: u64,
        most: u64,
        errors: &mut ConfigErrors,
    ) -> Option<Option<u64>> {
        let value = self.need_or_off(key, errors)?;
        if value.is_off() { Some(None) } else { value.number(least, most, errors).map(Some) }
    }

    fn need_or_off(&mut self, key: &str, errors: &mut ConfigErrors) -> Option<Value<'a>> {
        let value = self.take(key);
        if value.is_none() {
            self.error(format!("`{key}` is missing: a limit, or \"off\""), errors);
        }
        value
    }

    /// A symbol or name of at most 16 characters.
    pub fn symbol(&mut self, key: &str, errors: &mut ConfigErrors) -> Option<Symbol> {
        let value = self.need(key, errors)?;
        let symbol = Symbol::new(&value.clone().text(errors)?).ok();
        if symbol.is_none() {
            value.error(format!("`{key}` must be 1 to 16 printable characters"), errors);
        }
        symbol
    }

    /// A symbol, or `None` inside for `*`.
    pub fn symbol_or_all(
        &mut self,
        key: &str,
        errors: &mut ConfigErrors,
    ) -> Option<Option<Symbol>> {
        let symbol = self.symbol(key, errors)?;
        Some((symbol.as_str() != "*").then_some(symbol))
    }

    /// A currency code of at most 8 characters.
    pub fn currency(&mut self, key: &str, errors: &mut ConfigErrors) -> Option<Currency> {
        let value = self.need(key, errors)?;
        let code = value.clone().text(errors)?;
        let mut currency = [0; 8];
        let fits =
            (1..=8).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !fits {
            value.error(format!("`{key}` must be a currency code such as USD"), errors);
            return None;
        }
        currency.iter_mut().zip(code.bytes()).for_each(|(place, byte)| *place = byte);
        Some(currency)
    }

    /// Texts of an array that must be there.
    pub fn texts(&mut self, key: &str, errors: &mut ConfigErrors) -> Option<Vec<String>> {
        let value = self.need(key, errors)?;
        let Some(items) = value.value.get_ref().as_array() else {
            value.error(format!("`{key}` must be an array of texts"), errors);
            return None;
        };
        items
            .iter()
            .map(|item| Value { value: item.clone(), ..value.clone() }.text(errors))
            .collect()
    }

    /// Whole numbers up to `most`, of an array that must be there.
    pub fn numbers(&mut self, key: &str, most: u64, errors: &mut ConfigErrors) -> Option<Vec<u64>> {
        let value = self.need(key, errors)?;
        let Some(items) = value.value.get_ref().as_array() else {
            value.error(format!("`{key}` must be an array of numbers, one for each shard"), errors);
            return None;
        };
        let number = |item: &Spanned<DeValue<'a>>| Value { value: item.clone(), ..value.clone() };
        items.iter().map(|item| number(item).number(0, most, errors)).collect()
    }

    /// A table within; an absent one reads as empty.
    pub fn table(&mut self, key: &str, errors: &mut ConfigErrors) -> Table<'a> {
        let empty = Table { text: self.text, at: self.at, keys: DeTable::new() };
        let Some(value) = self.take(key) else { return empty };
        let at = value.value.span().start;
        match value.value.into_inner() {
            DeValue::Table(keys) => Table { text: self.text, at, keys },
            _ => {
                errors.push(self.text.error(at, format!("`{key}` must be a table: [{key}]")));
                empty
            }
        }
    }

    /// The tables of an array `[[key]]`; an absent one has none.
    pub fn tables(&mut self, key: &str, errors: &mut ConfigErrors) -> Vec<Table<'a>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let at = value.value.span().start;
        let DeValue::Array(items) = value.value.into_inner() else {
            errors.push(
                self.text.error(at, format!("`{key}` must be an array of tables: [[{key}]]")),
            );
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            let at = item.span().start;
            match item.into_inner() {
                DeValue::Table(keys) => tables.push(Table { text: self.text, at, keys }),
                _ => {
                    errors.push(self.text.error(at, format!("`{key}` must hold tables: [[{key}]]")))
                }
            }
        }
        tables
    }

    /// Notes every key that nobody took.
    pub fn finish(self, errors: &mut ConfigErrors) {
        for key in self.keys.keys() {
            errors.push(
                self.text.error(key.span().start, format!("unknown key `{}`", key.get_ref())),
            );
        }
    }
}

#[derive(Clone)]
struct Value<'a> {
    text: Text<'a>,
    key: String,
    value: Spanned<DeValue<'a>>,
}

impl Value<'_> {
    fn error(&self, text: String, errors: &mut ConfigErrors) {
        errors.push(self.text.error(self.value.span().start, text));
    }

    fn text(self, errors: &mut ConfigErrors) -> Option<String> {
        let text = self.value.get_ref().as_str().map(str::to_string);
        if text.is_none() {
            self.error(format!("`{}` must be a text in quotes", self.key), errors);
        }
        text
    }

    fn number(self, least: u64, most: u64, errors: &mut ConfigErrors) -> Option<u64> {
        let text = self.value.get_ref().as_integer().filter(|number| number.radix() == 10);
        let number = text.and_then(|number| number.as_str().parse().ok());
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.error(
                format!("`{}` must be a whole number from {least} to {most}", self.key),
                errors,
            );
        }
        number
    }

    fn is_off(&self) -> bool {
        self.value.get_ref().as_str() == Some("off")
    }

    fn decimal(self, errors: &mut ConfigErrors) -> Option<Decimal> {
        let decimal =
            self.plain().filter(|decimal| !decimal.is_sign_negative() || decimal.is_zero());
        if decimal.is_none() {
            self.error(
                format!("`{}` must be a plain decimal, not negative: \"12.50\"", self.key),
                errors,
            );
        }
        decimal
    }

    fn signed(self, errors: &mut ConfigErrors) -> Option<Decimal> {
        let decimal = self.plain();
        if decimal.is_none() {
            self.error(format!("`{}` must be a plain decimal: \"-0.25\"", self.key), errors);
        }
        decimal
    }

    fn plain(&self) -> Option<Decimal> {
        let text = match self.value.get_ref() {
            DeValue::String(text) => Some(text.as_ref()),
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str()),
            DeValue::Float(number) => Some(number.as_str()),
            _ => None,
        };
        text.and_then(|text| Decimal::from_str_exact(text).ok())
    }
}
