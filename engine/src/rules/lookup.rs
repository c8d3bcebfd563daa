//! Finds the limits of many pairs in little time: for the engine thread, when all of them change at once.

use model::{AccountId, Instrument, Money, Symbol};

use super::Rules;

/// Decimal places that prices and quantities of an instrument may have.
const PLACES: usize = Money::DECIMALS as usize + 1;
/// Scales that an instrument may have.
const SCALES: usize = PLACES * PLACES;
/// Nobody has asked yet.
const UNKNOWN: u32 = u32::MAX;
/// The row does not fit the scale.
const UNFIT: u32 = u32::MAX - 1;

/// Where the row of a pair is. What a row says in units of a scale is worked out once.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Lookup {
    accounts: Vec<OfAccount>,
    /// By row and scale: its number in the table of rows.
    known: Vec<u32>,
}

#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct OfAccount {
    /// Rows of one symbol each, in the order of the symbols.
    own: Vec<(Symbol, u32)>,
    /// The row of every other symbol.
    all: Option<u32>,
}

impl Lookup {
    /// Allocates it and touches its memory; nothing allocates afterwards.
    pub fn new(rules: &Rules) -> Lookup {
        let mut accounts: Vec<OfAccount> = Vec::new();
        accounts.resize_with(rules.accounts.len(), OfAccount::default);
        for (row, number) in rules.limits.iter().zip(0..) {
            let account = rules.account(row.account).map(|id| usize::from(id.0));
            let Some(account) = account.and_then(|id| accounts.get_mut(id)) else { continue };
            match row.symbol {
                Some(symbol) => account.own.push((symbol, number)),
                None => account.all = Some(number),
            }
        }
        accounts.iter_mut().for_each(|account| account.own.sort_unstable());
        Lookup { accounts, known: vec![UNKNOWN; rules.limits.len() * SCALES] }
    }

    /// The number of the pair's limits in the table of rows, where they are put if they are not there yet; `None`: no row, or
    /// one that does not fit.
    pub fn row(
        &mut self,
        rules: &Rules,
        account: AccountId,
        instrument: &Instrument,
        rows: &mut risk::Rows,
    ) -> Option<u32> {
        let of = self.accounts.get(usize::from(account.0))?;
        let own = of.own.binary_search_by_key(&instrument.symbol, |(symbol, _)| *symbol).ok();
        let own = own.and_then(|place| of.own.get(place)).map(|(_, row)| *row);
        let row = own.or(of.all)? as usize;
        let [px, qty] = [instrument.px_decimals, instrument.qty_decimals].map(usize::from);
        if px >= PLACES || qty >= PLACES {
            return None; // Too fine for money: nobody can trade it.
        }
        let known = self.known.get_mut(row * SCALES + px * PLACES + qty)?;
        if *known == UNKNOWN {
            let limits = rules.limits.get(row).and_then(|row| rules.limits_of(row, instrument));
            *known = limits.and_then(|limits| rows.push(limits)).unwrap_or(UNFIT);
        }
        (*known != UNFIT).then_some(*known)
    }
}
