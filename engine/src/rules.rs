//! What may be traded, and how much, in the operator's decimals. Resolved to an instrument's own units when the venue
//! lists it: a rule that is not a whole number of those units does not apply, and what has no rule is blocked.

pub mod changes;
mod exact;
mod lookup;
mod triggers;

use model::page::Permission;
use model::{AccountId, Currency, Instrument, Money, Px, Qty, Symbol, Ts};
use risk::{Fee, LossStops, MarkAt, OrderToTrade, Reference, Restriction, SoftLimits, VolumeLimit};
use rust_decimal::Decimal;

pub(crate) use lookup::{Index, Lookup};
pub use triggers::{AccountTriggers, ClockRule, EngineTriggers, FillsRule, GapRule, StormRule};

/// All rules of an engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rules {
    /// By instrument.
    pub instruments: Vec<InstrumentRule>,
    /// The accounts, in the order of their numbers.
    pub accounts: Vec<AccountRule>,
    /// By account and instrument.
    pub limits: Vec<LimitRule>,
    /// What currencies are worth in one another.
    pub rates: Vec<RateRule>,
    /// Fee schedules, by their names.
    pub fees: Vec<FeeRule>,
    /// When a session begins: nanoseconds after midnight UTC.
    pub session_start_ns: u64,
    /// What sets the kill switch off, whichever account it is about.
    pub triggers: EngineTriggers,
}

/// What an order in an instrument must look like.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InstrumentRule {
    /// Which; `None`: every instrument without a row of its own.
    pub symbol: Option<Symbol>,
    /// Price step of orders.
    #[serde(with = "exact")]
    pub px_step: Decimal,
    /// Quantity step of orders.
    #[serde(with = "exact")]
    pub lot: Decimal,
    /// Settlement currency.
    pub currency: Currency,
    /// What trades on an average day, and when that is too old to count.
    #[serde(with = "exact")]
    pub adv: Option<(Decimal, Ts)>,
    /// Lowest and highest price at which the venue trades.
    #[serde(with = "exact")]
    pub band: Option<(Decimal, Decimal)>,
}

/// One account. `None`: the limit is off.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AccountRule {
    /// Its name.
    pub name: Symbol,
    /// The account above it, whose limits its orders must pass as well.
    pub parent: Option<Symbol>,
    /// What it may do.
    pub permission: Permission,
    /// Whether clients over shared memory may trade on it.
    pub clients: bool,
    /// Whether a client's working orders are cancelled when its connection ends.
    pub cancel_on_disconnect: bool,
    /// Currency of every sum here.
    pub currency: Currency,
    /// Cash at the start.
    #[serde(with = "exact")]
    pub cash: Decimal,
    /// Whether open buys must be covered by settled cash.
    pub cash_binds: bool,
    /// Largest worst-case gross exposure.
    #[serde(with = "exact")]
    pub gross_max: Decimal,
    /// Largest worst-case net exposure.
    #[serde(with = "exact")]
    pub net_max: Option<Decimal>,
    /// Most that may trade in a session, with what is open.
    #[serde(with = "exact")]
    pub day_gross_max: Option<Decimal>,
    /// Most that may be lost in a session.
    #[serde(with = "exact")]
    pub loss_max: Option<Decimal>,
    /// How far equity may fall below its highest, basis points.
    pub drawdown_max_bps: Option<u32>,
    /// What a loss or drawdown beyond its limit stops.
    pub loss_stops: LossStops,
    /// At which price positions count in profit and loss.
    pub mark_at: MarkAt,
    /// Most orders open at once.
    pub open_orders_max: u32,
    /// Most risk-carrying requests within the window.
    pub rate_max: u32,
    /// The window.
    pub rate_window_ns: u64,
    /// Most money in orders within a window of so many nanoseconds.
    #[serde(with = "exact")]
    pub volume: Option<(Decimal, u64)>,
    /// Most money in one basket.
    #[serde(with = "exact")]
    pub basket_max: Option<Decimal>,
    /// Most orders for what trades in a session.
    pub order_to_trade: Option<OrderToTrade>,
    /// Fills after which an operator must allow more.
    pub executions_max: Option<u32>,
    /// How often the same terms may come.
    pub duplicates: Option<DuplicatesRule>,
    /// Whether an order that could meet one of the same owner is refused.
    pub no_self_trade: bool,
    /// What sets its kill switch off.
    pub triggers: AccountTriggers,
}

