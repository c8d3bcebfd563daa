//! Events of a book of orders as ITCH messages.

use std::collections::HashMap;

use feeds::nasdaq::message::{
    AddOrder, BrokenTrade, CrossTrade, Message, MwcbStatus, OperationalHalt, OrderCancel,
    OrderDelete, OrderExecuted, OrderExecutedWithPrice, OrderReplace, RegSho, StockDirectory,
    StockTradingAction, SystemEvent, Trade,
};
use feeds::nasdaq::{Header, MESSAGE_MAX, Price4, Stock};
use feeds::new_york_midnight;
use model::{Event, Flags, Kind, Side, TradingState, Ts, VenueNumber};
use program::eprintln;

/// Times that ITCH can hold, nanoseconds since midnight: 48 bits, or 78 hours.
const TIME_END: u64 = 1 << 48;
/// Places behind the point that ITCH has.
const PX_DECIMALS: u32 = 4;

struct Order {
    number: VenueNumber,
    side: Side,
    px: i64,
    open: i64,
}

struct Listed {
    stock: Stock,
    px_decimals: u32,
}

/// Says events in ITCH. Remembers what rests, because some of its messages speak of what is left.
pub struct Writer {
    listed: HashMap<VenueNumber, Listed>,
    orders: HashMap<u64, Order>,
    midnight: Option<Ts>,
    /// Messages of a time before midnight, which has no word.
    early: u64,
}

impl Drop for Writer {
    /// Says how many times were not written as they are.
    fn drop(&mut self) {
        let Writer { early, .. } = self;
        if *early > 0 {
            eprintln!("tickgate-convert: {early} events of a day before were given the time 00:00");
        }
    }
}

impl Writer {
    pub fn new() -> Writer {
        Writer { listed: HashMap::new(), orders: HashMap::new(), midnight: None, early: 0 }
    }

