//! The symbols of a day, what is said of them before it begins, and its agenda.

use feeds::nasdaq::message::{
    IpoQuotingPeriod, MarketParticipantPosition, MwcbDeclineLevels, PriceDiscovery, RegSho,
    StockDirectory, SystemEvent,
};
use feeds::nasdaq::{Price4, Price8, Stock};

use super::{Day, Moment, State, Symbol};
use crate::book::Book;
use crate::rng::Rng;
use crate::{Config, Hours, Naming};

/// Nanoseconds between two messages of the spin, unless the hours leave less.
const SPIN_STEP: u64 = 20_000;

/// One of so many symbols is listed during the day; the rarest ones.
const LATE: u16 = 50;

/// Orders that the rarest symbol tends to have.
const LIVE_LEAST: u64 = 30;

/// The symbols, busy ones scattered among quiet ones, and their cumulative weights (Zipf, exponent 1).
pub(super) fn symbols(config: &Config, rng: &mut Rng) -> (Vec<Symbol>, Vec<u64>) {
    let count = config.symbols.clamp(1, Config::SYMBOLS_MAX);
    let late = if count > 1 { count.div_ceil(LATE) } else { 0 };
    let mut ranks: Vec<u16> = (0..count).collect();
    for place in (1..ranks.len()).rev() {
        ranks.swap(place, rng.below(place as u64 + 1) as usize);
    }
    let weight = |rank: u16| (1_u64 << 32) / (u64::from(rank) + 1);
    let whole: u64 = ranks.iter().map(|rank| weight(*rank)).sum();
    let depth = match config.live_orders {
        Some(live) => live.saturating_sub(LIVE_LEAST * u64::from(count)),
        None => (config.messages / 40).min(200_000),
    };
    let symbol = |(index, rank): (usize, &u16)| {
        let (fair, step) = worth(rng);
        Symbol {
            stock: name(config.naming, index),
            state: if *rank >= count - late { State::Absent } else { State::Trading },
            step,
            fair,
            rising: rng.chance(1, 2),
            live_aim: LIVE_LEAST + depth * weight(*rank) / whole,
            round_lot: match fair {
                0..=2_500_000 => 100,
                2_500_001..=10_000_000 => 40,
                _ => 10,
            },
            book: Book::default(),
        }
    };
    let symbols = ranks.iter().enumerate().map(symbol).collect();
    let mut sum = 0;
    let weights = ranks.iter().map(|rank| {
        sum += weight(*rank);
        sum
    });
    (symbols, weights.collect())
}

/// A first price and its step, in 1e-4 dollars: steps below a dollar are of 1e-4.
fn worth(rng: &mut Rng) -> (u32, u32) {
    let (low, high) = match rng.below(100) {
        0..4 => return (rng.between(3_000, 9_000) as u32, 1),
        4..14 => (2, 10),
        14..54 => (10, 50),
        54..84 => (50, 200),
        84..95 => (200, 500),
        _ => (500, 4_000),
    };
    (100 * rng.between(100 * low, 100 * high) as u32, 100)
}

