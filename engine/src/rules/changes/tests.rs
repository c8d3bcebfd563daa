use std::path::Path;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::config::Config;

fn rules() -> Rules {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/engine.toml");
    Config::load(&folder).unwrap().rules
}

/// A key, what it depends on, and how it is set to a rank: the higher, the looser.
type Key = (&'static str, Option<&'static str>, fn(&mut Rules, u32));

fn number(rank: u32) -> Decimal {
    Decimal::from(10 * (rank + 1))
}

/// Off is the highest rank.
fn or_off(rank: u32) -> Option<u32> {
    (rank < 4).then_some(10 * (rank + 1))
}

fn decimal_or_off(rank: u32) -> Option<Decimal> {
    or_off(rank).map(Decimal::from)
}

fn short(rank: u32) -> u64 {
    u64::from(9 - rank) * 1_000_000
}

fn long(rank: u32) -> u64 {
    u64::from(rank + 1) * 1_000_000
}

/// Every key of the second account and of its row.
const KEYS: &[Key] = &[
    ("agent buying_power", None, |r, n| r.accounts[1].cash_binds = n < 2),
    ("agent permission", None, |r, n| {
        let order = [Permission::Read, Permission::CloseOnly, Permission::Trade];
        r.accounts[1].permission = order[n.min(2) as usize];
    }),
    ("agent clients", None, |r, n| r.accounts[1].clients = n > 1),
    ("agent cancel_on_disconnect", None, |r, n| r.accounts[1].cancel_on_disconnect = n < 2),
    ("agent gross_max", None, |r, n| r.accounts[1].gross_max = number(n)),
    ("agent net_max", None, |r, n| r.accounts[1].net_max = decimal_or_off(n)),
    ("agent day_gross_max", None, |r, n| r.accounts[1].day_gross_max = decimal_or_off(n)),
    ("agent loss_max", None, |r, n| r.accounts[1].loss_max = decimal_or_off(n)),
    ("agent drawdown_max_bps", None, |r, n| r.accounts[1].drawdown_max_bps = or_off(n)),
    ("agent loss_stops", None, |r, n| {
        r.accounts[1].loss_stops = if n < 2 { LossStops::All } else { LossStops::Increase };
    }),
    ("agent open_orders_max", None, |r, n| r.accounts[1].open_orders_max = n),
    ("agent rate_max", None, |r, n| r.accounts[1].rate_max = n),
    ("agent rate_window_ms", None, |r, n| r.accounts[1].rate_window_ns = short(n)),
    ("agent volume_max", None, |r, n| {
        r.accounts[1].volume = decimal_or_off(n).map(|max| (max, 1));
    }),
    ("agent volume_window_ms", Some("agent volume_max"), |r, n| {
        if let Some((_, window)) = &mut r.accounts[1].volume {
            *window = short(n);
        }
    }),
    ("agent basket_max", None, |r, n| r.accounts[1].basket_max = decimal_or_off(n)),
    ("agent order_to_trade_max", None, |r, n| {
        let rule = |ratio_max| OrderToTrade { ratio_max, free: 0 };
        r.accounts[1].order_to_trade = or_off(n).map(rule);
    }),
    ("agent order_to_trade_free", Some("agent order_to_trade_max"), |r, n| {
        if let Some(rule) = &mut r.accounts[1].order_to_trade {
            rule.free = n;
        }
    }),
    ("agent executions_max", None, |r, n| r.accounts[1].executions_max = or_off(n)),
    ("agent duplicates_max", None, |r, n| {
        let rule = |max| Duplicates { max: max as u8, window_ns: 0 };
        r.accounts[1].duplicates = or_off(n).map(rule);
    }),
    ("agent duplicates_window_ms", Some("agent duplicates_max"), |r, n| {
        if let Some(rule) = &mut r.accounts[1].duplicates {
            rule.window_ns = short(n);
        }
    }),
    ("agent self_trade", None, |r, n| r.accounts[1].no_self_trade = n < 2),
    ("agent * clip_max", None, |r, n| r.limits[1].clip_max = number(n)),
    ("agent * notional_max", None, |r, n| r.limits[1].notional_max = number(n)),
    ("agent * long_max", None, |r, n| r.limits[1].long_max = number(n)),
    ("agent * short_max", None, |r, n| r.limits[1].short_max = number(n)),
    ("agent * band_bps", None, |r, n| r.limits[1].band_bps = n),
    ("agent * band_px", None, |r, n| r.limits[1].band_px = (n > 0).then_some(number(n))),
    ("agent * band_sides", None, |r, n| r.limits[1].band_both_sides = n < 2),
    ("agent * age_max_ms", None, |r, n| r.limits[1].age_max_ns = long(n)),
    ("agent * reference_age_max_ms", None, |r, n| r.limits[1].reference_age_max_ns = long(n)),
    ("agent * symbol_age_alone", None, |r, n| r.limits[1].symbol_age_alone = n < 2),
    ("agent * restricted", None, |r, n| {
        let list = [Restriction::All, Restriction::Increase, Restriction::None];
        r.limits[1].restricted = list[n.min(2) as usize];
    }),
    ("agent * spread_max_bps", None, |r, n| r.limits[1].spread_max_bps = or_off(n)),
    ("agent * adv_max_bps", None, |r, n| r.limits[1].adv_max_bps = or_off(n)),
    ("agent * venue_band", None, |r, n| r.limits[1].venue_band = n < 2),
    ("agent * located", None, |r, n| r.limits[1].located = decimal_or_off(n)),
    ("agent * margin_long_bps", None, |r, n| {
        let long_bps = 100 - 10 * n;
        r.limits[1].margin = (n < 4).then_some(Margin { long_bps, short_bps: 50 });
    }),
    ("agent * margin_short_bps", Some("agent * margin_long_bps"), |r, n| {
        if let Some(margin) = &mut r.limits[1].margin {
            margin.short_bps = 100 - 10 * n;
        }
    }),
    ("agent * soft_clip_max", None, |r, n| r.limits[1].soft_clip_max = decimal_or_off(n)),
    ("agent * soft_notional_max", None, |r, n| r.limits[1].soft_notional_max = decimal_or_off(n)),
    ("agent * soft_band_bps", None, |r, n| r.limits[1].soft_band_bps = or_off(n)),
];

