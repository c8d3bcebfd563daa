//! Exact numbers at the edge: decimal text in, decimal text out, integers of the instrument's own
//! units in between.

use model::{Currency, Instrument, Money, Px, Qty, Scaled, parse_decimal};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

use crate::fault::Fault;
use crate::session::excerpt;

/// A decimal as the agent wrote it: a string, or a JSON number of at most 15 digits (more may have
/// been rounded on the way, so they must come as a string).
#[derive(Clone, Debug)]
pub struct Decimal(String);

/// Digits of a decimal that a double always gives back unchanged.
const EXACT_DIGITS: usize = 15;

impl Decimal {
    /// The value in units of 10^-`decimals`.
    ///
    /// # Errors
    ///
    /// A fault that names `field` if the text is not a plain decimal of that scale.
    pub fn units(&self, field: &str, decimals: u8) -> Result<i64, Fault> {
        parse_decimal(&self.0, decimals.into()).map_err(|_| {
            let text = excerpt(&self.0);
            let (what, example) = match decimals {
                0 => ("a whole number".to_owned(), "100"),
                _ => (format!("an exact decimal with at most {decimals} places"), "101.25"),
            };
            Fault::argument(
                format!("{field}: {text:?} is not {what}, or too large"),
                format!(
                    "send {field} as a plain string such as \"{example}\", without an exponent"
                ),
            )
        })
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(DecimalVisitor)
    }
}

struct DecimalVisitor;

impl Visitor<'_> for DecimalVisitor {
    type Value = Decimal;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a decimal string such as \"101.25\", or a number of at most 15 digits")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Decimal, E> {
        Ok(Decimal(text.to_owned()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Decimal, E> {
        Ok(Decimal(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Decimal, E> {
        Ok(Decimal(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Decimal, E> {
        let text = value.to_string();
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        if digits > EXACT_DIGITS {
            return Err(E::invalid_value(Unexpected::Float(value), &self));
        }
        Ok(Decimal(text))
    }
}

impl JsonSchema for Decimal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number"] })
    }
}

/// An integer of 10^-`decimals` as decimal text, trailing zeros beyond the second place dropped: exact.
pub fn text(value: i128, decimals: u32) -> String {
    let mut text = Scaled { value, decimals }.to_string();
    if let Some(point) = text.find('.') {
        let used = text.trim_end_matches('0').len();
        text.truncate(used.max(text.len().min(point + 3)));
    }
    text
}

/// A price.
pub fn px(px: Px, of: &Instrument) -> String {
    text(px.0.into(), of.px_decimals.into())
}

/// A quantity.
pub fn qty(qty: Qty, of: &Instrument) -> String {
    text(qty.0.into(), of.qty_decimals.into())
}

/// A sum of money, without its currency.
pub fn money(money: Money) -> String {
    text(money.0, Money::DECIMALS)
}

/// `part` of the middle between two prices, in basis points cut to two places; `None` if that middle
/// is not positive.
pub fn bps(part: i64, low: i64, high: i64) -> Option<String> {
    let twice_middle = i128::from(low) + i128::from(high);
    let hundredths = i128::from(part) * 2 * 10_000 * 100;
    (twice_middle > 0).then(|| text(hundredths / twice_middle, 2))
}

/// The name of a currency; `None` if none is configured.
pub fn currency(currency: Currency) -> Option<String> {
    let end = currency.iter().position(|b| *b == 0).unwrap_or(currency.len());
    let name = currency.get(..end).unwrap_or_default();
    (!name.is_empty()).then(|| name.escape_ascii().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<i64, String> {
        let decimal: Decimal = serde_json::from_str(json).map_err(|e| e.to_string())?;
        decimal.units("limit", 4).map_err(|fault| fault.message)
    }

    /// Goal: only exact values pass, whether string or number. Method: one example of each shape.
    #[test]
    fn decimals_are_exact_or_refused() {
        assert_eq!(read("\"101.25\""), Ok(1_012_500));
        assert_eq!(read("101.25"), Ok(1_012_500));
        assert_eq!(read("300"), Ok(3_000_000));
        assert_eq!(read("-0.0001"), Ok(-1));
        for bad in [
            "\"1e3\"",
            "\"\"",
            "\" 1\"",
            "1e-7",
            "0.00001",
            "1e300",
            "0.1234567890123456",
            "true",
            "null",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    /// Goal: text is exact and short. Method: zeros in every place.
    #[test]
    fn text_keeps_every_digit() {
        assert_eq!(text(1_012_500, 4), "101.25");
        assert_eq!(text(1_010_000, 4), "101.00");
        assert_eq!(text(1_010_001, 4), "101.0001");
        assert_eq!(text(-5, 12), "-0.000000000005");
        assert_eq!(text(300, 0), "300");
        assert_eq!(text(15, 1), "1.5");
        assert_eq!(bps(2, 99, 101).as_deref(), Some("200.00"));
        assert_eq!(bps(1, -5, 5), None);
        assert_eq!(currency(*b"USD\0\0\0\0\0").as_deref(), Some("USD"));
        assert_eq!(currency([0; 8]), None);
    }
}
