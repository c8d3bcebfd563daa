//! What may be traded, and how much, in the operator's decimals. Resolved to an instrument's own units when the venue
//! lists it: a rule that is not a whole number of those units does not apply, and what has no rule is blocked.

use model::page::Permission;
use model::{Currency, Instrument, Money, Px, Qty, Symbol};
use rust_decimal::Decimal;

/// All rules of an engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// By instrument.
    pub instruments: Vec<InstrumentRule>,
    /// The accounts, in the order of their numbers.
    pub accounts: Vec<AccountRule>,
    /// By account and instrument.
    pub limits: Vec<LimitRule>,
}

/// What an order in an instrument must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentRule {
    /// Which; `None`: every instrument without a row of its own.
    pub symbol: Option<Symbol>,
    /// Price step of orders.
    pub px_step: Decimal,
    /// Quantity step of orders.
    pub lot: Decimal,
    /// Settlement currency.
    pub currency: Currency,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRule {
    /// Its name.
    pub name: Symbol,
    /// What it may do.
    pub permission: Permission,
    /// Whether clients over shared memory may trade on it.
    pub clients: bool,
    /// Whether a client's working orders are cancelled when its connection ends.
    pub cancel_on_disconnect: bool,
    /// Currency of every sum here.
    pub currency: Currency,
    /// Cash at the start.
    pub cash: Decimal,
    /// Largest worst-case gross exposure.
    pub gross_max: Decimal,
    /// Most orders open at once.
    pub open_orders_max: u32,
    /// Most risk-carrying requests within the window.
    pub rate_max: u32,
    /// The window.
    pub rate_window_ns: u64,
}

/// One account in one instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitRule {
    /// Whose.
    pub account: Symbol,
    /// In what; `None`: every instrument without a row of its own for this account.
    pub symbol: Option<Symbol>,
    /// Largest quantity of one order.
    pub clip_max: Decimal,
    /// Largest notional of one order.
    pub notional_max: Decimal,
    /// Largest worst-case long position.
    pub long_max: Decimal,
    /// Largest worst-case short position, as a positive number.
    pub short_max: Decimal,
    /// How far an order may be priced through the reference, basis points.
    pub band_bps: u32,
    /// How old the instrument's last news may be while its channel is silent.
    pub age_max_ns: u64,
    /// Whether a quiet instrument is stale even while its channel speaks.
    pub symbol_age_alone: bool,
}

impl Rules {
    /// Completes a listed instrument with what its rule says; without one it stays unconfigured, which blocks orders.
    pub fn complete(&self, instrument: &mut Instrument) {
        let own = |rule: &&InstrumentRule| rule.symbol == Some(instrument.symbol);
        let all = |rule: &&InstrumentRule| rule.symbol.is_none();
        let Some(rule) =
            self.instruments.iter().find(own).or_else(|| self.instruments.iter().find(all))
        else {
            return;
        };
        let step = units(rule.px_step, instrument.px_decimals);
        let lot = units(rule.lot, instrument.qty_decimals);
        if let (Some(step), Some(lot)) = (step, lot) {
            instrument.px_step = Px(step);
            instrument.lot = Qty(lot);
            instrument.currency = rule.currency;
        }
    }

    /// The limits of an account in an instrument; `None`: no row, or one that does not fit the instrument's units.
    pub fn limits(
        &self,
        account: &AccountRule,
        instrument: &Instrument,
    ) -> Option<risk::PairLimits> {
        let mut rows = self.limits.iter().filter(|row| row.account == account.name);
        let own = rows.clone().find(|row| row.symbol == Some(instrument.symbol));
        let row = own.or_else(|| rows.find(|row| row.symbol.is_none()))?;
        let qty = |value| units(value, instrument.qty_decimals).map(Qty);
        Some(risk::PairLimits {
            clip_max: qty(row.clip_max)?,
            notional_max: money(row.notional_max)?,
            long_max: qty(row.long_max)?,
            short_max: qty(row.short_max)?,
            band_bps: row.band_bps,
            age_max_ns: row.age_max_ns,
            symbol_age_alone: row.symbol_age_alone,
        })
    }
}

/// A decimal in units of 10^-`decimals`, if it is a whole number of them.
pub fn units(value: Decimal, decimals: u8) -> Option<i64> {
    let value = value.normalize();
    let mantissa = i64::try_from(value.mantissa()).ok()?;
    Px::from_venue(mantissa, value.scale(), decimals.into()).ok().map(|px| px.0)
}

/// A decimal as money; `None` beyond 12 decimal places or the range of [`Money`].
pub fn money(value: Decimal) -> Option<Money> {
    let value = value.normalize();
    let places = Money::DECIMALS.checked_sub(value.scale())?;
    value.mantissa().checked_mul(10_i128.pow(places)).map(Money)
}
