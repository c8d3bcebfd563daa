//! Every indicator against a recomputation from its whole history in big integers, and against
//! published values.

mod golden;

use super::*;
use num_bigint::BigInt;
use proptest::prelude::*;
use std::ops::RangeInclusive;

/// `numerator / denominator`, rounded down.
fn floor(numerator: &BigInt, denominator: &BigInt) -> BigInt {
    let (quotient, rest) = (numerator / denominator, numerator % denominator);
    let is_below = (rest < BigInt::ZERO) != (*denominator < BigInt::ZERO) && rest != BigInt::ZERO;
    if is_below { quotient - 1 } else { quotient }
}

fn pow10(decimals: u8) -> BigInt {
    BigInt::from(10).pow(decimals.into())
}

fn fits(value: &BigInt) -> Option<i64> {
    i64::try_from(value).ok()
}

/// 48 bits behind the point, as the definitions say.
fn fixed(units: i64) -> BigInt {
    BigInt::from(units) << 48
}

fn ema(prices: &[i64], n: usize) -> Option<i64> {
    let (seed, later) = prices.split_at_checked(n)?;
    let sum: BigInt = seed.iter().map(|px| fixed(*px)).sum();
    let average = later.iter().fold(floor(&sum, &n.into()), |average, px| {
        let moved = floor(&((fixed(*px) - &average) * 2), &(n + 1).into());
        average + moved
    });
    fits(&floor(&(average * pow10(6)), &fixed(1)))
}

fn rsi(prices: &[i64], n: usize) -> Option<i64> {
    let changes: Vec<i128> =
        prices.windows(2).map(|pair| i128::from(pair[1]) - i128::from(pair[0])).collect();
    let (seed, later) = changes.split_at_checked(n)?;
    let smooth = |sign: i128| {
        let part = |change: &i128| BigInt::from((change * sign).max(0)) << 48;
        let mean = floor(&seed.iter().map(part).sum(), &n.into());
        later.iter().fold(mean, |mean, change| floor(&(mean * (n - 1) + part(change)), &n.into()))
    };
    let (rises, falls) = (smooth(1), smooth(-1));
    let sum = &rises + falls;
    if sum > BigInt::from(i128::MAX / 1_000_000) {
        return None;
    }
    if sum == BigInt::ZERO { Some(0) } else { fits(&floor(&(rises * 100 * pow10(12)), &sum)) }
}

fn vwap(trades: &[(i64, i64)]) -> Option<i64> {
    let volume: BigInt = trades.iter().map(|(_, qty)| BigInt::from(*qty)).sum();
    let notional = trades.iter().map(|(px, qty)| BigInt::from(*px) * qty);
    let notional: BigInt = notional.sum();
    if notional > BigInt::from(i128::MAX) || volume == BigInt::ZERO {
        return None;
    }
    fits(&floor(&(notional * pow10(6)), &volume))
}

fn volatility(prices: &[i64], n: usize) -> Option<i64> {
    let returns = prices.windows(2).map(|pair| {
        floor(&((BigInt::from(pair[1]) - pair[0]) * pow10(12)), &BigInt::from(pair[0]))
    });
    let returns: Vec<BigInt> = returns.collect();
    let window = returns.len().checked_sub(n)?;
    if returns.iter().any(|r| fits(r).is_none()) {
        return None;
    }
    let squares: BigInt = returns[window..].iter().map(|r| r * r).sum();
    fits(&squares.sqrt())
}

fn ofi(quotes: &[[Option<Quote>; 2]]) -> Option<i64> {
    let (below, above) = (i64::MIN, i64::MAX);
    let unpack = |[bid, ask]: [Option<Quote>; 2]| {
        let bid = bid.map_or((below, 0), |quote| (quote.px.0, quote.qty.0));
        (bid, ask.map_or((above, 0), |quote| (quote.px.0, quote.qty.0)))
    };
    let mut sum = BigInt::ZERO;
    for pair in quotes.windows(2) {
        let (((b0, qb0), (a0, qa0)), ((b, qb), (a, qa))) = (unpack(pair[0]), unpack(pair[1]));
        sum += if b >= b0 { qb } else { 0 };
        sum -= if b <= b0 { qb0 } else { 0 };
        sum -= if a <= a0 { qa } else { 0 };
        sum += if a >= a0 { qa0 } else { 0 };
    }
    if quotes.is_empty() { None } else { fits(&sum) }
}

fn imbalance([bid, ask]: [Option<Quote>; 2]) -> Option<i64> {
    let (bid, ask) = (BigInt::from(bid?.qty.0), BigInt::from(ask?.qty.0));
    fits(&floor(&((&bid - &ask) * pow10(12)), &(bid + ask)))
}

