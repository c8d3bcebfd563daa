use std::collections::BTreeSet;

use model::page::Permission;
use model::{AccountId, HaltScope, Integrity, Money, Order, OrderId, Px, Side, TradingState, Ts};
use proptest::prelude::*;

use super::*;
use crate::fixture::{ACCOUNT_LIMITS, FACTOR, Floor, INSTRUMENT, PAIR_LIMITS, instrument};
use crate::{Capacity, ChangeRule, Duplicates, OrderToTrade, PairLimits, Risk, VolumeLimit};

const FIRM: AccountId = AccountId(0);
const DESK: AccountId = AccountId(1);

/// A firm and an account beneath it; which limits are set, and how tight they are, say the numbers.
fn floor(limits: &[i64; 6], set: u32) -> Floor {
    let is_set = |bit: u32| set & 1 << bit != 0;
    let money = |units: i64| Money(i128::from(units) * 1_000_000 * FACTOR);
    let mut floor = Floor::new();
    floor.risk = Risk::new(Capacity {
        accounts: 2,
        instruments: 1,
        lines: 2,
        ids_per_account: 40,
        orders: 20,
        rows: 2,
        lots: 64,
    });
    floor.risk.list(&instrument(INSTRUMENT)).unwrap();
    for id in [FIRM, DESK] {
        let mut account = ACCOUNT_LIMITS();
        account.parent = (id == DESK).then_some(FIRM);
        account.gross_max = money(limits[0]);
        account.cash = money(limits[1]);
        account.net_max = is_set(0).then_some(money(limits[2]));
        account.day_gross_max = is_set(1).then_some(money(limits[3]));
        account.loss_max = is_set(2).then_some(money(0));
        account.drawdown_max_bps = is_set(3).then_some(1);
        account.volume = is_set(4).then_some(VolumeLimit { max: money(limits[4]), window_ns: 100 });
        account.order_to_trade = is_set(5).then_some(OrderToTrade { ratio_max: 1, free: 3 });
        account.executions_max = is_set(6).then_some(2);
        account.duplicates = is_set(7).then_some(Duplicates { max: 2, window_ns: 100 });
        account.no_self_trade = is_set(8);
        account.open_orders_max = limits[5] as u32;
        account.change_rule = if is_set(9) { ChangeRule::Plain } else { account.change_rule };
        if is_set(10) && id == DESK {
            account.permission = Permission::CloseOnly;
        }
        assert_eq!(floor.risk.add_account(account), Ok(id));
        let pair = PairLimits {
            clip_max: model::Qty(if id == DESK { 20 } else { limits[2] }),
            long_max: model::Qty(limits[3]),
            spread_max_bps: is_set(11).then_some(3),
            adv_max_bps: is_set(12).then_some(1),
            venue_band: is_set(13),
            located: is_set(14).then_some(model::Qty(limits[4])),
            soft: crate::SoftLimits {
                clip_max: is_set(17).then_some(model::Qty(limits[0])),
                notional_max: is_set(18).then_some(money(limits[1])),
                band_bps: is_set(19).then_some(50),
            },
            restricted: if is_set(15) { Restriction::Sell } else { Restriction::None },
            ..PAIR_LIMITS
        };
        if id == DESK || !is_set(16) {
            floor.risk.set_pair_limits(id, INSTRUMENT, pair).unwrap();
        }
    }
    floor
}

/// What the rows say must be what the verdict says.
fn agrees(explanation: &Explanation, verdict: &Verdict) {
    assert_eq!(explanation.verdict, *verdict);
    let rows = &explanation.checks;
    let failed = |row: &&Explained| row.standing == Standing::Failed;
    let failed: BTreeSet<Reject> = rows.iter().filter(failed).map(|row| row.code).collect();
    assert_eq!(failed, verdict.failed().collect(), "{rows:?}");
    let looked: BTreeSet<Reject> = rows.iter().map(|row| row.code).collect();
    assert_eq!(looked.len(), Reject::ALL.len(), "every check is there");
    if let Some(primary) = verdict.primary {
        let row = rows[explanation.binding.expect("a refusal binds")];
        assert_eq!((row.code, row.standing), (primary.code, Standing::Failed));
        if let (Some(limit), Some(used)) = (row.limit, row.used) {
            assert_eq!((limit, used), (primary.limit, primary.used));
        }
    }
}