/// How often the same terms may come.
pub type DuplicatesRule = risk::Duplicates;

/// What one currency is worth in another, for accounts of that one above accounts of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RateRule {
    /// Of what.
    pub from: Currency,
    /// In what.
    pub to: Currency,
    /// How old a rate may be.
    pub age_max_ns: u64,
    /// The rate at the start; `None`: it must be told first.
    pub rate: Option<risk::Rate>,
}

/// A fee schedule.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FeeRule {
    /// Its name.
    pub name: Symbol,
    /// Basis points of what trades; negative: a rebate.
    #[serde(with = "exact")]
    pub bps: Decimal,
    /// Money for every whole quantity.
    #[serde(with = "exact")]
    pub each: Decimal,
    /// The fee of a fill is rounded up to a multiple of this.
    #[serde(with = "exact")]
    pub unit: Decimal,
}

/// One account in one instrument.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LimitRule {
    /// Whose.
    pub account: Symbol,
    /// In what; `None`: every instrument without a row of its own for this account.
    pub symbol: Option<Symbol>,
    /// Largest quantity of one order.
    #[serde(with = "exact")]
    pub clip_max: Decimal,
    /// Largest notional of one order.
    #[serde(with = "exact")]
    pub notional_max: Decimal,
    /// Largest worst-case long position.
    #[serde(with = "exact")]
    pub long_max: Decimal,
    /// Largest worst-case short position, as a positive number.
    #[serde(with = "exact")]
    pub short_max: Decimal,
    /// How far an order may be priced through the reference, basis points.
    pub band_bps: u32,
    /// The same as a price; an order must be outside both to be refused. `None`: the other alone.
    #[serde(with = "exact")]
    pub band_px: Option<Decimal>,
    /// Whether a price on the passive side counts like one through the reference.
    pub band_both_sides: bool,
    /// How old the instrument's last news may be while its channel is silent.
    pub age_max_ns: u64,
    /// How old a price may be for the band to be measured from it.
    pub reference_age_max_ns: u64,
    /// Whether a quiet instrument is stale even while its channel speaks.
    pub symbol_age_alone: bool,
    /// What the operator's list forbids.
    pub restricted: Restriction,
    /// Widest spread that may be believed, basis points.
    pub spread_max_bps: Option<u32>,
    /// Largest order against an average day, basis points.
    pub adv_max_bps: Option<u32>,
    /// Whether the venue's band must be known and kept.
    pub venue_band: bool,
    /// Quantity located for short sales.
    #[serde(with = "exact")]
    pub located: Option<Decimal>,
    /// What a position takes of the account's equity.
    pub margin: Option<risk::Margin>,
    /// Largest order in quantity without an operator's approval.
    #[serde(with = "exact")]
    pub soft_clip_max: Option<Decimal>,
    /// The same in money.
    #[serde(with = "exact")]
    pub soft_notional_max: Option<Decimal>,
    /// How far an order may be priced through the reference without approval, basis points.
    pub soft_band_bps: Option<u32>,
    /// Name of its fee schedule; `None`: nothing is charged.
    pub fees: Option<Symbol>,
}

impl Rules {
    /// The number of an account: its place in the configuration.
    pub fn account(&self, name: Symbol) -> Option<AccountId> {
        let place = self.accounts.iter().position(|account| account.name == name)?;
        u16::try_from(place).ok().map(AccountId)
    }

