//! What another limits.toml says otherwise, and which of it is looser. The one place that decides what needs an operator.
//!
//! Every rule is taken apart field by field: a field that is new and not compared here does not compile.

mod tell;

use std::collections::BTreeSet;

use model::page::Permission;
use model::{Instrument, Money, Symbol};
use risk::{Duplicates, LossStops, Margin, MarkAt, OrderToTrade, Restriction};

use super::{AccountRule, AccountTriggers, EngineTriggers, FeeRule, LimitRule, RateRule, Rules};
use tell::{Teller, ms};

/// Most decimal places of price and quantity for which it is looked at whether a fee fits them.
const FEE_DECIMALS: u8 = 8;

/// What a change does to the orders that come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Fewer pass.
    Tighter,
    /// More may pass.
    Looser,
    /// Neither, such as a fee.
    Neither,
}

impl Effect {
    /// The word that tools print.
    pub const fn name(self) -> &'static str {
        match self {
            Effect::Tighter => "tighter",
            Effect::Looser => "looser",
            Effect::Neither => "neither",
        }
    }
}

/// One thing that is said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Account, symbol and key: `agent * clip_max`.
    pub what: String,
    /// As it was.
    pub old: String,
    /// As it shall be.
    pub new: String,
    /// What that does.
    pub effect: Effect,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Change { what, old, new, effect } = self;
        let effect = match effect {
            Effect::Neither => String::new(),
            effect => format!(" ({})", effect.name()),
        };
        write!(f, "{what}: {old} -> {new}{effect}")
    }
}