    /// Says one event; `false`: ITCH has no words for it.
    ///
    /// # Errors
    ///
    /// In words: a price, a quantity or a time that ITCH cannot hold, an order that is not there.
    pub fn take(
        &mut self,
        event: &Event,
        emit: &mut impl FnMut(Ts, &[u8]),
    ) -> Result<bool, String> {
        match event.kind {
            Kind::Notice | Kind::Integrity => return Ok(false),
            Kind::Clear if self.orders.is_empty() => return Ok(true),
            _ => {}
        }
        let time = self.time(event)?;
        let header = Header {
            locate: u16::try_from(event.number.0).map_err(|_| "more than 65,535 instruments")?,
            tracking: 0,
            time,
        };
        let mut say = |message: Message| {
            emit(event.ts_recv, message.encode(&mut [0; MESSAGE_MAX]));
        };
        match event.kind {
            Kind::Directory => self.list(event, header, &mut say)?,
            Kind::State => say(self.state(event, header)?),
            Kind::Session => match u8::try_from(event.aux) {
                Ok(event) => say(SystemEvent { header, event }.into()),
                Err(_) => return Ok(false), // A session was joined: nothing that the venue said.
            },
            Kind::Cross => say(self.cross(event, header)?),
            Kind::VenueHalt => say(self.halt(event, header)?),
            Kind::ShortSale => say(self.short_sale(event, header)?),
            Kind::MarketHalt => say(breaker(event, header)?),
            Kind::Broken => say(BrokenTrade { header, match_number: event.aux }.into()),
            Kind::Add => say(self.add(event, header)?),
            Kind::Modify => self.modify(event, header, &mut say)?,
            Kind::Reduce | Kind::Delete | Kind::Execute | Kind::ExecuteAt => {
                say(self.remove(event, header)?);
            }
            Kind::Replace => say(self.replace(event, header)?),
            Kind::Trade => say(self.trade(event, header)?),
            Kind::Clear => self.clear(event, header, &mut say),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Nanoseconds since New York's midnight before the first event. That is of the time of receipt: the orders of a snapshot
    /// have the venue's time of long before.
    fn time(&mut self, event: &Event) -> Result<u64, String> {
        let midnight = *self.midnight.get_or_insert_with(|| new_york_midnight(event.ts_recv));
        self.early += u64::from(event.ts_venue < midnight);
        let time = event.ts_venue.0.saturating_sub(midnight.0);
        let later = || format!("message {} is 78 hours after the first midnight", event.seq);
        (time < TIME_END).then_some(time).ok_or_else(later)
    }

    fn list(
        &mut self,
        event: &Event,
        header: Header,
        say: &mut impl FnMut(Message),
    ) -> Result<(), String> {
        let (symbol, px_decimals, _) = event.listing().ok_or("a directory without a symbol")?;
        let stock = Stock::new(symbol.as_str());
        let stock = stock.ok_or_else(|| format!("`{symbol}` is longer than 8 characters"))?;
        self.listed.insert(event.number, Listed { stock, px_decimals: px_decimals.into() });
        say(StockDirectory {
            header,
            stock,
            market_category: b' ',
            financial_status: b'N',
            round_lot: u32::try_from(event.qty.0).unwrap_or(0),
            round_lots_only: b'N',
            issue_class: b' ',
            issue_subtype: *b"  ",
            authenticity: b'P',
            short_sale_threshold: b' ',
            ipo_flag: b' ',
            luld_tier: b' ',
            etp_flag: b' ',
            etp_leverage: 0,
            inverse: b'N',
        }
        .into());
        Ok(())
    }

    fn stock(&self, number: VenueNumber) -> Result<&Listed, String> {
        self.listed.get(&number).ok_or_else(|| format!("instrument {} was never named", number.0))
    }

    fn state(&self, event: &Event, header: Header) -> Result<Message, String> {
        let stock = self.stock(event.number)?.stock;
        let code = u8::try_from(event.aux).ok().and_then(TradingState::from_code);
        let state = match code {
            Some(TradingState::Trading) => b'T',
            Some(TradingState::Paused) => b'P',
            Some(TradingState::QuoteOnly) => b'Q',
            _ => b'H',
        };
        Ok(StockTradingAction { header, stock, state, reserved: b' ', reason: *b"    " }.into())
    }

    fn price(&self, number: VenueNumber, px: i64) -> Result<Price4, String> {
        let decimals = self.stock(number)?.px_decimals;
        let px =
            model::Px::from_venue(px, decimals, PX_DECIMALS).map_err(|error| error.to_string());
        let px = px.and_then(|px| u32::try_from(px.0).map_err(|error| error.to_string()));
        px.map(Price4).map_err(|error| format!("a price that ITCH cannot hold: {error}"))
    }

    fn add(&mut self, event: &Event, header: Header) -> Result<Message, String> {
        let side = event.side.ok_or("an order without a side")?;
        let order = Order { number: event.number, side, px: event.px.0, open: event.qty.0 };
        let message = AddOrder {
            header,
            order: event.order.0,
            side,
            shares: shares(event.qty.0)?,
            stock: self.stock(event.number)?.stock,
            price: self.price(event.number, event.px.0)?,
        };
        self.orders.insert(event.order.0, order);
        Ok(message.into())
    }

    fn order(&mut self, order: u64) -> Result<&mut Order, String> {
        self.orders.get_mut(&order).ok_or_else(|| format!("order {order} was never added"))
    }

    fn remove(&mut self, event: &Event, header: Header) -> Result<Message, String> {
        let number = event.order.0;
        let qty = event.qty.0;
        let open = {
            let order = self.order(number)?;
            order.open -= if event.kind == Kind::Delete { order.open } else { qty };
            order.open
        };
        if open <= 0 {
            self.orders.remove(&number);
        }
        let (order, match_number) = (number, event.aux);
        Ok(match event.kind {
            Kind::Execute => {
                OrderExecuted { header, order, shares: shares(qty)?, match_number }.into()
            }
            Kind::ExecuteAt => OrderExecutedWithPrice {
                header,
                order,
                shares: shares(qty)?,
                match_number,
                printable: if event.flags.has(Flags::NOT_PRINTABLE) { b'N' } else { b'Y' },
                price: self.price(event.number, event.px.0)?,
            }
            .into(),
            Kind::Reduce if open > 0 => OrderCancel { header, order, shares: shares(qty)? }.into(),
            _ => OrderDelete { header, order }.into(),
        })
    }

    fn replace(&mut self, event: &Event, header: Header) -> Result<Message, String> {
        let old = self.orders.remove(&event.order.0);
        let old = old.ok_or_else(|| format!("order {} was never added", event.order.0))?;
        let message = OrderReplace {
            header,
            original: event.order.0,
            order: event.aux,
            shares: shares(event.qty.0)?,
            price: self.price(event.number, event.px.0)?,
        };
        self.orders.insert(event.aux, Order { px: event.px.0, open: event.qty.0, ..old });
        Ok(message.into())
    }

    /// ITCH has no new terms under the same reference: less in place is a cancel, anything else the end and another beginning.
    fn modify(
        &mut self,
        event: &Event,
        header: Header,
        say: &mut impl FnMut(Message),
    ) -> Result<(), String> {
        let order = event.order.0;
        let Order { side, px, open, .. } = *self.order(order)?;
        if px == event.px.0 && event.qty.0 <= open {
            if event.qty.0 < open {
                say(OrderCancel { header, order, shares: shares(open - event.qty.0)? }.into());
            }
            self.order(order)?.open = event.qty.0;
            return Ok(());
        }
        say(OrderDelete { header, order }.into());
        say(self.add(&Event { side: Some(side), ..*event }, header)?);
        Ok(())
    }

    fn trade(&self, event: &Event, header: Header) -> Result<Message, String> {
        Ok(Trade {
            header,
            order: 0,
            side: event.side.unwrap_or(Side::Buy),
            shares: shares(event.qty.0)?,
            stock: self.stock(event.number)?.stock,
            price: self.price(event.number, event.px.0)?,
            match_number: event.aux,
        }
        .into())
    }

    fn cross(&self, event: &Event, header: Header) -> Result<Message, String> {
        let shares = u64::try_from(event.qty.0);
        Ok(CrossTrade {
            header,
            shares: shares.map_err(|_| "a cross of less than nothing")?,
            stock: self.stock(event.number)?.stock,
            price: self.price(event.number, event.px.0)?,
            match_number: event.aux,
            cross_type: u8::try_from(event.order.0).ok().filter(|kind| *kind > 0).unwrap_or(b' '),
        }
        .into())
    }

    fn halt(&self, event: &Event, header: Header) -> Result<Message, String> {
        let stock = self.stock(event.number)?.stock;
        let action = if event.aux == 1 { b'H' } else { b'T' };
        Ok(OperationalHalt { header, stock, market: b'Q', action }.into())
    }

    fn short_sale(&self, event: &Event, header: Header) -> Result<Message, String> {
        let stock = self.stock(event.number)?.stock;
        let action = if event.aux == 1 { b'1' } else { b'0' };
        Ok(RegSho { header, stock, action }.into())
    }

    /// Deletes every order that rests, in the order of their references.
    fn clear(&mut self, event: &Event, header: Header, say: &mut impl FnMut(Message)) {
        let all = event.number == VenueNumber(0);
        let mut gone: Vec<(u64, u16)> = self
            .orders
            .iter()
            .filter(|(_, order)| all || order.number == event.number)
            .map(|(reference, order)| (*reference, order.number.0 as u16))
            .collect();
        gone.sort_unstable();
        for (order, locate) in gone {
            self.orders.remove(&order);
            say(OrderDelete { header: Header { locate, ..header }, order }.into());
        }
    }
}

fn breaker(event: &Event, header: Header) -> Result<Message, String> {
    let level = u8::try_from(event.aux).ok().filter(|level| (1..=3).contains(level));
    let breached_level = b'0' + level.ok_or("a circuit breaker of no level")?;
    Ok(MwcbStatus { header, breached_level }.into())
}

fn shares(qty: i64) -> Result<u32, String> {
    u32::try_from(qty).map_err(|_| format!("a quantity of {qty} that ITCH cannot hold"))
}

#[cfg(test)]
mod tests {
    use feeds::Date;
    use model::{DAY_NS, Symbol};

    use super::*;

    /// Goal: times are of New York's day of the first receipt: earlier ones are midnight and counted, later ones than ITCH can
    /// hold are refused. Method: a snapshot's order of last week, the day itself, 78 hours on.
    #[test]
    fn times() {
        let day = Date(20_000).new_york_midnight();
        let at = |venue, recv| Event {
            ts_venue: Ts(venue),
            ts_recv: Ts(recv),
            ..Event::directory(VenueNumber(1), Symbol::new("A").unwrap(), 4, 0)
        };
        let mut writer = Writer::new();
        let mut times = Vec::new();
        let mut take = |event: Event| {
            writer.take(&event, &mut |_, message| {
                let [high, low] =
                    [[0, 0, message[5], message[6]], message[7..11].try_into().unwrap()];
                times.push(
                    u64::from(u32::from_be_bytes(high)) << 32 | u64::from(u32::from_be_bytes(low)),
                );
            })
        };
        assert_eq!(take(at(day.0 - 7 * DAY_NS, day.0 + 5)), Ok(true));
        assert_eq!(take(at(day.0 + 3, day.0 + 6)), Ok(true));
        assert_eq!(take(at(day.0 + TIME_END - 1, day.0 + TIME_END)), Ok(true));
        assert!(take(at(day.0 + TIME_END, day.0 + TIME_END)).is_err());
        assert_eq!(times, [0, 3, TIME_END - 1]);
        assert_eq!(writer.early, 1);
    }
}