fn microprice([bid, ask]: [Option<Quote>; 2]) -> Option<i64> {
    let (bid, ask) = (bid?, ask?);
    let (bid_qty, ask_qty) = (BigInt::from(bid.qty.0), BigInt::from(ask.qty.0));
    let weighted = &ask_qty * bid.px.0 + &bid_qty * ask.px.0;
    fits(&floor(&(weighted * pow10(6)), &(bid_qty + ask_qty)))
}

/// What an indicator may be told.
#[derive(Clone, Copy, Debug)]
enum Told {
    Trade(i64, i64),
    Quote([Option<Quote>; 2]),
    NewDay,
}

/// Everything told so far today, and the values that follow from it.
#[derive(Default)]
struct History {
    trades: Vec<(i64, i64)>,
    quotes: Vec<[Option<Quote>; 2]>,
}

impl History {
    fn values(&self) -> [Option<i64>; LIST.len()] {
        let prices: Vec<i64> = self.trades.iter().map(|(px, _)| *px).collect();
        let last = self.quotes.last().copied().unwrap_or_default();
        [
            ema(&prices, 20),
            rsi(&prices, 14),
            vwap(&self.trades),
            volatility(&prices, 64),
            ofi(&self.quotes),
            imbalance(last),
            microprice(last),
        ]
    }
}

/// Tells an indicator something.
fn tell(indicators: &mut Indicators, told: Told) {
    match told {
        Told::Trade(px, qty) => indicators.on_trade(Px(px), Qty(qty)),
        Told::Quote([bid, ask]) => indicators.on_quote(bid, ask),
        Told::NewDay => indicators.new_day(),
    }
}

fn same_values(told: &[Told]) {
    let (mut indicators, mut history) = (Indicators::new(), History::default());
    for told in told {
        tell(&mut indicators, *told);
        match *told {
            Told::Trade(px, qty) if px > 0 && qty > 0 => history.trades.push((px, qty)),
            Told::Trade(..) => {}
            Told::Quote(quotes) => history.quotes.push(quotes),
            Told::NewDay => history = History::default(),
        }
        let values = indicators.values();
        assert_eq!(values[..LIST.len()], history.values(), "after {told:?}");
        assert!(values[LIST.len()..].iter().all(Option::is_none));
    }
}

/// What indicators may be told, with prices and quantities of these ranges.
fn a_day(
    prices: RangeInclusive<i64>,
    quantities: RangeInclusive<i64>,
) -> impl Strategy<Value = Vec<Told>> {
    let pair = (prices, quantities);
    let quote = pair.clone().prop_map(|(px, qty)| Quote { px: Px(px), qty: Qty(qty), orders: 1 });
    let quote = proptest::option::weighted(0.95, quote);
    let told = prop_oneof![
        300 => pair.prop_map(|(px, qty)| Told::Trade(px, qty)),
        100 => (quote.clone(), quote).prop_map(|(bid, ask)| Told::Quote([bid, ask])),
        1 => Just(Told::Trade(0, 1)),
        1 => Just(Told::Trade(1, 0)),
        1 => Just(Told::NewDay),
    ];
    proptest::collection::vec(told, 1..240)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Goal: every value equals the definition computed from the whole history in big integers.
    /// Method: trades and quotes near a price, days that end, and calls that are no trade; compare
    /// after each.
    #[test]
    fn near_prices_are_exact(told in a_day(1_234_000..=1_236_000, 1..=1_000)) {
        same_values(&told);
    }

    /// Goal: the same at the edges: a flat or two-valued price. Method: prices 1 and 2.
    #[test]
    fn small_prices_are_exact(told in a_day(1..=2, 1..=2)) {
        same_values(&told);
    }

    /// Goal: the same where the quick division overflows but the value does not. Method: prices up to
    /// 2^50.
    #[test]
    fn large_prices_are_exact(told in a_day(1..=1 << 50, 1..=1 << 50)) {
        same_values(&told);
    }

    /// Goal: whether and when somebody looks changes no value, and nothing of what is written down. Method: one that somebody
    /// looks at now and then beside one that nobody does; values, text, bytes and what is read back from them.
    #[test]
    fn looking_changes_nothing(
        told in a_day(1_234_000..=1_236_000, 1..=1_000),
        looks in proptest::collection::vec(any::<bool>(), 240),
    ) {
        let (mut seen, mut unseen) = (Indicators::new(), Indicators::new());
        for (told, looks) in told.into_iter().zip(looks) {
            tell(&mut seen, told);
            tell(&mut unseen, told);
            if looks {
                seen.measure();
            }
            prop_assert_eq!(seen.values(), unseen.values());
            prop_assert_eq!(format!("{seen:?}"), format!("{unseen:?}"));
            let written = [seen, unseen].map(|indicators| postcard::to_stdvec(&indicators).unwrap());
            prop_assert_eq!(&written[0], &written[1]);
            let read: Indicators = postcard::from_bytes(&written[1]).unwrap();
            prop_assert_eq!(read, seen);
            prop_assert_eq!(read.values(), seen.values());
        }
    }

    /// Goal: the same over the whole range, where values and sums overflow: `None`, never wrong.
    /// Method: any positive price and quantity; a sum that overflows stays out until the next day.
    #[test]
    fn any_prices_are_exact_or_absent(told in a_day(1..=i64::MAX, 1..=i64::MAX)) {
        same_values(&told);
    }
}

