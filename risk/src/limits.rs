//! What the operator allows. There is no default for a limit: what is not set blocks, and what is off says so.

use model::page::Permission;
use model::{AccountId, Currency, Money, Qty, Symbol};

use crate::fee::Fee;
use crate::money::{self, WORTH_MAX};

/// Largest `rate_max`: the window keeps one time for each request.
pub const RATE_MAX: u32 = 1 << 20;
/// Most accounts on the way from an account to the top of its tree.
pub const DEPTH_MAX: usize = 4;
/// Largest number of equal orders that a window may allow: each entry keeps so many times.
pub const DUPLICATES_MAX: u8 = 8;

/// Sizes of all tables, fixed at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Capacity {
    /// Accounts that can be added.
    pub accounts: u16,
    /// Instruments that can be listed; every id is below this.
    pub instruments: u32,
    /// Pairs of account and instrument that can ever be traded.
    pub lines: u32,
    /// Client order ids that each account can use. An account has a table of its own, so that none fills
    /// another's.
    pub ids_per_account: u32,
    /// Orders that can be open at once.
    pub orders: u32,
    /// Lots of positions that can be open at once, over all lines: an account above counts those beneath it as its own.
    pub lots: u32,
    /// Different rows of limits that pairs can have: a row of the configuration makes one for each scale of
    /// instruments that it is read in.
    pub rows: u32,
}

/// At which price a position is valued for profit and loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum MarkAt {
    /// Where it could be closed: a long position at the bid, a short one at the ask.
    #[default]
    Exit,
    /// Half way between bid and ask.
    Mid,
}

/// How an order counts while a replace of it is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ChangeRule {
    /// At the worst of every way in which both terms can fill: cash is asked and held for the dearest way,
    /// and the price nearer to the other side counts against self-trades.
    #[default]
    Worst,
    /// As two plain orders would be judged one after the other: the new terms alone must pass, the larger
    /// quantity at the larger price is held, the price in force counts against self-trades.
    Plain,
}

/// What a loss beyond its limit stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum LossStops {
    /// Every order that could add to a position.
    #[default]
    Increase,
    /// Every order.
    All,
}

/// Who may not trade an instrument, by an operator's list.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Restriction {
    /// Anyone may.
    #[default]
    None,
    /// Nobody may buy.
    Buy,
    /// Nobody may sell.
    Sell,
    /// Nobody may trade.
    All,
    /// Only what reduces a position may trade.
    Increase,
}

/// Most money in orders within a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VolumeLimit {
    /// Most price · quantity of the orders and replaces that passed.
    pub max: Money,
    /// Length of the window, nanoseconds; counted in eighths, so that up to an eighth more is looked back on.
    pub window_ns: u64,
}

/// Most orders for what trades in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OrderToTrade {
    /// Most orders per trade, less one (RTS 9). A new order counts once, a replace twice.
    pub ratio_max: u32,
    /// Orders of a session that are free of it.
    pub free: u32,
}

/// What a position takes, in basis points of its worth at the mark, all working orders of its side filled.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Margin {
    /// Of a long position.
    pub long_bps: u32,
    /// Of a short one.
    pub short_bps: u32,
}

impl Margin {
    /// Twice what is required, times [`crate::account::BASIS_POINTS`], of a pair whose worst cases are worth `long2` and
    /// `short2` doubled. Stops at [`WORTH_MAX`], which the check refuses.
    pub(crate) fn required(&self, long2: i128, short2: i128) -> i128 {
        let side = |worth2: i128, bps: u32| money::times(worth2.max(0), bps);
        side(long2, self.long_bps).max(side(short2, self.short_bps)).min(WORTH_MAX)
    }
}

/// Limits of one order that an operator can approve it beyond. Each `None`: off.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct SoftLimits {
    /// Largest quantity without approval, in quantity units.
    pub clip_max: Option<Qty>,
    /// Largest price · quantity without approval, as [`PairLimits::notional_max`].
    pub notional_max: Option<Money>,
    /// How far an order may be priced through the reference without approval, in basis points, on the sides that
    /// [`PairLimits::band_both_sides`] says.
    pub band_bps: Option<u32>,
}

impl SoftLimits {
    /// Every one of them is off.
    pub const OFF: SoftLimits = SoftLimits { clip_max: None, notional_max: None, band_bps: None };

    /// Whether every one of them is off.
    #[inline(always)]
    pub(crate) fn is_off(&self) -> bool {
        self.clip_max.is_none() && self.notional_max.is_none() && self.band_bps.is_none()
    }
}

/// How often the same terms may come: account, instrument, side, type, time in force, price, quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Duplicates {
    /// Most orders of the same terms within the window, refused ones included; at most [`DUPLICATES_MAX`].
    pub max: u8,
    /// Length of the window, nanoseconds.
    pub window_ns: u64,
}

