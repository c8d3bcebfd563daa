//! Pre-trade checks of a limit order that passes all of them.
//!
//! Ours is the whole gate with every limit on, for an account beneath a firm, and the reservation of the worst case.
//! nautilus's engine looks order, account, balance and quote up in its cache and sends the order on over its bus; with
//! `bypass` it does nothing but send. What it does not have of ours: position, loss, price and rate limits of an
//! account, self-trades, reservations.

use benches::floor::{GAP, MARKET, NOW, ORDERS, Row};
use model::{ClientOrderId, Ts};
use risk::Moment;

use std::hint::black_box;

use super::rival;
use crate::contest::{Contender, Contest, Outcome, Round, timed};
use crate::setting::Setting;

/// Runs the row.
pub fn run(setting: &Setting) -> Vec<Outcome> {
    let contest = Contest {
        title: "pre-trade checks, all pass".into(),
        unit: "ns an order",
        right: Some(ORDERS as u64),
        contenders: rivals(),
    };
    vec![contest.run(setting)]
}

fn rivals() -> Vec<Contender<'static>> {
    let row = |all| Row { instruments: 1, accounts: 1, all };
    let ids: Vec<ClientOrderId> = (0..ORDERS)
        .map(|number| ClientOrderId::new(&format!("agent-{number}")).expect("short enough"))
        .collect();
    let few = ids.clone();
    vec![
        Contender::ours("gate, every limit", move || gate(row(true), &ids)),
        Contender::ours("gate, least limits", move || gate(row(false), &few)),
        rival!(
            "nautilus",
            "nautilus-risk",
            Contender::rival("nautilus-risk", "RiskEngine", || nautilus::execute(false))
                .note("other checks")
        ),
        rival!(
            "nautilus",
            "nautilus-risk",
            Contender::rival("nautilus-risk", "bypass", || nautilus::execute(true))
                .note("no checks, its bus alone")
        ),
    ]
}

/// The sum is how many passed.
fn gate(row: Row, ids: &[ClientOrderId]) -> Round {
    let mut risk = row.books_of_account();
    let mut moment = Moment::at(Ts(NOW));
    let mut held = Vec::with_capacity(ids.len());
    let (each, ()) = timed(ids.len(), || {
        for (number, id) in (0..).zip(ids) {
            moment.now.0 += GAP;
            if let Ok((cleared, reservation)) =
                risk.clear(row.order(number, *id), black_box(&MARKET), moment)
            {
                black_box(cleared.order());
                held.push(reservation);
            }
        }
    });
    Round { each, sum: Some(held.len() as u64) }
}

#[cfg(feature = "nautilus")]
mod nautilus {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    use benches::floor::ORDERS;
    use nautilus_common::cache::Cache;
    use nautilus_common::clock::TestClock;
    use nautilus_common::messages::execution::{SubmitOrder, TradingCommand};
    use nautilus_common::msgbus::{self, MessagingSwitchboard, TypedIntoHandler};
    use nautilus_common::throttler::RateLimit;
    use nautilus_core::{UUID4, UnixNanos};
    use nautilus_model::accounts::{AccountAny, CashAccount};
    use nautilus_model::data::stubs::quote_audusd;
    use nautilus_model::enums::{OrderSide, OrderType};
    use nautilus_model::events::account::stubs::cash_account_state_million_usd;
    use nautilus_model::identifiers::{ClientOrderId, TraderId};
    use nautilus_model::instruments::stubs::audusd_sim;
    use nautilus_model::instruments::{Instrument, InstrumentAny};
    use nautilus_model::orders::{OrderAny, OrderTestBuilder};
    use nautilus_model::types::{Price, Quantity};
    use nautilus_portfolio::Portfolio;
    use nautilus_risk::engine::RiskEngine;
    use nautilus_risk::engine::config::RiskEngineConfig;

    use crate::contest::{Round, timed};

    fn order(instrument: &InstrumentAny, number: usize) -> OrderAny {
        OrderTestBuilder::new(OrderType::Limit)
            .instrument_id(instrument.id())
            .client_order_id(ClientOrderId::from(format!("O-{number}").as_str()))
            .side(OrderSide::Buy)
            .price(Price::from("0.90000"))
            .quantity(Quantity::from("100"))
            .build()
    }

    /// The sum is how many came out at the other end.
    pub fn execute(bypass: bool) -> Round {
        let instrument = InstrumentAny::CurrencyPair(audusd_sim());
        let state = cash_account_state_million_usd("1000000 USD", "0 USD", "1000000 USD");
        let mut cache = Cache::default();
        cache.add_instrument(instrument.clone()).expect("an instrument");
        cache
            .add_account(AccountAny::Cash(CashAccount::new(state, true, false)))
            .expect("an account");
        cache.add_quote(quote_audusd()).expect("a quote");
        let orders: Vec<OrderAny> = (0..ORDERS).map(|number| order(&instrument, number)).collect();
        for order in &orders {
            cache.add_order(order.clone(), None, None, false).expect("an order");
        }
        let passed = Rc::new(Cell::new(0_u64));
        let count = passed.clone();
        msgbus::register_trading_command_endpoint(
            MessagingSwitchboard::exec_engine_queue_execute(),
            TypedIntoHandler::from(move |_: TradingCommand| count.set(count.get() + 1)),
        );
        let cache = Rc::new(RefCell::new(cache));
        let clock = Rc::new(RefCell::new(TestClock::new()));
        let config = RiskEngineConfig {
            bypass,
            max_order_submit: RateLimit::new(1_000_000, 1_000_000_000),
            ..RiskEngineConfig::default()
        };
        let portfolio = Portfolio::new(cache.clone(), clock.clone(), None);
        let mut engine = RiskEngine::new(config, portfolio, clock, cache);
        let (trader, now) = (TraderId::from("TRADER-001"), UnixNanos::default());
        let command = |order: &OrderAny| {
            TradingCommand::SubmitOrder(SubmitOrder::from_order(
                order,
                trader,
                None,
                None,
                UUID4::new(),
                now,
            ))
        };
        let commands: Vec<TradingCommand> = orders.iter().map(command).collect();
        let (each, ()) =
            timed(ORDERS, || commands.into_iter().for_each(|command| engine.execute(command)));
        Round { each, sum: Some(passed.get()) }
    }
}