/// Goal: a price that never moves has an RSI of 0, as TA-Lib's, and no volatility. Method: 70 trades
/// at one price, then one above it.
#[test]
fn flat_price() {
    let mut told = [Told::Trade(5, 1); 71];
    told[70] = Told::Trade(6, 1);
    same_values(&told);
    let mut indicators = Indicators::new();
    (0..70).for_each(|_| indicators.on_trade(Px(5), Qty(1)));
    let [ema, rsi, _, volatility, ..] = indicators.values();
    assert_eq!([ema, rsi, volatility], [Some(5_000_000), Some(0), Some(0)]);
}

/// Goal: a random walk of many trades stays exact. Method: 2,000 steps, compared at each of the
/// last 200, with a jump from 10^9 down to 5, where running floats lose their digits.
#[test]
fn long_walk_is_exact() {
    let (mut indicators, mut history) = (Indicators::new(), History::default());
    let (mut px, mut state) = (1_000_000_000_i64, 9_u64);
    for step in 0..2_000 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        px = if step == 1_850 { 5 } else { (px + (state >> 60) as i64 - 7).max(1) };
        let qty = 1 + (state >> 40 & 1_023) as i64;
        indicators.on_trade(Px(px), Qty(qty));
        history.trades.push((px, qty));
        if step >= 1_800 {
            assert_eq!(indicators.values()[..LIST.len()], history.values(), "step {step}");
        }
    }
}

/// Goal: the EMA's rounding stays within its documented bound of the exact rational average.
/// Method: carry the exact numerator over 21^k beside it for 300 prices.
#[test]
fn ema_rounding_is_bounded() {
    let mut ema = Ema::<20>::new();
    let (mut numerator, mut scale) = (BigInt::ZERO, BigInt::from(20));
    for step in 0..300_i64 {
        let px = 1_000 + (step * step * 7_919) % 977;
        ema.update(Px(px));
        if step < 20 {
            numerator += px;
            continue;
        }
        // e' = (19·e + 2·x) / 21
        numerator = numerator * 19 + &scale * 2 * px;
        scale *= 21;
        let error = (&numerator << 48) - BigInt::from(ema.scaled()) * &scale;
        assert!(error >= BigInt::ZERO && error * 2 <= &scale * 23, "step {step}");
    }
}

/// Goal: different states have different words, a new day has those of the start. Method: fold
/// after each of a few calls.
#[test]
fn fold_tells_states_apart() {
    let words = |indicators: &Indicators| {
        let mut words = Vec::new();
        indicators.fold(|word| words.push(word));
        words
    };
    let mut indicators = Indicators::new();
    let mut seen = vec![words(&indicators)];
    let quote = |px, qty| Some(Quote { px: Px(px), qty: Qty(qty), orders: 1 });
    for step in 1..100 {
        match step % 3 {
            0 => indicators.on_quote(quote(step, 1), quote(step + 1, 1)),
            1 => indicators.on_quote(None, quote(step, step)),
            _ => indicators.on_trade(Px(step), Qty(1)),
        }
        let now = words(&indicators);
        assert_eq!(now.len(), seen[0].len());
        assert!(!seen.contains(&now), "step {step}");
        seen.push(now);
    }
    indicators.new_day();
    assert_eq!(words(&indicators), seen[0]);
}

/// Goal: names fit their slots and are unique; free slots are empty. Method: all of them.
#[test]
fn slots_are_named() {
    let slots = Indicators::slots();
    for (slot, (name, decimals, is_price)) in slots.iter().zip(LIST) {
        assert_eq!((slot.name.as_str(), slot.decimals, slot.is_price), (name, decimals, is_price));
        assert_eq!(slots.iter().filter(|other| other.name == slot.name).count(), 1);
    }
    assert!(slots[LIST.len()..].iter().all(|slot| *slot == IndicatorSlot::default()));
}
