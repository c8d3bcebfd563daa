use model::page::AsOf;

use super::*;
use crate::fee::Fee;
use crate::fixture::{ACCOUNT, ACCOUNT_LIMITS, FACTOR, Floor, INSTRUMENT, PAIR_LIMITS};
use crate::limits::PairLimits;

fn account_page(floor: &Floor) -> model::page::Account {
    floor.risk.account_page(ACCOUNT, AsOf::default(), floor.moment.now).unwrap()
}

fn line_page(floor: &Floor) -> model::page::Line {
    floor.risk.line_page(0, AsOf::default()).unwrap()
}

fn hash(floor: &Floor) -> Vec<u64> {
    let mut words = Vec::new();
    floor.risk.fold_account(ACCOUNT, |first, second| words.extend([first, second]));
    floor.risk.fold_line(0, |first, second| words.extend([first, second]));
    words
}

/// Goal: dearer fees are held for what is open already, and nothing for what holds nothing. Method: an order and one that is
/// done, a fee that comes, and goes.
#[test]
fn what_is_open_holds_the_fees_in_force() {
    let mut floor = Floor::new();
    let mut held = floor.pass(Side::Buy, 10, 1_000_000);
    let mut done = floor.pass(Side::Buy, 10, 1_000_000);
    floor.risk.release(&mut done);
    let free = Money(10_000_000 * FACTOR);
    let fee = Fee::new(0, Money(7 * FACTOR), Money(1), FACTOR as i64).unwrap();
    for (fee, extra) in [(fee, 70 * FACTOR), (Fee::NONE, 0)] {
        let limits = PairLimits { fee, ..PAIR_LIMITS };
        floor.risk.set_pair_limits(ACCOUNT, INSTRUMENT, limits).unwrap();
        floor.risk.reprice(&mut held).unwrap();
        floor.risk.reprice(&mut done).unwrap();
        assert_eq!((held.held_cash(), done.held_cash()), (Money(free.0 + extra), Money::ZERO));
        assert_eq!(account_page(&floor).reserved, held.held_cash());
    }
}

/// Goal: the pages and the fold show every stage of an order. Method: pass, fill a part at a better price,
/// cancel the rest.
#[test]
fn pages_follow_an_order() {
    let mut floor = Floor::new();
    let mut held = floor.pass(Side::Buy, 10, 1_000_000);
    let (account, line) = (account_page(&floor), line_page(&floor));
    assert_eq!((account.open_orders, account.orders_passed, account.rate_used), (1, 1, 1));
    assert_eq!(account.reserved, Money(10_000_000 * FACTOR));
    assert_eq!(account.gross, Money(10_000_000 * FACTOR));
    assert_eq!(
        (line.working_buy, line.position, line.mark),
        (Qty(10), Qty(0), Some(Px(1_000_000)))
    );
    assert_eq!((line.clip_max, line.band_bps), (PAIR_LIMITS.clip_max, PAIR_LIMITS.band_bps));
    assert_eq!((held.terms(), held.held_px()), ((Px(1_000_000), Qty(10)), Px(1_000_000)));
    assert_eq!(held.held_cash(), Money(10_000_000 * FACTOR));
    let passed = hash(&floor);

    let filled = floor.risk.fill(&mut held, Px(999_000), Qty(4)).unwrap();
    let (fee, amount) = (Money::ZERO, Money(4 * 999_000 * FACTOR));
    let expected = Filled { open: Qty(6), excess: Qty(0), fee, amount };
    assert_eq!((filled, held.filled()), (expected, Qty(4)));
    let (account, line) = (account_page(&floor), line_page(&floor));
    assert_eq!(account.cash, Money(ACCOUNT_LIMITS().cash.0 - 4 * 999_000 * FACTOR));
    assert_eq!(account.reserved, Money(6_000_000 * FACTOR));
    assert_eq!(
        (line.working_buy, line.position, line.cost),
        (Qty(6), Qty(4), Money(3_996_000 * FACTOR))
    );
    assert_ne!(hash(&floor), passed);

    let mut sale = floor.pass(Side::Sell, 3, 1_000_100);
    let sellable = floor.risk.sellable(ACCOUNT, crate::fixture::INSTRUMENT);
    assert_eq!(sellable, (Qty(4), Qty(3)));
    floor.risk.release(&mut sale);
    floor.risk.release(&mut held);
    assert_eq!((account_page(&floor).reserved, account_page(&floor).open_orders), (Money(0), 0));
    assert_eq!(account_page(&floor).gross, Money(4_000_000 * FACTOR));
    assert!(!held.is_open());
}