fn name(naming: Naming, index: usize) -> Stock {
    let mut field = *b"        ";
    match naming {
        Naming::Tickers => {
            let mut rest = index;
            for letter in field[..4].iter_mut().rev() {
                *letter = b'A' + (rest % 26) as u8;
                rest /= 26;
            }
        }
        Naming::Labelled => {
            field[..3].copy_from_slice(b"SYN");
            let digits = if index < 999 { 3 } else { 5 };
            let mut rest = index + 1;
            for digit in field[3..3 + digits].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
    }
    Stock(field)
}

/// Everything of a day that is fixed when it begins.
pub(super) fn agenda(hours: &Hours, symbols: &[Symbol], rng: &mut Rng) -> Vec<(u64, Moment)> {
    let session = hours.close - hours.open;
    let mut agenda = vec![
        (hours.system, Moment::System(b'S')),
        (hours.system + 1, Moment::DeclineLevels),
        (hours.open, Moment::System(b'Q')),
        (hours.close, Moment::System(b'M')),
        (hours.system_end, Moment::System(b'E')),
        (hours.messages_end, Moment::System(b'C')),
    ];
    for (symbol, _) in symbols.iter().enumerate() {
        let symbol = symbol as u16;
        for (time, before, cross) in
            [(hours.open, hours.open - hours.system, b'O'), (hours.close, session, b'C')]
        {
            let window = (before / 4).min(300 * crate::SECOND);
            for nth in 1..=3 {
                let ahead = window * nth / 3 - rng.below(window / 4);
                agenda.push((time - ahead, Moment::Imbalance(symbol, cross)));
            }
            agenda.push((time + 1 + rng.below(session / 500), Moment::Cross(symbol, cross)));
        }
    }
    let count = symbols.len() as u64;
    // Halts last a sixtieth of the session and a little more: all are over before the close.
    let mut some = |share: u64, moment: fn(u16) -> Moment| {
        for _ in 0..count.div_ceil(share) {
            let time = hours.open + session / 20 + rng.below(session * 8 / 10);
            agenda.push((time, moment(rng.below(count) as u16)));
        }
    };
    some(25, Moment::Pause);
    some(50, Moment::Halt);
    some(40, Moment::Restrict);
    for (symbol, _) in symbols.iter().enumerate().filter(|(_, s)| s.state == State::Absent) {
        let time = hours.open + session / 20 + rng.below(session / 2);
        agenda.push((time, Moment::List(symbol as u16)));
    }
    agenda
}

impl Day {
    /// The `place`-th message before the system hours: start of messages, then four rounds over all
    /// symbols. `false` when all is said.
    pub(super) fn spin(&mut self, place: u64) -> bool {
        let Some(nth) = place.checked_sub(1) else {
            self.emit_whole(|header| SystemEvent { header, event: b'O' }.into());
            return true;
        };
        let count = self.symbols.len() as u64;
        let symbol = (nth % count) as u16;
        let room = self.hours.system - self.hours.messages;
        self.now = self.hours.messages + place * SPIN_STEP.min(room / (4 * count + 1));
        let absent = self.symbols[usize::from(symbol)].state == State::Absent;
        match nth / count {
            0..4 if absent => {}
            0 => self.directory(symbol, b'N'),
            1 => self.trading_action(symbol, b'T', *b"    "),
            2 => self.short_sale(symbol, b'0'),
            3 => self.position(symbol),
            _ => return false,
        }
        true
    }

    /// A stock that goes public during the day: halted until its first cross.
    pub(super) fn list(&mut self, symbol: u16) {
        self.symbols[usize::from(symbol)].state = State::Halted;
        self.directory(symbol, b'Y');
        self.short_sale(symbol, b'0');
        self.trading_action(symbol, b'H', *b"IPO1");
        let release = self.now + self.halt_time();
        let price = Price4(self.symbols[usize::from(symbol)].fair);
        self.emit(symbol, |header, stock| {
            let release_seconds = (release / crate::SECOND) as u32;
            let (qualifier, ipo_price) = (b'A', price);
            IpoQuotingPeriod { header, stock, release_seconds, qualifier, ipo_price }.into()
        });
        self.emit(symbol, |header, stock| {
            PriceDiscovery {
                header,
                stock,
                open_eligible: b'Y',
                min_price: Price4(price.0 / 2),
                max_price: Price4(price.0 * 2),
                near_price: price,
                near_time: header.time,
                lower_collar: Price4(price.0 / 10 * 9),
                upper_collar: Price4(price.0 / 10 * 11),
            }
            .into()
        });
        self.at(release, Moment::QuoteOnly(symbol));
    }

    fn directory(&mut self, symbol: u16, ipo_flag: u8) {
        let round_lot = self.symbols[usize::from(symbol)].round_lot;
        self.emit(symbol, |header, stock| {
            StockDirectory {
                header,
                stock,
                market_category: b'Q',
                financial_status: b'N',
                round_lot,
                round_lots_only: b'N',
                issue_class: b'C',
                issue_subtype: *b"Z ",
                authenticity: b'P',
                short_sale_threshold: b'N',
                ipo_flag,
                luld_tier: b'1',
                etp_flag: b'N',
                etp_leverage: 0,
                inverse: b'N',
            }
            .into()
        });
    }

    /// The price fell far enough that short sales are restricted.
    pub(super) fn restrict(&mut self, symbol: u16) {
        if self.symbols[usize::from(symbol)].state != State::Absent {
            self.short_sale(symbol, b'1');
        }
    }

    fn short_sale(&mut self, symbol: u16, action: u8) {
        self.emit(symbol, |header, stock| RegSho { header, stock, action }.into());
    }

    pub(super) fn position(&mut self, symbol: u16) {
        let mpid = self.mpid();
        self.emit(symbol, |header, stock| {
            let (primary_maker, mode, state) = (b'Y', b'N', b'A');
            MarketParticipantPosition { header, mpid, stock, primary_maker, mode, state }.into()
        });
    }

    pub(super) fn decline_levels(&mut self) {
        // 7, 13 and 20 per cent below an index of 4,000.
        let [level_1, level_2, level_3] =
            [3720, 3480, 3200].map(|index| Price8(index * 100_000_000));
        self.emit_whole(|header| MwcbDeclineLevels { header, level_1, level_2, level_3 }.into());
    }
}