/// The limits of one account, and what it starts with. All money in `currency`.
///
/// Accounts form trees. An order goes on one account and must pass the limits of every account above it as
/// well, each of which counts whatever is done beneath it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AccountLimits {
    /// Its name in the configuration.
    pub name: Symbol,
    /// The account above, which was added before. If it is of another currency it needs a rate: [`crate::Risk::set_rate`].
    pub parent: Option<AccountId>,
    /// What it may do.
    pub permission: Permission,
    /// Whether clients over shared memory may trade on it; strategies of the engine always may.
    pub clients: bool,
    /// Currency of every sum of the account; an instrument of another currency is not permitted to it.
    pub currency: Currency,
    /// Settled cash at the start.
    pub cash: Money,
    /// Whether open buys must be covered by settled cash; an account that buys on margin is not held to it.
    pub cash_binds: bool,
    /// Largest worst-case gross exposure: Σ max(pos + working buys, working sells − pos) · mark.
    pub gross_max: Money,
    /// Largest worst-case net exposure: |Σ pos · mark| + the larger side of the working orders; `None`: off.
    pub net_max: Option<Money>,
    /// Most that may trade in a session, purchases and sales both counted, with what is open; `None`: off.
    pub day_gross_max: Option<Money>,
    /// Most that may be lost since the session began, fees included; `None`: off.
    pub loss_max: Option<Money>,
    /// How far equity may fall below its highest, in basis points of that; `None`: off.
    pub drawdown_max_bps: Option<u32>,
    /// What a loss or drawdown beyond its limit stops.
    pub loss_stops: LossStops,
    /// At which price positions count in profit and loss.
    pub mark_at: MarkAt,
    /// Most orders that may be open at once.
    pub open_orders_max: u32,
    /// Most new orders and replaces within any window of `rate_window_ns`, refused ones included.
    pub rate_max: u32,
    /// Length of that window, nanoseconds.
    pub rate_window_ns: u64,
    /// Most money in orders within a window; `None`: off.
    pub volume: Option<VolumeLimit>,
    /// Most money in one basket; `None`: off.
    pub basket_max: Option<Money>,
    /// Most orders for what trades in a session; `None`: off.
    pub order_to_trade: Option<OrderToTrade>,
    /// Fills after which nothing more passes until an operator says so (RTS 6, article 15(3)); not reset by a
    /// session; `None`: off.
    pub executions_max: Option<u32>,
    /// How often the same terms may come; `None`: off.
    pub duplicates: Option<Duplicates>,
    /// Whether an order is refused that would meet one of the same owner: of any account of its tree.
    pub no_self_trade: bool,
    /// How orders count while a replace is on its way.
    pub change_rule: ChangeRule,
}

/// The limits of one account in one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct PairLimits {
    /// Largest quantity of one order, in quantity units.
    pub clip_max: Qty,
    /// Largest price · quantity of one order, in the instrument's currency on every account.
    pub notional_max: Money,
    /// How far an order may be priced through the reference, in basis points.
    pub band_bps: u32,
    /// The same in price units; an order is refused only outside both widths. Zero: the other alone.
    pub band_px: i64,
    /// Whether a price on the passive side of the reference counts like one through it.
    pub band_both_sides: bool,
    /// Largest worst-case long position, in quantity units.
    pub long_max: Qty,
    /// Largest worst-case short position, as a positive number of quantity units.
    pub short_max: Qty,
    /// Age at which market data is stale, nanoseconds.
    pub age_max_ns: u64,
    /// Age at which a price is too old to measure a collar from, nanoseconds.
    pub reference_age_max_ns: u64,
    /// Whether a quiet instrument is stale even while its channel speaks.
    pub symbol_age_alone: bool,
    /// What the operator's list forbids.
    pub restricted: Restriction,
    /// Widest spread that may be believed, in basis points of the mid; both sides must be there. `None`: off.
    pub spread_max_bps: Option<u32>,
    /// Largest order, in basis points of what trades on an average day; `None`: off.
    pub adv_max_bps: Option<u32>,
    /// Whether the venue's published band must be known and kept.
    pub venue_band: bool,
    /// Quantity located for short sales: the worst-case short position may not be larger. `None`: off.
    pub located: Option<Qty>,
    /// What a position takes of the account's equity; `None`: off, it takes none. Only on an account that marks at the
    /// exit side.
    pub margin: Option<Margin>,
    /// Beyond what an order needs an operator's approval.
    pub soft: SoftLimits,
    /// What a fill costs, whichever side it takes; held for every open buy.
    pub fee: Fee,
}

