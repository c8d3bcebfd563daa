//! One line of an export: what was asked, judged, reported, filled or changed, with the input that caused it.

use engine::replay::Seen;
use engine::step::Engine;
use model::page::{TapeKind, TapeRecord, read_halt_aux};
use model::{
    AccountId, Announced, Ask, BasketEnd, Body, Control, CreditKind, HaltCause, HaltLevel,
    HaltScope, InstrumentId, Money, OrderId, Origin, Px, Qty, Reject, Request, Scaled, Side, Terms,
};
use serde_json::{Value, json};

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Kind {
    /// What a client, a strategy's file or a desk asked for.
    Request,
    /// What the gate said to it, strategies' own orders included.
    Verdict,
    /// What the venue said of an order, fills apart.
    Report,
    /// An execution.
    Fill,
    /// A change from outside that can alter a verdict: halts, a full journal, a restart.
    Control,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Request => "request",
            Kind::Verdict => "verdict",
            Kind::Report => "report",
            Kind::Fill => "fill",
            Kind::Control => "control",
        }
    }
}

/// Names of the columns, in their order.
pub const COLUMNS: [&str; 16] = [
    "seq",
    "now_ns",
    "kind",
    "what",
    "account",
    "symbol",
    "side",
    "order_id",
    "client_id",
    "px",
    "qty",
    "terms",
    "exec_id",
    "reasons",
    "origin",
    "note",
];

/// A row: a value for each column, `None` where it has none. Every value is text, so that no number loses digits.
pub struct Row {
    /// What it is about.
    pub kind: Kind,
    values: [Option<String>; COLUMNS.len()],
}

impl Row {
    fn new(seen: &Seen<'_>, kind: Kind, what: &str) -> Row {
        let values = std::array::from_fn(|_| None);
        let mut row = Row { kind, values };
        row.set("seq", seen.input.seq);
        row.set("now_ns", seen.engine.now().0);
        row.set("kind", kind.name());
        row.set("what", what);
        row
    }

    fn set(&mut self, column: &str, value: impl ToString) {
        let place = COLUMNS.iter().position(|name| *name == column);
        if let Some(place) = place.and_then(|place| self.values.get_mut(place)) {
            *place = Some(value.to_string());
        }
    }

    fn set_maybe(&mut self, column: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.set(column, value);
        }
    }

    fn account(&mut self, engine: &Engine, account: AccountId) {
        let as_of = model::page::AsOf::default();
        let page = engine.risk().account_page(account, as_of, engine.now());
        self.set_maybe("account", page.map(|page| page.name));
    }

    /// Instrument, price and quantity as the venue writes them; a price or quantity of zero is none.
    fn terms(&mut self, engine: &Engine, instrument: InstrumentId, px: Px, qty: Qty) {
        let listed = engine.instruments().get(instrument.0).map(|listed| listed.instrument);
        let Some(instrument) = listed else { return };
        let scaled = |value: i64, decimals: u8| {
            (value != 0).then_some(Scaled { value: value.into(), decimals: decimals.into() })
        };
        self.set("symbol", instrument.symbol);
        self.set_maybe("px", scaled(px.0, instrument.px_decimals));
        self.set_maybe("qty", scaled(qty.0, instrument.qty_decimals));
    }

    fn order(&mut self, engine: &Engine, id: OrderId) {
        self.set_maybe("order_id", (id.0 != 0).then_some(id.0));
        if let Some(record) = engine.orders().get(id) {
            self.set("client_id", record.order.client_id);
            self.set("origin", origin(record.order.origin));
        }
    }

    /// As an object of JSON: every column, `null` where it has no value.
    pub fn json(&self) -> Value {
        COLUMNS
            .iter()
            .zip(&self.values)
            .map(|(name, value)| (name.to_string(), json!(value)))
            .collect()
    }

    /// As a line of CSV (RFC 4180), without its end.
    pub fn csv(&self) -> String {
        let cell = |value: &Option<String>| match value {
            None => String::new(),
            Some(text) if text.contains([',', '"', '\n', '\r']) => {
                format!("\"{}\"", text.replace('"', "\"\""))
            }
            Some(text) => text.clone(),
        };
        self.values.iter().map(cell).collect::<Vec<_>>().join(",")
    }
}

/// The rows of a step, in the order in which things happened.
pub fn rows(seen: &Seen<'_>, mut each: impl FnMut(Row)) {
    match &seen.input.body {
        Body::Request(request) => each(asked(seen, request)),
        Body::Control(control) => each(changed(seen, control)),
        _ => {}
    }
    seen.out.tape.iter().filter_map(|record| told(seen, record)).for_each(each);
}