    /// What a row says in the units of an instrument; `None`: it does not fit them.
    fn limits_of(&self, row: &LimitRule, instrument: &Instrument) -> Option<risk::PairLimits> {
        let qty = |value| units(value, instrument.qty_decimals).map(Qty);
        let fee = self.fee(row, instrument)?;
        let qty_or_off = |value: Option<Decimal>| match value {
            Some(value) => Some(Some(qty(value)?)),
            None => Some(None),
        };
        let soft = SoftLimits {
            clip_max: qty_or_off(row.soft_clip_max)?,
            notional_max: match row.soft_notional_max {
                Some(sum) => Some(money(sum)?),
                None => None,
            },
            band_bps: row.soft_band_bps,
        };
        let band_px = row.band_px.map_or(Some(0), |px| units(px, instrument.px_decimals))?;
        Some(risk::PairLimits {
            clip_max: qty(row.clip_max)?,
            notional_max: money(row.notional_max)?,
            long_max: qty(row.long_max)?,
            short_max: qty(row.short_max)?,
            band_bps: row.band_bps,
            band_px,
            band_both_sides: row.band_both_sides,
            age_max_ns: row.age_max_ns,
            reference_age_max_ns: row.reference_age_max_ns,
            symbol_age_alone: row.symbol_age_alone,
            restricted: row.restricted,
            spread_max_bps: row.spread_max_bps,
            adv_max_bps: row.adv_max_bps,
            venue_band: row.venue_band,
            located: qty_or_off(row.located)?,
            margin: row.margin,
            soft,
            fee,
        })
    }

    /// The fee of a row; `None`: the schedule does not fit the instrument's units.
    fn fee(&self, row: &LimitRule, instrument: &Instrument) -> Option<Fee> {
        let Some(name) = row.fees else { return Some(Fee::NONE) };
        let schedule = self.fees.iter().find(|schedule| schedule.name == name)?;
        let factor = instrument.money_factor()?;
        let whole = 10_i128.checked_pow(instrument.qty_decimals.into())?;
        let each = money(schedule.each).filter(|each| each.0 % whole == 0)?;
        let rate = units(schedule.bps, 2)?;
        Fee::new(rate, Money(each.0 / whole), money(schedule.unit)?, factor)
    }
}

impl InstrumentRule {
    /// What it says of an instrument that nobody else does; what is not a whole number of its units is not known.
    pub fn reference(&self, instrument: &Instrument) -> Reference {
        let adv = self.adv.and_then(|(adv, until)| {
            units(adv, instrument.qty_decimals).map(|adv| (Qty(adv), until))
        });
        let band = self.band.and_then(|(lowest, highest)| {
            let px = |value| units(value, instrument.px_decimals).map(Px);
            Some((px(lowest)?, px(highest)?))
        });
        Reference { adv, band }
    }

    /// Completes a listed instrument. Whatever no rule completes stays unconfigured, which blocks orders.
    pub fn complete(&self, instrument: &mut Instrument) {
        let step = units(self.px_step, instrument.px_decimals);
        let lot = units(self.lot, instrument.qty_decimals);
        if let (Some(step), Some(lot)) = (step, lot) {
            instrument.px_step = Px(step);
            instrument.lot = Qty(lot);
            instrument.currency = self.currency;
        }
    }
}

impl AccountRule {
    /// The rule as the gate takes it. `number` gives the number of an account; `None`: a sum is no exact money.
    pub fn limits(
        &self,
        number: impl Fn(Symbol) -> Option<AccountId>,
    ) -> Option<risk::AccountLimits> {
        let maybe = |limit: Option<Decimal>| match limit {
            Some(limit) => money(limit).map(Some),
            None => Some(None),
        };
        let volume = match self.volume {
            Some((max, window_ns)) => Some(VolumeLimit { max: money(max)?, window_ns }),
            None => None,
        };
        let parent = match self.parent {
            Some(name) => Some(number(name)?),
            None => None,
        };
        Some(risk::AccountLimits {
            name: self.name,
            parent,
            permission: self.permission,
            clients: self.clients,
            currency: self.currency,
            cash: money(self.cash)?,
            cash_binds: self.cash_binds,
            gross_max: money(self.gross_max)?,
            net_max: maybe(self.net_max)?,
            day_gross_max: maybe(self.day_gross_max)?,
            loss_max: maybe(self.loss_max)?,
            drawdown_max_bps: self.drawdown_max_bps,
            loss_stops: self.loss_stops,
            mark_at: self.mark_at,
            open_orders_max: self.open_orders_max,
            rate_max: self.rate_max,
            rate_window_ns: self.rate_window_ns,
            volume,
            basket_max: maybe(self.basket_max)?,
            order_to_trade: self.order_to_trade,
            executions_max: self.executions_max,
            duplicates: self.duplicates,
            no_self_trade: self.no_self_trade,
            change_rule: risk::ChangeRule::Worst,
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