/// Everything in which `new` differs, account by account.
///
/// # Errors
///
/// What cannot change while an engine keeps its books: how many accounts there are and in which order, their names, parents,
/// currencies, starting cash and marks, when a session begins. Instruments are not compared: they are another file's.
pub fn changes(old: &Rules, new: &Rules) -> Result<Vec<Change>, Vec<String>> {
    let Rules { instruments: _, accounts, limits: _, fees: _, rates, triggers, session_start_ns } =
        old;
    let mut tell = Teller::default();
    tell.fixed("session_start", ms(*session_start_ns), ms(new.session_start_ns));
    let text = |rates: &[RateRule]| format!("{rates:?}");
    // What they count with stands from the start on.
    let known = |triggers: &EngineTriggers| format!("{triggers:?}");
    tell.fixed("[triggers]", known(triggers), known(&new.triggers));
    tell.fixed("rates", text(rates), text(&new.rates));
    let names = |accounts: &[AccountRule]| {
        accounts.iter().map(|account| account.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    tell.fixed("accounts", names(accounts), names(&new.accounts));
    for (was, is) in accounts.iter().zip(&new.accounts) {
        tell.of = format!("{} ", was.name);
        account(was, is, &mut tell);
        let own = |rules: &Rules| {
            let rows = rules.limits.iter().filter(|row| row.account == was.name);
            rows.map(|row| row.symbol).collect::<BTreeSet<Option<Symbol>>>()
        };
        for symbol in &own(old) | &own(new) {
            let name = symbol.map_or("*".to_owned(), |symbol| symbol.to_string());
            tell.of = format!("{} {name} ", was.name);
            match (row(old, was.name, symbol), row(new, was.name, symbol)) {
                (Some(was), Some(is)) => {
                    pair(was, is, &mut tell);
                    scales([old, new], [was, is], &mut tell);
                }
                (None, Some(_)) => tell.note("row", "none", "there", Effect::Looser),
                (Some(_), None) => tell.note("row", "there", "none", Effect::Tighter),
                (None, None) => {}
            }
        }
    }
    tell.of = "fees ".to_owned();
    fees(&old.fees, &new.fees, &mut tell);
    if tell.fixed.is_empty() { Ok(tell.changes) } else { Err(tell.fixed) }
}

/// What is looser in `new`, in words; empty: it needs no operator. Nothing can be said of what [`changes`] refuses.
pub fn loosens(old: &Rules, new: &Rules) -> Vec<String> {
    let changes = changes(old, new).unwrap_or_default();
    let looser = changes.iter().filter(|change| change.effect == Effect::Looser);
    looser.map(ToString::to_string).collect()
}

/// The row that holds for a symbol, or for every symbol without one of its own.
fn row(rules: &Rules, account: Symbol, symbol: Option<Symbol>) -> Option<&LimitRule> {
    let rows = rules.limits.iter().filter(|row| row.account == account);
    let of = |symbol: Option<Symbol>| rows.clone().find(|row| row.symbol == symbol);
    of(symbol).or_else(|| of(None))
}

fn account(old: &AccountRule, new: &AccountRule, tell: &mut Teller) {
    let AccountRule {
        name: _, // Compared with all others, in their order.
        parent,
        permission,
        clients,
        cancel_on_disconnect,
        currency,
        cash,
        cash_binds,
        gross_max,
        net_max,
        day_gross_max,
        loss_max,
        drawdown_max_bps,
        loss_stops,
        mark_at,
        open_orders_max,
        rate_max,
        rate_window_ns,
        volume,
        basket_max,
        order_to_trade,
        executions_max,
        duplicates,
        no_self_trade,
        triggers,
    } = old;
    let known = |triggers: &AccountTriggers| format!("{triggers:?}");
    tell.fixed("triggers", known(triggers), known(&new.triggers));
    let top = |parent: Option<Symbol>| parent.map_or("none".to_owned(), |name| name.to_string());
    tell.fixed("parent", top(*parent), top(new.parent));
    let text = |currency: &[u8]| String::from_utf8_lossy(currency).replace('\0', "");
    tell.fixed("currency", text(currency), text(&new.currency));
    tell.fixed("cash", cash.normalize().to_string(), new.cash.normalize().to_string());
    let words = ["cash", "off"];
    tell.strict("buying_power", words, *cash_binds, new.cash_binds);
    let mark = |mark| if mark == MarkAt::Exit { "exit" } else { "mid" }.to_owned();
    tell.fixed("mark_at", mark(*mark_at), mark(new.mark_at));
    let rank = |permission| match permission {
        Permission::Read => 0,
        Permission::CloseOnly => 1,
        Permission::Trade => 2,
    };
    let looser = rank(new.permission).cmp(&rank(*permission));
    tell.ordered("permission", permission.name(), new.permission.name(), looser);
    tell.strict("clients", ["false", "true"], !clients, !new.clients);
    let words = ["true", "false"];
    tell.strict("cancel_on_disconnect", words, *cancel_on_disconnect, new.cancel_on_disconnect);
    tell.most("gross_max", *gross_max, new.gross_max);
    tell.most_or_off("net_max", *net_max, new.net_max);
    tell.most_or_off("day_gross_max", *day_gross_max, new.day_gross_max);
    tell.most_or_off("loss_max", *loss_max, new.loss_max);
    tell.most_or_off("drawdown_max_bps", *drawdown_max_bps, new.drawdown_max_bps);
    let all = |stops| stops == LossStops::All;
    tell.strict("loss_stops", ["all", "increase"], all(*loss_stops), all(new.loss_stops));
    tell.most("open_orders_max", *open_orders_max, new.open_orders_max);
    tell.most("rate_max", *rate_max, new.rate_max);
    tell.window("rate_window_ms", Some(*rate_window_ns), Some(new.rate_window_ns));
    let [was, is] = [volume, &new.volume];
    tell.most_or_off("volume_max", was.map(|(max, _)| max), is.map(|(max, _)| max));
    tell.window("volume_window_ms", was.map(|(_, ns)| ns), is.map(|(_, ns)| ns));
    tell.most_or_off("basket_max", *basket_max, new.basket_max);
    let parts = |rule: Option<OrderToTrade>| {
        let (ratio, free) = rule.map(|OrderToTrade { ratio_max, free }| (ratio_max, free)).unzip();
        (ratio, free)
    };
    let ((was, was_free), (is, is_free)) = (parts(*order_to_trade), parts(new.order_to_trade));
    tell.most_or_off("order_to_trade_max", was, is);
    tell.most_of_both("order_to_trade_free", was_free, is_free);
    tell.most_or_off("executions_max", *executions_max, new.executions_max);
    let parts = |rule: Option<Duplicates>| {
        rule.map(|Duplicates { max, window_ns }| (max, window_ns)).unzip()
    };
    let ((was, was_ns), (is, is_ns)) = (parts(*duplicates), parts(new.duplicates));
    tell.most_or_off("duplicates_max", was, is);
    tell.window("duplicates_window_ms", was_ns, is_ns);
    tell.strict("self_trade", ["refuse", "off"], *no_self_trade, new.no_self_trade);
}

fn pair(old: &LimitRule, new: &LimitRule, tell: &mut Teller) {
    let LimitRule {
        account: _,
        symbol: _,
        clip_max,
        notional_max,
        long_max,
        short_max,
        band_bps,
        band_px,
        band_both_sides,
        age_max_ns,
        reference_age_max_ns,
        symbol_age_alone,
        restricted,
        spread_max_bps,
        adv_max_bps,
        venue_band,
        located,
        margin,
        soft_clip_max,
        soft_notional_max,
        soft_band_bps,
        fees,
    } = old;

    tell.most("clip_max", *clip_max, new.clip_max);
    tell.most("notional_max", *notional_max, new.notional_max);
    tell.most("long_max", *long_max, new.long_max);
    tell.most("short_max", *short_max, new.short_max);
    tell.most("band_bps", *band_bps, new.band_bps);
    // An order must be outside both bands to be refused: this one can only widen the other.
    let px = |band: Option<rust_decimal::Decimal>| band.unwrap_or_default();
    let words = [*band_px, new.band_px].map(tell::or_off);
    let [was, is] = &words;
    tell.ordered("band_px", was, is, px(new.band_px).cmp(&px(*band_px)));
    let words = ["both", "aggressive"];
    tell.strict("band_sides", words, *band_both_sides, new.band_both_sides);
    tell.most("age_max_ms", ms(*age_max_ns), ms(new.age_max_ns));
    tell.most("reference_age_max_ms", ms(*reference_age_max_ns), ms(new.reference_age_max_ns));
    let words = ["true", "false"];
    tell.strict("symbol_age_alone", words, *symbol_age_alone, new.symbol_age_alone);
    let [was, is] = [*restricted, new.restricted];
    let effect = restriction(was, is);
    tell.note("restricted", restricted_name(was), restricted_name(is), effect);
    tell.most_or_off("spread_max_bps", *spread_max_bps, new.spread_max_bps);
    tell.most_or_off("adv_max_bps", *adv_max_bps, new.adv_max_bps);
    tell.strict("venue_band", ["keep", "off"], *venue_band, new.venue_band);
    tell.most_or_off("located", *located, new.located);
    let parts =
        |margin: Option<Margin>| margin.map(|Margin { long_bps, short_bps }| (long_bps, short_bps));
    let ((was, was_short), (is, is_short)) = (parts(*margin).unzip(), parts(new.margin).unzip());
    tell.least_or_off("margin_long_bps", was, is);
    if was_short.is_some() && is_short.is_some() {
        tell.least_or_off("margin_short_bps", was_short, is_short);
    }
    tell.most_or_off("soft_clip_max", *soft_clip_max, new.soft_clip_max);
    tell.most_or_off("soft_notional_max", *soft_notional_max, new.soft_notional_max);
    tell.most_or_off("soft_band_bps", *soft_band_bps, new.soft_band_bps);
    let name = |fees: Option<Symbol>| fees.map_or("none".to_owned(), |name| name.to_string());
    tell.note("fees", name(*fees), name(new.fees), Effect::Neither);
}

/// An instrument of each scale that there can be.
fn every_scale() -> impl Iterator<Item = Instrument> {
    let most = Money::DECIMALS as u8;
    let scales = (0..=most).flat_map(move |px| (0..=most - px).map(move |qty| (px, qty)));
    scales.map(|(px_decimals, qty_decimals)| Instrument {
        px_decimals,
        qty_decimals,
        ..Instrument::default()
    })
}

impl Rules {
    /// Whether there can be an instrument that a row does not block, fees aside.
    pub(crate) fn fits_something(&self, row: &LimitRule) -> bool {
        let bare = LimitRule { fees: None, ..row.clone() };
        every_scale().any(|instrument| self.limits_of(&bare, &instrument).is_some())
    }
}

/// A row that is not a whole number of an instrument's units blocks it: one that fits where it did not is looser, whatever its
/// numbers say.
fn scales(rules: [&Rules; 2], rows: [&LimitRule; 2], tell: &mut Teller) {
    let bare = rows.map(|row| LimitRule { fees: None, ..row.clone() });
    let (mut more, mut fewer) = (0, 0);
    for instrument in every_scale() {
        let Instrument { px_decimals, qty_decimals, .. } = instrument;
        let fits = |rules: &Rules, row| rules.limits_of(row, &instrument).is_some();
        // Beyond the scales that venues count in, a fee of fewer places would always be looser.
        let with_fees = px_decimals.max(qty_decimals) <= FEE_DECIMALS;
        let ([old, new], [was, is]) = (rules, if with_fees { rows } else { bare.each_ref() });
        match (fits(old, was), fits(new, is)) {
            (false, true) => more += 1,
            (true, false) => fewer += 1,
            _ => {}
        }
    }
    let effect = if more > 0 { Effect::Looser } else { Effect::Tighter };
    let now = format!("{more} more and {fewer} fewer that it fits");
    if more + fewer > 0 {
        tell.note("scales of instruments", "as they were", now, effect);
    }
}

/// A list that no longer forbids all that it forbade is looser.
fn restriction(old: Restriction, new: Restriction) -> Effect {
    match (old, new) {
        _ if old == new => Effect::Neither,
        (Restriction::None, _) | (_, Restriction::All) => Effect::Tighter,
        _ => Effect::Looser,
    }
}

fn restricted_name(of: Restriction) -> &'static str {
    match of {
        Restriction::None => "none",
        Restriction::Buy => "buy",
        Restriction::Sell => "sell",
        Restriction::All => "all",
        Restriction::Increase => "increase",
    }
}

/// What is charged lets nobody do more or less, but for the cash that it takes.
fn fees(old: &[FeeRule], new: &[FeeRule], tell: &mut Teller) {
    let text = |schedules: &[FeeRule], name| {
        let schedule = schedules.iter().find(|schedule| schedule.name == name);
        schedule.map_or("none".to_owned(), |FeeRule { name: _, bps, each, unit }| {
            format!("{bps} bps, {each} each, unit {unit}")
        })
    };
    let names: BTreeSet<Symbol> = old.iter().chain(new).map(|schedule| schedule.name).collect();
    for name in names {
        tell.note(name.as_str(), text(old, name), text(new, name), Effect::Neither);
    }
}

#[cfg(test)]
mod tests;