/// A rank as the key has it: some know but two or three.
fn coarse(key: &str, rank: u32) -> u32 {
    let last = key.rsplit(' ').next().unwrap();
    match last {
        "permission" | "restricted" => rank.min(2),
        "buying_power"
        | "clients"
        | "cancel_on_disconnect"
        | "loss_stops"
        | "self_trade"
        | "band_sides"
        | "symbol_age_alone"
        | "venue_band" => u32::from(rank > 1),
        _ => rank,
    }
}

fn with(ranks: &[u32]) -> Rules {
    let mut rules = rules();
    KEYS.iter().zip(ranks).for_each(|((.., set), rank)| set(&mut rules, *rank));
    rules
}

proptest! {
    /// Goal: whatever is loosened is said to be, whatever is tightened is said to be that, and nothing else is said. Method:
    /// every key at a random rank before and after; what the ranks say is what must come out.
    #[test]
    fn ranks_decide(
        before in prop::collection::vec(0_u32..5, KEYS.len()),
        after in prop::collection::vec(0_u32..5, KEYS.len()),
    ) {
        let found = changes(&with(&before), &with(&after)).unwrap();
        let rank_of = |ranks: &[u32], key| {
            ranks[KEYS.iter().position(|(name, ..)| *name == key).unwrap()]
        };
        let mut expected = Vec::new();
        for ((key, of, _), (before_rank, after_rank)) in KEYS.iter().zip(before.iter().zip(&after)) {
            let says = |ranks: &[u32]| of.is_none_or(|of| rank_of(ranks, of) < 4);
            let (was, is) = (coarse(key, *before_rank), coarse(key, *after_rank));
            if was == is || !says(&before) || !says(&after) {
                continue;
            }
            expected.push((*key, if is > was { Effect::Looser } else { Effect::Tighter }));
        }
        let found: Vec<_> = found.iter().map(|c| (c.what.as_str(), c.effect)).collect();
        prop_assert_eq!(found, expected);
    }
}

/// Goal: a list that lets anything through that it stopped is looser. Method: every pair of lists, against what each stops of
/// four kinds of order.
#[test]
fn restrictions_are_sets() {
    use Restriction::{All, Buy, Increase, None, Sell};
    // A buy that adds, a buy that reduces, a sell that adds, a sell that reduces.
    let stops = |list| match list {
        None => [false, false, false, false],
        Buy => [true, true, false, false],
        Sell => [false, false, true, true],
        All => [true, true, true, true],
        Increase => [true, false, true, false],
    };
    for old in [None, Buy, Sell, All, Increase] {
        for new in [None, Buy, Sell, All, Increase] {
            let lets = stops(old).iter().zip(stops(new)).any(|(was, is)| *was && !is);
            let expected = match (old == new, lets) {
                (true, _) => Effect::Neither,
                (false, true) => Effect::Looser,
                (false, false) => Effect::Tighter,
            };
            assert_eq!(restriction(old, new), expected, "{old:?} {new:?}");
        }
    }
}