proptest! {
    /// Goal: the explanation is the gate's verdict: the same bits, the same primary, the same numbers; off and
    /// idle checks never refuse; the headroom is exact, and what binds refuses one lot more. Method: orders and
    /// replaces of a tree under random limits and markets, each explained, then judged.
    #[test]
    fn explains_what_the_gate_says(
        limits in [1_i64..60, 1_i64..60, 1_i64..60, 1_i64..60, 1_i64..60, 1_i64..6],
        set in [any::<u32>(); 3].prop_map(|[a, b, c]| a & b & c), // Few at once: orders must pass, too.
        steps in prop::collection::vec(
            (any::<bool>(), -1_i64..25, 97_i64..104, 0_u64..30, 0_u32..40, any::<usize>()), 1..25),
    ) {
        let mut floor = floor(&limits, set);
        let mut open: Vec<(Order, Reservation)> = Vec::new();
        for (is_buy, qty, dollars, wait, what, pick) in steps {
            floor.moment.now = Ts(floor.moment.now.0 + wait);
            (floor.moment.journal_full, floor.moment.tables_full) = (what == 30, what == 31);
            floor.market.integrity =
                if what == 32 { Integrity::Incomplete } else { Integrity::Live };
            floor.market.state =
                if what == 33 { TradingState::Halted } else { TradingState::Trading };
            floor.market.ask = if what == 34 { None } else { Some(Px(1_000_100)) };
            if what == 35 {
                floor.risk.set_halt(HaltScope::Account(FIRM), HaltLevel::ReduceOnly);
            }
            if what < 30 {
                (floor.market.updated, floor.market.channel_updated) =
                    (floor.moment.now, floor.moment.now);
                floor.market.last.as_mut().unwrap().at = floor.moment.now;
            }
            let side = if is_buy { Side::Buy } else { Side::Sell };
            let order = Order { account: DESK, ..floor.order(side, qty, dollars * 10_000) };
            let (market, moment) = (floor.market, floor.moment);
            let replaced = if what % 3 == 0 { open.len().checked_sub(1) } else { None };
            if let Some(last) = replaced {
                let (old, mut held) = open[pick % (last + 1)];
                let order = Order { id: old.id, side: old.side, ..order };
                let explanation = floor.risk.explain(&order, Some(&held), None, &market, moment);
                let judged = floor.risk.clear_replace(order, &mut held, &market, moment);
                agrees(&explanation, &judged.map_or_else(|verdict| verdict, |_| Verdict::pass()));
                open[pick % (last + 1)].1 = held;
            } else {
                let explanation = floor.risk.explain(&order, None, None, &market, moment);
                let headroom = explanation.headroom.unwrap();
                let more = Order { qty: Qty(headroom.qty.0 + 1), ..order };
                let more = floor.risk.explain(&more, None, None, &market, moment);
                prop_assert_eq!(more.verdict.primary.unwrap().code, headroom.binds);
                if explanation.verdict.passed() {
                    let binding = explanation.checks[explanation.binding.unwrap()];
                    prop_assert_eq!(binding.code, headroom.binds);
                    prop_assert_ne!(binding.standing, Standing::Failed);
                }
                let judged = floor.risk.clear(order, &market, moment);
                let verdict = judged.as_ref().map_or_else(|verdict| *verdict, |_| Verdict::pass());
                agrees(&explanation, &verdict);
                if let Ok((_, held)) = judged {
                    open.push((order, held));
                }
            }
            if let Some((_, held)) = open.last_mut()
                && what % 5 == 0 && held.open().0 > 0
            {
                let _ = floor.risk.fill(held, Px(1_000_000), Qty(1));
            }
        }
    }
}

/// Goal: a check that is off, one that has nothing to say, one that could not measure, and one that looked are
/// told apart, each with the numbers that it has. Method: one order that meets them all.
#[test]
fn standings_are_told_apart() {
    let mut floor = floor(&[60; 6], 1 << 12 | 1 << 13);
    let order = Order { account: DESK, id: OrderId(7), ..floor.order(Side::Buy, 25, 1_000_000) };
    let explanation = floor.risk.explain(&order, None, None, &floor.market, floor.moment);
    let on = |code: Reject, account: Option<AccountId>| {
        *explanation
            .checks
            .iter()
            .find(|row| (row.code, row.account) == (code, account))
            .unwrap_or_else(|| panic!("{code} {account:?}"))
    };
    let numbers = |row: Explained| (row.standing, row.limit, row.used, row.headroom);
    let none = (None, None, None);
    let (a, b, c) = none;
    assert_eq!(numbers(on(Reject::UnknownAccount, None)), (Standing::Passed, a, b, c));
    assert_eq!(numbers(on(Reject::NotOpen, None)), (Standing::NotApplicable, a, b, c));
    assert_eq!(
        numbers(on(Reject::Clip, Some(DESK))),
        (Standing::Failed, Some(20), Some(25), Some(-5))
    );
    assert_eq!(
        numbers(on(Reject::Clip, Some(FIRM))),
        (Standing::Passed, Some(60), Some(25), Some(35))
    );
    assert_eq!(numbers(on(Reject::Spread, Some(FIRM))), (Standing::Off, a, b, c));
    assert_eq!(numbers(on(Reject::Loss, Some(DESK))), (Standing::Off, a, Some(0), c));
    assert_eq!(numbers(on(Reject::ShortSale, Some(DESK))), (Standing::Off, a, b, c));
    assert_eq!(numbers(on(Reject::Adv, Some(DESK))), (Standing::Failed, a, b, c), "not known");
    assert_eq!(numbers(on(Reject::Lot, None)), (Standing::Passed, Some(1), Some(25), None));
    let binding = explanation.checks[explanation.binding.unwrap()];
    assert_eq!((binding.code, binding.account), (Reject::Clip, Some(DESK)));
}

/// Goal: what a venue is not known to do is named, and nothing that it is. Method: a displayed part that is post-only, where
/// one of them is confirmed; on paper.
#[test]
fn what_is_not_taken_is_named() {
    let mut floor = Floor::new();
    let mut order = floor.order(Side::Buy, 10, 1_000_000);
    (order.conditions.post_only, order.conditions.display) = (true, model::Qty(5));
    let named = |floor: &Floor| {
        let explanation = floor.risk.explain(&order, None, None, &floor.market, floor.moment);
        let refused = explanation.verdict.primary.map(|finding| finding.code);
        (refused, explanation.untaken.names().collect::<Vec<_>>())
    };
    assert_eq!(named(&floor), (None, vec![]));
    let [.., (_, display)] = OrderFeatures::CONFIRMABLE;
    floor.moment.takes = display;
    assert_eq!(named(&floor), (Some(Reject::Unsupported), vec!["post_only"]));
}