fn asked(seen: &Seen<'_>, request: &Request) -> Row {
    let what = match request.ask {
        Ask::New(_) => "new",
        Ask::Cancel { .. } => "cancel",
        Ask::Replace { .. } => "replace",
        Ask::Halt { .. } => "halt",
        Ask::Basket(_) => "basket",
        Ask::Check(_) => "check",
        Ask::Beat => "beat",
    };
    let mut row = Row::new(seen, Kind::Request, what);
    row.account(seen.engine, request.account);
    match request.ask {
        Ask::New(terms) | Ask::Check(terms) => {
            row.terms(seen.engine, terms.instrument, terms.px, terms.qty);
            row.set("side", terms.side);
            row.set("terms", terms_text(seen.engine, &terms));
            row.set("client_id", terms.client_id);
            row.set_maybe("order_id", seen.out.answer.map(|a| a.order.0).filter(|id| *id != 0));
        }
        Ask::Replace { order, client_id, px, qty } => {
            row.order(seen.engine, order);
            let instrument = seen.engine.orders().get(order).map(|record| record.order.instrument);
            if let Some(instrument) = instrument {
                row.terms(seen.engine, instrument, px, qty);
            }
            row.set("client_id", client_id);
        }
        Ask::Cancel { order } => row.order(seen.engine, order),
        Ask::Halt { scope, level } => row.set("reasons", halt_text(scope, level.name())),
        Ask::Basket(Announced { number, legs, money }) => {
            let money = Scaled { value: money.0, decimals: Money::DECIMALS };
            row.set("terms", format!("basket={number} legs={legs} money={money}"));
        }
        Ask::Beat => {}
    }
    row.set("origin", origin(request.origin));
    row.set("note", request.note);
    row
}

/// Type, time in force, and what else is asked, separated by blanks.
fn terms_text(engine: &Engine, terms: &Terms) -> String {
    let listed = engine.instruments().get(terms.instrument.0).map(|listed| listed.instrument);
    let scale = listed.map_or((0, 0), |i| (i.px_decimals, i.qty_decimals));
    let mut text = format!("{} {}", terms.order_type, terms.tif);
    for condition in terms.conditions.texts(scale.0, scale.1) {
        text.push(' ');
        text += &condition;
    }
    text
}

fn changed(seen: &Seen<'_>, control: &Control) -> Row {
    let (what, reasons, operator, note) = match control {
        Control::Halt { scope, level, why } => {
            ("halt", halt_text(*scope, level.name()), why.operator, why.note)
        }
        Control::HaltSymbol { symbol, level, why } => {
            ("halt", format!("symbol {symbol} {level}"), why.operator, why.note)
        }
        Control::Resume { scope, level, operator, note } => {
            ("resume", halt_text(*scope, level.name()), *operator, *note)
        }
        Control::ResumeSymbol { symbol, level, operator, note } => {
            ("resume", format!("symbol {symbol} {level}"), *operator, *note)
        }
        Control::Limits { version, operator, note, .. } => {
            ("limits", format!("version {version}"), *operator, *note)
        }
        Control::Approve { number, for_ns, operator, note } => {
            ("approve", format!("approval {number} for {for_ns} ns"), *operator, *note)
        }
        Control::Rate { from, to, num, den, at, operator, note } => {
            let [from, to] = [from, to].map(|code| String::from_utf8_lossy(code));
            let [from, to] = [&from, &to].map(|code| code.trim_end_matches('\0'));
            ("rate", format!("{from} {to} {num}/{den} at {}", at.0), *operator, *note)
        }
        Control::Split { symbol, num, den, operator, note } => {
            ("split", format!("symbol {symbol} {num} for {den}"), *operator, *note)
        }
        Control::Credit { account, limit, to, .. } => return credit(seen, *account, *limit, *to),
        other => return Row::new(seen, Kind::Control, &format!("{other:?}")),
    };
    let mut row = Row::new(seen, Kind::Control, what);
    row.set("reasons", reasons);
    row.set("origin", format!("operator {operator}").trim_end());
    row.set("note", note);
    row
}