impl AccountLimits {
    /// An account that may do nothing: its limits are zero, what can be off is off.
    pub const BLOCKED: AccountLimits = AccountLimits {
        name: Symbol::EMPTY,
        parent: None,
        permission: Permission::Read,
        clients: false,
        currency: [0; 8],
        cash: Money::ZERO,
        cash_binds: true,
        gross_max: Money::ZERO,
        net_max: None,
        day_gross_max: None,
        loss_max: None,
        drawdown_max_bps: None,
        loss_stops: LossStops::Increase,
        mark_at: MarkAt::Exit,
        open_orders_max: 0,
        rate_max: 0,
        rate_window_ns: 0,
        volume: None,
        basket_max: None,
        order_to_trade: None,
        executions_max: None,
        duplicates: None,
        no_self_trade: false,
        change_rule: ChangeRule::Worst,
    };

    pub(crate) fn validate(&self) -> Result<(), LimitError> {
        if self.currency == [0; 8] {
            return Err(LimitError::NoCurrency);
        }
        let volume = self.volume.map(|volume| volume.max);
        let sums =
            [Some(self.cash), Some(self.gross_max), self.net_max, self.day_gross_max, volume];
        let exact = |sum: &Money| (0..WORTH_MAX / 2).contains(&sum.0);
        let fits = sums.iter().chain([&self.loss_max, &self.basket_max]).flatten().all(exact);
        let few = self.duplicates.is_none_or(|d| (1..=DUPLICATES_MAX).contains(&d.max));
        if fits && few && self.rate_max <= RATE_MAX { Ok(()) } else { Err(LimitError::OutOfRange) }
    }
}

impl PairLimits {
    /// What no limits amount to: every one of them is zero.
    pub const BLOCKED: PairLimits = PairLimits {
        clip_max: Qty(0),
        notional_max: Money(0),
        band_bps: 0,
        band_px: 0,
        band_both_sides: false,
        long_max: Qty(0),
        short_max: Qty(0),
        age_max_ns: 0,
        reference_age_max_ns: 0,
        symbol_age_alone: true,
        restricted: Restriction::None,
        spread_max_bps: None,
        adv_max_bps: None,
        venue_band: false,
        located: None,
        margin: None,
        soft: SoftLimits::OFF,
        fee: Fee::NONE,
    };

    pub(crate) fn validate(&self) -> Result<(), LimitError> {
        let quantities = [self.clip_max.0, self.long_max.0, self.short_max.0, self.band_px];
        let soft = &self.soft;
        let quantities = quantities.into_iter().chain(soft.clip_max.map(|qty| qty.0));
        let sums = [Some(self.notional_max), soft.notional_max].into_iter().flatten();
        let fits =
            quantities.into_iter().all(|qty| qty >= 0) && sums.into_iter().all(|sum| sum.0 >= 0);
        if fits { Ok(()) } else { Err(LimitError::OutOfRange) }
    }
}

/// Why limits were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitError {
    /// Every account of the capacity is in use.
    TooManyAccounts,
    /// There is no such account.
    UnknownAccount,
    /// The instrument's number is beyond the capacity.
    UnknownInstrument,
    /// A limit is negative, or too large for its sums to stay exact.
    OutOfRange,
    /// A margin on an account that does not mark at the exit side.
    MarginAtMid,
    /// The currency is empty.
    NoCurrency,
    /// More different limits than the table of rows holds.
    TooManyRows,
    /// An instrument's price and quantity decimals together exceed those of money, or changed.
    BadScale,
    /// The account above does not exist, or has too many above itself.
    BadParent,
    /// The name, parent, currency, starting cash or kind of mark of an account, or how many there are, would change.
    Fixed,
    /// An account above counts in too many currencies already.
    TooManyCurrencies,
    /// No account counts in these two currencies.
    UnknownPair,
}

impl core::fmt::Display for LimitError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            LimitError::TooManyAccounts => "more accounts than the tables hold",
            LimitError::UnknownAccount => "no such account",
            LimitError::UnknownInstrument => "no such instrument",
            LimitError::OutOfRange => "negative, or too large",
            LimitError::MarginAtMid => "a margin needs an account that marks at the exit side",
            LimitError::NoCurrency => "no currency",
            LimitError::TooManyRows => "more different limits than the table holds",
            LimitError::BadScale => "decimals of price and quantity too many, or changed",
            LimitError::BadParent => "the account above is unknown or too deep",
            LimitError::TooManyCurrencies => "an account above counts in too many currencies",
            LimitError::UnknownPair => "no account counts in these two currencies",
            LimitError::Fixed => "what an account is cannot change while its books are kept",
        })
    }
}

impl core::error::Error for LimitError {}