/// Goal: the terms that the venue says are held: with a change that may still come the worse of both, without it alone, after an
/// end what was counted and has not come. Method: a buy of ten that is to be twelve, said in each way; one that ends before that
/// is answered.
#[test]
fn holds_what_the_venue_says() {
    let mut floor = Floor::new();
    let order = floor.order(Side::Buy, 10, 1_000_000);
    let (_, mut held) = floor.clear(order).unwrap();
    let (old, new) = ((Px(1_000_000), Qty(10)), (Px(1_000_100), Qty(12)));
    let holds = |held: &Reservation| (held.held_px(), held.open());
    for said in [None, Some(new), Some(old)] {
        let change = floor.order(Side::Buy, 12, 1_000_100);
        let change = model::Order { id: order.id, ..change };
        let _asked = floor.risk.clear_replace(change, &mut held, &floor.market, floor.moment);
        assert_eq!(holds(&held), new);
        match said {
            None => floor.risk.replace_rejected(&mut held).unwrap(),
            Some(terms) if terms == old => floor.risk.restated(&mut held, old, None).unwrap(),
            Some(terms) => {
                floor.risk.restated(&mut held, old, Some(terms)).unwrap();
                assert_eq!(holds(&held), new, "it may still come");
                floor.risk.restated(&mut held, old, None).unwrap();
            }
        }
        assert_eq!(holds(&held), old);
        assert_eq!(account_page(&floor).reserved, Money(10_000_000 * FACTOR));
    }
    floor.risk.fill(&mut held, Px(1_000_000), Qty(3)).unwrap();
    floor.risk.ending(&mut held, Qty(5)).unwrap();
    assert_eq!((holds(&held), held.is_open()), ((old.0, Qty(2)), true));
    assert_eq!(account_page(&floor).reserved, Money(2_000_000 * FACTOR));
    floor.risk.fill(&mut held, Px(1_000_000), Qty(2)).unwrap();
    assert_eq!((held.is_open(), account_page(&floor).reserved), (false, Money(0)));

    let order = floor.order(Side::Buy, 10, 1_000_000);
    let (_, mut held) = floor.clear(order).unwrap();
    let change = floor.order(Side::Buy, 12, 1_000_100);
    let change = model::Order { id: order.id, ..change };
    let _asked = floor.risk.clear_replace(change, &mut held, &floor.market, floor.moment).unwrap();
    floor.risk.release(&mut held);
    assert_eq!((holds(&held), account_page(&floor).reserved), ((old.0, Qty(0)), Money(0)));

    let order = floor.order(Side::Buy, 10, 1_000_000);
    let (_, mut held) = floor.clear(order).unwrap();
    let change = model::Order { id: order.id, ..floor.order(Side::Buy, 12, 1_000_100) };
    let _asked = floor.risk.clear_replace(change, &mut held, &floor.market, floor.moment).unwrap();
    floor.risk.ending(&mut held, Qty(5)).unwrap();
    assert_eq!(
        holds(&held),
        (new.0, Qty(5)),
        "it may have been replaced before it filled and ended"
    );
    assert_eq!(account_page(&floor).reserved, Money(5 * 1_000_100 * FACTOR));
    floor.risk.fill(&mut held, Px(1_000_100), Qty(5)).unwrap();
    assert_eq!((held.is_open(), account_page(&floor).reserved), (false, Money(0)));
}