/// Goal: what holds for a symbol is compared, wherever it stands. Method: rows of one symbol and of all that come and go.
#[test]
fn rows_come_and_go() {
    let base = rules();
    let said = |old: &Rules, new: &Rules| {
        let changes = changes(old, new).unwrap();
        changes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(said(&base, &base).is_empty());
    let mut own = base.clone();
    let row = LimitRule { symbol: Symbol::new("AAPL").ok(), ..base.limits[1].clone() };
    own.limits.push(row.clone());
    assert!(said(&base, &own).is_empty(), "what held for it holds for it");
    own.limits[3].clip_max = Decimal::from(1);
    assert_eq!(said(&base, &own), ["agent AAPL clip_max: 1000 -> 1 (tighter)"]);
    assert_eq!(said(&own, &base), ["agent AAPL clip_max: 1 -> 1000 (looser)"]);
    assert_eq!(loosens(&own, &base).len(), 1);
    let mut alone = own.clone();
    alone.limits.remove(1);
    assert_eq!(said(&own, &alone), ["agent * row: there -> none (tighter)"]);
    assert_eq!(said(&alone, &own), ["agent * row: none -> there (looser)"]);
    let mut none = alone.clone();
    none.limits.remove(2);
    assert_eq!(said(&alone, &none), ["agent AAPL row: there -> none (tighter)"]);
    assert_eq!(said(&none, &alone), ["agent AAPL row: none -> there (looser)"]);
}

/// Goal: a smaller number that fits an instrument which the larger one blocked is looser. Method: a clip with half a unit, and
/// a fee finer than money, that become whole.
#[test]
fn what_begins_to_fit_is_looser() {
    let base = rules();
    let mut half = base.clone();
    half.limits[1].clip_max = "999.5".parse().unwrap();
    let [first, second] = &changes(&half, &base).unwrap()[..] else { panic!() };
    assert_eq!((first.effect, second.effect), (Effect::Looser, Effect::Looser));
    assert!(loosens(&base, &half).is_empty());
    half.limits[1].clip_max = "1000.5".parse().unwrap();
    let [first, second] = &changes(&half, &base).unwrap()[..] else { panic!() };
    assert_eq!((first.effect, second.effect), (Effect::Tighter, Effect::Looser));
    assert_eq!(loosens(&half, &base), [second.to_string()]);
    let mut fine = base.clone();
    fine.fees[0].each = "0.0000000000005".parse().unwrap();
    assert_eq!(loosens(&fine, &base).len(), 3, "{:?}", loosens(&fine, &base));
}

/// Goal: what an account is does not change; a fee does, to no effect. Method: each of them.
#[test]
fn fixed_facts_and_fees() {
    let base = rules();
    let fixed = |change: fn(&mut Rules)| {
        let mut new = base.clone();
        change(&mut new);
        assert!(loosens(&base, &new).is_empty());
        changes(&base, &new).unwrap_err()
    };
    assert_eq!(fixed(|r| r.accounts[1].cash += Decimal::ONE), ["agent cash: 1000000 -> 1000001"]);
    assert_eq!(fixed(|r| r.accounts[1].parent = None), ["agent parent: house -> none"]);
    assert_eq!(fixed(|r| r.accounts[2].currency = *b"EUR\0\0\0\0\0").len(), 1);
    assert_eq!(fixed(|r| r.accounts[2].mark_at = MarkAt::Mid).len(), 1);
    assert_eq!(fixed(|r| r.session_start_ns += 60_000_000_000).len(), 1);
    assert!(fixed(|r| r.accounts.swap(1, 2))[0].starts_with("accounts: house, agent, probe ->"));
    assert_eq!(fixed(|r| _ = r.accounts.pop()).len(), 1);
    let mut new = base.clone();
    new.fees[0].each = Decimal::ZERO;
    new.limits[0].fees = None;
    let changes = changes(&base, &new).unwrap();
    assert_eq!(changes.len(), 2);
    assert!(changes.iter().all(|change| change.effect == Effect::Neither), "{changes:?}");
}
