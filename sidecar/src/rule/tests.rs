use model::page::{AnswerKind, AsOf, INDICATOR_SLOTS, Last, Quote};
use model::{
    Cause, FeedId, Instrument, InstrumentId, Integrity, Symbol, TradingState, Ts, VenueNumber,
};

use super::*;

/// AAPL at 100.00 / 100.02, in cents of 10^-4.
fn board() -> Board {
    let quote = |px| Some(Quote { px: Px(px), qty: Qty(100), orders: 1 });
    Board {
        as_of: AsOf::default(),
        instrument: Instrument {
            id: InstrumentId(0),
            symbol: Symbol::new("AAPL").unwrap(),
            feed: FeedId(0),
            number: VenueNumber(1),
            px_decimals: 4,
            qty_decimals: 0,
            px_step: Px(100),
            lot: Qty(10),
            currency: *b"USD\0\0\0\0\0",
        },
        state: TradingState::Trading,
        halt: model::HaltLevel::Active,
        halt_cause: None,
        integrity: Integrity::Live,
        cause: Cause::None,
        since: Ts(0),
        bid: quote(1_000_000),
        ask: quote(1_000_200),
        levels: [1, 1],
        last: Some(Last { px: Px(1_000_100), qty: Qty(1), ts: Ts(0) }),
        open_high_low: [Px(1_000_100); 3],
        volume: Qty(1),
        trades: 1,
        indicators: [None; INDICATOR_SLOTS],
    }
}

fn fix(side: Side, px: i64, qty: i64, finding: Finding) -> String {
    let board = board();
    Judged { board: &board, side, px: Px(px), qty: Qty(qty) }.fix(&finding)
}

/// Goal: the advice, followed to the letter, passes the rule, and one step more does not. Method:
/// each numeric rule on figures worked out by hand.
#[test]
fn advice_names_the_edge() {
    let at = |finding| fix(Side::Buy, 1_000_000, 500, finding);
    let clip = at(Finding::at_most(Reject::Clip, 500, 305));
    assert!(clip.starts_with("lower qty to at most 300 "), "on the lot: {clip}");
    // 29,999.99 at 100.00 buys 299 shares, 290 on the lot.
    let notional = at(Finding::at_most(Reject::Notional, 1, 29_999_990_000_000_000));
    assert!(notional.starts_with("lower qty to at most 290 "), "{notional}");
    let position = at(Finding::at_most(Reject::Position, 1_100, 1_000));
    assert!(position.starts_with("lower qty to at most 400 "), "{position}");
    let full = at(Finding::at_most(Reject::Position, 1_500, 1_000));
    assert!(full.starts_with("no quantity passes now"), "{full}");
    // 500 * 100.00 needs 50,000; 1,000 too little: 490 shares.
    let cash = at(Finding {
        failed: true,
        ..Finding::at_most(Reject::Cash, 50_000 * 10_i128.pow(12), 49_000 * 10_i128.pow(12))
    });
    assert!(cash.starts_with("lower qty to at most 490 "), "{cash}");
}

/// Goal: the collar's edge is inside the band and on the step, on either side. Method: 1 % around 100.01.
#[test]
fn collar_edge_is_inside() {
    let finding = Finding::at_most(Reject::Collar, 500, 100);
    assert!(
        fix(Side::Buy, 1_050_000, 10, finding).contains("at most 101.01 "),
        "101.0101 rounded down"
    );
    assert!(
        fix(Side::Sell, 950_000, 10, finding).contains("at least 99.01 "),
        "99.0099 rounded up"
    );
}

/// Goal: every failed rule is named, and only measured ones bear numbers. Method: a verdict of two
/// rules, numbers for the first alone.
#[test]
fn all_failed_rules_are_named() {
    let board = board();
    let judged = Judged { board: &board, side: Side::Buy, px: Px(1), qty: Qty(1) };
    let mut answer = Answer::bare(1, 2, Ts(3), AnswerKind::Refused);
    answer.verdict.fold(Finding::at_most(Reject::Notional, 7_500_000_000_000, 5_000_000_000_000));
    answer.verdict.fold(Finding::at_most(Reject::Rate, 11, 10));
    let rules = failed(&answer, &judged);
    let [notional, rate] = rules.as_slice() else { panic!("{}", rules.len()) };
    let numbers = [&notional.measured.limit, &notional.measured.used, &notional.measured.headroom];
    assert_eq!(numbers.map(|n| n.as_deref()), [Some("5.00"), Some("7.50"), Some("-2.50")]);
    assert_eq!((rate.measured.rule, rate.measured.limit.as_deref()), ("rate", None));
}

/// Goal: what only a person can approve says so, by its number. Method: a refusal with a number and one without.
#[test]
fn an_approval_is_named() {
    let board = board();
    let judged = Judged { board: &board, side: Side::Buy, px: Px(1), qty: Qty(1) };
    let mut answer = Answer::bare(1, 2, Ts(3), AnswerKind::Refused);
    answer.verdict.fold(Finding::at_most(Reject::NeedsApproval, 12_500, 10_000));
    assert!(!failed(&answer, &judged)[0].fix.contains("tickgate approve"));
    answer.approval = 41;
    let rules = failed(&answer, &judged);
    assert!(rules[0].fix.contains("`tickgate approve 41`"), "{}", rules[0].fix);
    assert_eq!(
        (rules[0].measured.used.as_deref(), rules[0].measured.unit),
        (Some("12500"), Some("bps"))
    );
}

/// Goal: no rule is without advice. Method: all of them.
#[test]
fn every_rule_has_advice() {
    for code in Reject::ALL {
        assert!(fix(Side::Sell, 1, 1, Finding::holds(*code, false)).len() > 20, "{code}");
    }
}