/// Goal: a fill beyond the order, and one after its end, count in the position and leave nothing working
/// below zero. Method: fill more than is open, then once more.
#[test]
fn venue_is_the_truth() {
    let mut floor = Floor::new();
    let mut held = floor.pass(Side::Sell, 10, 1_000_000);
    for (qty, excess) in [(15, 5), (1, 1)] {
        let filled = floor.risk.fill(&mut held, Px(1_000_000), Qty(qty)).unwrap();
        assert_eq!((filled.open, filled.excess), (Qty(0), Qty(excess)));
        assert_eq!(
            (filled.fee, filled.amount.0),
            (Money::ZERO, i128::from(qty) * 1_000_000 * FACTOR)
        );
    }
    let line = line_page(&floor);
    assert_eq!((line.position, line.working_sell), (Qty(-16), Qty(0)));
    assert_eq!(account_page(&floor).open_orders, 0);
}

/// Goal: what does not fit the books changes nothing but halts the account. Method: no quantity, overflow of
/// each sum.
#[test]
fn impossible_reports_halt() {
    for (px, qty) in [(1, 0), (1, -1), (i64::MAX, i64::MAX)] {
        let mut floor = Floor::new();
        let mut held = floor.pass(Side::Buy, 10, 1_000_000);
        let before = (line_page(&floor), held);
        assert_eq!(floor.risk.fill(&mut held, Px(px), Qty(qty)), Err(OutOfRange));
        assert_eq!((line_page(&floor), held), before);
        assert_eq!(floor.risk.halt(HaltScope::Account(ACCOUNT)), Some(HaltLevel::Halted));
    }
    let mut floor = Floor::new();
    let mut held = floor.pass(Side::Buy, 10, 1_000_000);
    assert_eq!(floor.risk.replaced(&mut held, Px(i64::MAX), Qty(i64::MAX)), Err(OutOfRange));
    assert_eq!(account_page(&floor).halt, HaltLevel::Halted);
}

/// Goal: a trade taken back leaves money and position as if it had never been, and makes no room in what the day
/// counted. Method: books of an account that made a trade and had it taken back, between two others, beside one
/// that did not make it.
#[test]
fn bust_is_exact() {
    let (mut with, mut without) = (Floor::new(), Floor::new());
    let sell = |floor: &mut Floor, qty, px| {
        let mut held = floor.pass(Side::Sell, qty, px);
        floor.risk.fill(&mut held, Px(px), Qty(qty)).unwrap()
    };
    for floor in [&mut with, &mut without] {
        let mut held = floor.pass(Side::Buy, 7, 1_000_000);
        floor.risk.fill(&mut held, Px(999_900), Qty(7)).unwrap();
    }
    let filled = sell(&mut with, 3, 1_000_100);
    for floor in [&mut with, &mut without] {
        sell(floor, 9, 1_000_300);
    }
    let (account, instrument) = (ACCOUNT, crate::fixture::INSTRUMENT);
    let deal = Deal { account, instrument, side: Side::Sell, px: Px(1_000_100), qty: Qty(3) };
    let traded = account_page(&with).traded;
    with.risk.bust(&deal, filled.fee).unwrap();
    let [busted, never] = [&with, &without].map(|floor| (account_page(floor), line_page(floor)));
    assert_eq!(busted.1.position, never.1.position);
    assert_eq!((busted.0.cash, busted.0.fees), (never.0.cash, never.0.fees));
    let profit = |(account, line): (model::page::Account, model::page::Line)| {
        account.realised.0 - line.cost.0
    };
    assert_eq!(profit(busted), profit(never), "what came in and went out");
    assert_eq!(busted.0.traded, traded);
    assert_eq!(with.risk.position(account, instrument), Qty(-2));
}