/// Another slice of a limit: what was asked for, and what it is.
fn credit(seen: &Seen<'_>, account: AccountId, limit: CreditKind, to: i128) -> Row {
    let mut row = Row::new(seen, Kind::Control, "credit");
    row.account(seen.engine, account);
    let is_money =
        !matches!(limit, CreditKind::OpenOrders | CreditKind::Rate | CreditKind::Executions);
    let text = |value| match is_money {
        true => Scaled { value, decimals: Money::DECIMALS }.to_string(),
        false => value.to_string(),
    };
    let slice = seen.out.credited.and_then(|credited| credited.slice);
    let slice = slice.map_or("unchanged".to_owned(), text);
    row.set("reasons", format!("{limit} to {}: {slice}", text(to)));
    row.set("origin", "engine");
    row
}

/// A halt that nobody asked for: the engine's own.
fn went_off(seen: &Seen<'_>, record: &TapeRecord) -> Option<Row> {
    let is_asked = match &seen.input.body {
        Body::Request(request) => matches!(request.ask, Ask::Halt { .. }),
        Body::Control(control) => {
            matches!(control, Control::Halt { .. } | Control::HaltSymbol { .. })
        }
        Body::Event(_) | Body::Report(_) | Body::Timer => false,
    };
    let (scope, cause) = read_halt_aux(record.aux).filter(|_| !is_asked)?;
    let level = HaltLevel::from_code(record.code)?;
    let mut row = Row::new(seen, Kind::Control, "halt");
    row.set("reasons", halt_text(scope, level.name()));
    row.set("origin", "engine");
    row.set_maybe("note", cause.map(HaltCause::name));
    Some(row)
}

fn basket_over(seen: &Seen<'_>, record: &TapeRecord) -> Row {
    let mut row = Row::new(seen, Kind::Report, "basket_over");
    row.account(seen.engine, record.account);
    row.set("terms", format!("basket={} legs={}", record.aux, record.qty.0));
    row.set_maybe("reasons", BasketEnd::from_code(record.code));
    row
}

fn told(seen: &Seen<'_>, record: &TapeRecord) -> Option<Row> {
    let kind = match record.kind {
        TapeKind::Passed | TapeKind::Refused => Kind::Verdict,
        TapeKind::Fill | TapeKind::LateFill | TapeKind::OverFill | TapeKind::Bust => Kind::Fill,
        TapeKind::Working
        | TapeKind::Cancelled
        | TapeKind::Replaced
        | TapeKind::VenueRefused
        | TapeKind::Expired
        | TapeKind::Unknown
        | TapeKind::NotSent
        | TapeKind::Restated
        | TapeKind::Triggered
        | TapeKind::Mismatch => Kind::Report,
        TapeKind::Basket => return Some(basket_over(seen, record)),
        TapeKind::Halt => return went_off(seen, record),
        TapeKind::Trade
        | TapeKind::Alert
        | TapeKind::State
        | TapeKind::Integrity
        | TapeKind::Resumed
        | TapeKind::ResumeRefused => return None,
    };
    let mut row = Row::new(seen, kind, record.kind.name());
    row.account(seen.engine, record.account);
    row.terms(seen.engine, record.instrument, record.px, record.qty);
    row.set_maybe("side", record.side.map(Side::name));
    row.order(seen.engine, record.order);
    match record.kind {
        TapeKind::Refused => row.set("reasons", reasons(record)),
        TapeKind::Fill | TapeKind::LateFill | TapeKind::OverFill | TapeKind::Bust => {
            row.set("exec_id", record.aux)
        }
        _ => {}
    }
    Some(row)
}

/// Every failed check, the primary one first.
fn reasons(record: &TapeRecord) -> String {
    let primary = Reject::from_code(record.code);
    let others = Reject::in_bits(record.aux).filter(|code| Some(*code) != primary);
    primary.into_iter().chain(others).map(Reject::name).collect::<Vec<_>>().join(" ")
}

fn origin(origin: Origin) -> String {
    match origin {
        Origin::Desk(desk) => format!("desk {}", desk.0),
        Origin::Strategy(place) => format!("strategy {place}"),
        Origin::File => "file".into(),
    }
}

fn halt_text(scope: HaltScope, level: &str) -> String {
    match scope {
        HaltScope::All => format!("all {level}"),
        HaltScope::Account(account) => format!("account {} {level}", account.0),
        HaltScope::Instrument(instrument) => format!("instrument {} {level}", instrument.0),
        HaltScope::Strategy(place) => format!("strategy {place} {level}"),
        HaltScope::Desk(desk) => format!("desk {} {level}", desk.0),
    }
}
