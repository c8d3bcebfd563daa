//! `--orders FILE`: one JSON object a line.

use std::path::Path;

use engine::script::{Line, Op, Script, Special, When};
use model::{ClientOrderId, OrderType, Side, Symbol, Tif, parse_time_of_day};
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::exit::Failure;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    after: Option<u64>,
    at: Option<String>,
    op: OpName,
    id: String,
    account: String,
    symbol: Option<String>,
    side: Option<String>,
    qty: Option<String>,
    px: Option<String>,
    r#type: Option<String>,
    tif: Option<String>,
    stop_px: Option<String>,
    display: Option<String>,
    expires: Option<String>,
    #[serde(default)]
    post_only: bool,
    #[serde(default)]
    reduce_only: bool,
    #[serde(default)]
    parent_only: bool,
    one_cancels: Option<String>,
    parent: Option<String>,
    basket: Option<String>,
    legs: Option<u8>,
    money: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum OpName {
    New,
    Basket,
    Cancel,
    Replace,
}

/// Reads the file.
///
/// # Errors
///
/// Exit code 2, with the number of the first line that is not right.
pub fn read(path: &Path) -> Result<Script, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let row = serde_json::from_str(line).map_err(|error| error.to_string()).and_then(parse);
        lines.push(
            row.map_err(|why| Failure::usage(format!("{}:{}: {why}", path.display(), number + 1)))?,
        );
    }
    Ok(Script::new(lines))
}

fn parse(row: Row) -> Result<Line, String> {
    let when = match (row.after, &row.at) {
        (Some(message), None) => When::After(message),
        (None, Some(time)) => {
            When::At(parse_time_of_day(time).ok_or("`at` must be HH:MM:SS.nnnnnnnnn")?)
        }
        _ => return Err("one of `after` and `at` is needed".into()),
    };
    let id = ClientOrderId::new(&row.id).map_err(|error| format!("`id` is {error}"))?;
    let account = Symbol::new(&row.account).map_err(|error| format!("`account` is {error}"))?;
    let op = match row.op {
        OpName::New => new_order(&row)?,
        OpName::Basket => Op::Basket {
            legs: row.legs.ok_or("`legs` is missing")?,
            money: maybe_decimal("money", row.money.as_deref())?.ok_or("`money` is missing")?,
        },
        OpName::Cancel => Op::Cancel,
        OpName::Replace => Op::Replace {
            qty: maybe_decimal("qty", row.qty.as_deref())?,
            px: maybe_decimal("px", row.px.as_deref())?,
        },
    };
    Ok(Line { when, id, account, op })
}

fn new_order(row: &Row) -> Result<Op, String> {
    let name = |list: &str, key: &str| format!("`{key}` must be one of {list}");
    let order_type = OrderType::from_name(row.r#type.as_deref().unwrap_or("limit"))
        .ok_or_else(|| name("limit, market, stop, stop_limit", "type"))?;
    let px = maybe_decimal("px", row.px.as_deref())?;
    if order_type.has_limit() != px.is_some() {
        return Err(format!("`px` is for limit and stop_limit, not for {order_type}"));
    }
    let order_name = |key: &str, id: &Option<String>| {
        let id = id.as_deref().map(ClientOrderId::new).transpose();
        id.map_err(|error| format!("`{key}` is {error}"))
    };
    let expires = row.expires.as_deref().map(|time| {
        parse_time_of_day(time).ok_or("`expires` must be HH:MM:SS.nnnnnnnnn".to_owned())
    });
    let special = Special {
        stop_px: maybe_decimal("stop_px", row.stop_px.as_deref())?,
        display: maybe_decimal("display", row.display.as_deref())?,
        expires: expires.transpose()?,
        post_only: row.post_only,
        reduce_only: row.reduce_only,
        parent_only: row.parent_only,
        one_cancels: order_name("one_cancels", &row.one_cancels)?,
        parent: order_name("parent", &row.parent)?,
        basket: order_name("basket", &row.basket)?,
    };
    let symbol = row.symbol.as_deref().ok_or("`symbol` is missing")?;
    Ok(Op::New {
        symbol: Symbol::new(symbol).map_err(|error| format!("`symbol` is {error}"))?,
        side: row
            .side
            .as_deref()
            .and_then(Side::from_name)
            .ok_or_else(|| name("buy, sell", "side"))?,
        qty: maybe_decimal("qty", row.qty.as_deref())?.ok_or("`qty` is missing")?,
        px: px.unwrap_or_default(),
        order_type,
        tif: Tif::from_name(row.tif.as_deref().unwrap_or("day"))
            .ok_or_else(|| name("day, ioc, fok, gtc, gtd, at_open, at_close", "tif"))?,
        special,
    })
}

fn maybe_decimal(key: &str, text: Option<&str>) -> Result<Option<Decimal>, String> {
    let Some(text) = text else { return Ok(None) };
    let decimal = Decimal::from_str_exact(text);
    decimal
        .map(Some)
        .map_err(|_| format!("`{key}` must be a decimal text such as \"12.50\", not {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_line(line: &str) -> Result<Line, String> {
        serde_json::from_str(line).map_err(|error| error.to_string()).and_then(parse)
    }

    /// Goal: the documented lines are read, everything else is refused with a reason. Method: one of each.
    #[test]
    fn lines() {
        let good = r#"{"at":"09:30:00.5","op":"new","id":"a","account":"x","symbol":"S",
            "side":"buy","qty":"1","px":"1.5","tif":"ioc"}"#;
        assert_eq!(try_line(good).unwrap().when, When::At(34_200_500_000_000));
        let stop = r#"{"after":5,"op":"new","id":"b","account":"x","symbol":"S","side":"sell","qty":"1",
            "type":"stop","tif":"gtd","expires":"15:00:00","stop_px":"2","one_cancels":"a"}"#;
        let Op::New { order_type, special, .. } = try_line(stop).unwrap().op else { panic!() };
        assert_eq!((order_type, special.expires), (OrderType::Stop, Some(54_000_000_000_000)));
        assert_eq!(special.one_cancels, Some(ClientOrderId::new("a").unwrap()));
        assert!(try_line(r#"{"after":5,"op":"cancel","id":"a","account":"x"}"#).is_ok());
        assert!(try_line(r#"{"after":5,"op":"replace","id":"a","account":"x","qty":"2"}"#).is_ok());
        for (bad, why) in [
            (r#"{"op":"cancel","id":"a","account":"x"}"#, "after"),
            (r#"{"after":5,"at":"1","op":"cancel","id":"a","account":"x"}"#, "after"),
            (r#"{"at":"24:00:00","op":"cancel","id":"a","account":"x"}"#, "HH:MM:SS"),
            (r#"{"after":5,"op":"cancel","id":"this id is far too long","account":"x"}"#, "`id`"),
            (
                r#"{"after":5,"op":"new","id":"a","account":"x","symbol":"S","side":"up","qty":"1","px":"1"}"#,
                "buy, sell",
            ),
            (
                r#"{"after":5,"op":"new","id":"a","account":"x","symbol":"S","side":"buy","qty":"1"}"#,
                "`px`",
            ),
            (
                r#"{"after":5,"op":"new","id":"a","account":"x","symbol":"S","side":"buy","qty":"1e3","px":"1"}"#,
                "decimal",
            ),
            (
                r#"{"after":5,"op":"new","id":"a","account":"x","symbol":"S","side":"buy","qty":1,"px":"1"}"#,
                "string",
            ),
            (r#"{"after":5,"op":"cancel","id":"a","account":"x","hurry":true}"#, "hurry"),
        ] {
            let error = try_line(bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }
}
