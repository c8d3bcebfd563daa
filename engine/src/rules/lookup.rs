//! Finds the rules of many instruments and pairs in little time: for the engine thread, when ten thousand are listed, or the
//! limits of all change at once.

use model::{AccountId, Instrument, Money, Symbol};

use super::{InstrumentRule, Rules};

/// Decimal places that prices and quantities of an instrument may have.
const PLACES: usize = Money::DECIMALS as usize + 1;
/// Scales that an instrument may have.
const SCALES: usize = PLACES * PLACES;
/// Nobody has asked yet.
const UNKNOWN: u32 = u32::MAX;
/// The row does not fit the scale.
const UNFIT: u32 = u32::MAX - 1;

/// Where the rules of an instrument, and of an account in it, are. Looking through all of them for each of so many
/// instruments would take the square of their number.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Index {
    accounts: Vec<BySymbol>,
    instruments: BySymbol,
}

/// Numbers of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct BySymbol {
    /// Those of one symbol each, in the order of the symbols.
    own: Vec<(Symbol, u32)>,
    /// That of every other symbol.
    all: Option<u32>,
}

impl BySymbol {
    fn of(rules: impl Iterator<Item = (Option<Symbol>, u32)>) -> BySymbol {
        let mut of = BySymbol::default();
        for (symbol, number) in rules {
            match symbol {
                Some(symbol) => of.own.push((symbol, number)),
                None => of.all = Some(number),
            }
        }
        of.own.sort_unstable();
        of
    }

    fn find(&self, symbol: Symbol) -> Option<usize> {
        let own = self.own.binary_search_by_key(&symbol, |(symbol, _)| *symbol).ok();
        let own = own.and_then(|place| self.own.get(place)).map(|(_, number)| *number);
        own.or(self.all).map(|number| number as usize)
    }
}

impl Index {
    /// Allocates it; nothing allocates afterwards.
    pub fn new(rules: &Rules) -> Index {
        let instruments = rules.instruments.iter().map(|rule| rule.symbol);
        let of_account = |account: &super::AccountRule| {
            let rows = rules.limits.iter().zip(0..).filter(|(row, _)| row.account == account.name);
            BySymbol::of(rows.map(|(row, number)| (row.symbol, number)))
        };
        Index {
            accounts: rules.accounts.iter().map(of_account).collect(),
            instruments: BySymbol::of(instruments.zip(0..)),
        }
    }

    /// The rule of an instrument: its own, else that of all.
    pub fn instrument<'a>(&self, rules: &'a Rules, symbol: Symbol) -> Option<&'a InstrumentRule> {
        rules.instruments.get(self.instruments.find(symbol)?)
    }

    /// The limits of an account in an instrument; `None`: no row, or one that does not fit the instrument's units.
    pub fn limits(
        &self,
        rules: &Rules,
        account: AccountId,
        instrument: &Instrument,
    ) -> Option<risk::PairLimits> {
        let row = self.row(account, instrument.symbol)?;
        rules.limits_of(rules.limits.get(row)?, instrument)
    }

    /// Number of the row of a pair: its own, else that of all instruments.
    fn row(&self, account: AccountId, symbol: Symbol) -> Option<usize> {
        self.accounts.get(usize::from(account.0))?.find(symbol)
    }
}

/// Where the row of a pair is. What a row says in units of a scale is worked out once.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Lookup {
    pub index: Index,
    /// By row and scale: its number in the table of rows.
    known: Vec<u32>,
}

impl Lookup {
    /// Allocates it and touches its memory; nothing allocates afterwards.
    pub fn new(rules: &Rules) -> Lookup {
        let known = vec![UNKNOWN; rules.limits.len() * SCALES];
        Lookup { index: Index::new(rules), known }
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
        let row = self.index.row(account, instrument.symbol)?;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Config;
    use crate::rules::{AccountRule, LimitRule};

    fn shipped() -> Rules {
        let files = [
            ("engine.toml", include_str!("../../../deploy/engine.toml")),
            ("instruments.toml", include_str!("../../../deploy/instruments.toml")),
            ("limits.toml", include_str!("../../../deploy/limits.toml")),
        ];
        let files = files.map(|(name, text)| (name.into(), text.to_owned()));
        Config::from_texts(files.into()).unwrap().rules
    }

    fn symbol(number: Option<u8>) -> Option<Symbol> {
        number.map(|number| Symbol::new(&format!("S{number}")).unwrap())
    }

    /// The row of a symbol among those that `is_of` leaves: its own, else that of all.
    fn look_through<T>(
        rows: &[T],
        symbol_of: impl Fn(&T) -> Option<Symbol>,
        is_of: impl Fn(&T) -> bool,
        symbol: Symbol,
    ) -> Option<&T> {
        let find = |wanted| rows.iter().find(|row| is_of(row) && symbol_of(row) == wanted);
        find(Some(symbol)).or_else(|| find(None))
    }

    proptest! {
        /// Goal: what is found is what is found by looking through all rules. Method: any of some rules of instruments and
        /// accounts, of symbols and of all others, in any order; every symbol on every account, and one beyond.
        #[test]
        fn found_equals_looked_through(
            instruments in prop::collection::btree_set(prop::option::of(0..6_u8), 0..7),
            limits in prop::collection::btree_set((0..3_usize, prop::option::of(0..6_u8)), 0..18),
            turn in 0..18_usize,
        ) {
            let mut rules = shipped();
            let (instrument, limit) = (rules.instruments[0].clone(), rules.limits[0].clone());
            let mut account = rules.accounts[0].clone();
            account.parent = None;
            let name = |number: usize| Symbol::new(&format!("A{number}")).unwrap();
            rules.accounts = (0..3).map(|n| AccountRule { name: name(n), ..account.clone() }).collect();
            rules.instruments = (1..)
                .zip(&instruments)
                .map(|(lot, at)| InstrumentRule {
                    symbol: symbol(*at),
                    lot: lot.into(),
                    ..instrument.clone()
                })
                .collect();
            rules.limits = (1..)
                .zip(&limits)
                .map(|(clip, (of, at))| LimitRule {
                    account: name(*of),
                    symbol: symbol(*at),
                    clip_max: clip.into(),
                    fees: None,
                    ..limit.clone()
                })
                .collect();
            rules.limits.rotate_left(turn % limits.len().max(1));
            let index = Index::new(&rules);
            for at in (0..7).filter_map(|number| symbol(Some(number))) {
                let wanted = look_through(&rules.instruments, |rule| rule.symbol, |_| true, at);
                prop_assert_eq!(index.instrument(&rules, at), wanted);
                let listed = Instrument { symbol: at, px_decimals: 4, ..Instrument::default() };
                for number in 0..4 {
                    let is_of = |row: &LimitRule| row.account == name(number);
                    let row = look_through(&rules.limits, |row| row.symbol, is_of, at);
                    let wanted = row.and_then(|row| rules.limits_of(row, &listed));
                    let found = index.limits(&rules, AccountId(number as u16), &listed);
                    prop_assert_eq!(found.is_some(), row.is_some());
                    prop_assert_eq!(found, wanted);
                }
            }
        }
    }
}