/// Goal: a fill of an order that nobody remembers counts; one that cannot be booked halts. Method: one of a known pair,
/// one of an account and one of an instrument that do not exist, one of nothing.
#[test]
fn unknown_fill_counts() {
    let mut floor = Floor::new();
    let (account, instrument) = (ACCOUNT, crate::fixture::INSTRUMENT);
    let deal = Deal { account, instrument, side: Side::Sell, px: Px(1_000_000), qty: Qty(3) };
    floor.risk.fill_unknown(&deal).unwrap();
    assert_eq!(line_page(&floor).position, Qty(-3));
    assert!(account_page(&floor).gross > Money::ZERO);
    let elsewhere = model::InstrumentId(99);
    for bad in [
        Deal { account: model::AccountId(9), ..deal },
        Deal { instrument: elsewhere, ..deal },
        Deal { qty: Qty(0), ..deal },
        Deal { px: Px(i64::MAX), qty: Qty(i64::MAX), ..deal },
    ] {
        let mut floor = Floor::new();
        floor.risk.fill_unknown(&bad).unwrap_err();
        let level = floor.risk.halt(HaltScope::Account(ACCOUNT)).unwrap();
        assert_eq!(level == HaltLevel::Halted, bad.account == ACCOUNT, "{bad:?}");
    }
}

/// Goal: a pair takes one place in the list of lines, at its first trade, and a trade that finds none is not booked. Method: two
/// trades of each pair, one pair more than there are places.
#[test]
fn lines_have_an_end() {
    let mut floor = Floor::new();
    floor.risk.add_account(ACCOUNT_LIMITS()).unwrap();
    let pairs = [0, 1].into_iter().flat_map(|account| [0, 1, 2].map(|number| (account, number)));
    for (at, (account, number)) in pairs.enumerate() {
        let (account, instrument) = (AccountId(account), InstrumentId(number));
        floor.risk.list(&crate::fixture::instrument(instrument)).unwrap();
        let deal = Deal { account, instrument, side: Side::Buy, px: Px(1_000_000), qty: Qty(3) };
        let booked = [(); 2].map(|()| floor.risk.fill_unknown(&deal).is_ok());
        assert_eq!(booked, [at < 4; 2]);
        assert_eq!(floor.risk.lines(), (at + 1).min(4));
    }
}

/// Goal: what goes into the hash is what pages show, word by word, and a line without a mark shows none. Method: books of which
/// every packed word is known; a sum that needs both its words.
#[test]
fn folds_are_whole() {
    let cash = Money((1 << 70) + 5);
    let limits = crate::AccountLimits { cash, clients: false, ..ACCOUNT_LIMITS() };
    let mut floor = Floor::with(ACCOUNT_LIMITS(), PAIR_LIMITS);
    let second = floor.risk.add_account(limits).unwrap();
    let instrument = model::InstrumentId(2);
    floor.risk.list(&crate::fixture::instrument(instrument)).unwrap();
    assert_eq!(floor.risk.accounts(), 2);
    assert_eq!([ACCOUNT, second].map(|id| floor.risk.is_open_to_clients(id)), [true, false]);
    let deal = Deal { account: second, instrument, side: Side::Buy, px: Px(7), qty: Qty(3) };
    floor.risk.open_lines(second, instrument);
    assert_eq!(line_page(&floor).mark, None);
    floor.risk.fill_unknown(&deal).unwrap();
    assert_eq!(line_page(&floor).mark, Some(Px(7)));
    floor.risk.set_halt(HaltScope::Account(second), HaltLevel::CancelOnly);
    floor.risk.set_halt(HaltScope::All, HaltLevel::ReduceOnly);
    let mut words = Vec::new();
    floor.risk.fold_account(second, |first, second| words.extend([first, second]));
    let halts = [HaltLevel::CancelOnly, HaltLevel::ReduceOnly].map(|level| u64::from(level.code()));
    let left = cash.0 - 21 * FACTOR;
    assert_eq!(words[..2], [1 | halts[0] << 32 | halts[1] << 40, 0]);
    assert_eq!(words[2..4], [left as u64, (left >> 64) as u64]);
    assert_eq!((words.len(), &words[28..30]), (34, &[1, 1][..]), "a trade, an execution");
    words.clear();
    floor.risk.fold_line(0, |first, second| words.extend([first, second]));
    assert_eq!((words.len(), words[0], words[1]), (10, 1 << 32 | 2, 3));
}
