//! Events of a book of orders as DBN market by order.

use std::collections::HashMap;
use std::ffi::c_char;
use std::io::Write;

use dbn::encode::EncodeRecord;
use dbn::encode::dbn::Encoder;
use dbn::{FlagSet, MappingInterval, MboMsg, Metadata, RecordHeader, SType, Schema, SymbolMapping};
use model::{Event, Flags, Kind, Side, VenueNumber};

use crate::Listing;

/// Places behind the point that DBN has.
const PX_DECIMALS: u32 = 9;

struct Order {
    number: VenueNumber,
    side: Side,
    px: i64,
    open: i64,
}

/// Writes records.
pub struct Writer<W: Write> {
    encoder: Encoder<W>,
    listed: HashMap<VenueNumber, Listing>,
    orders: HashMap<u64, Order>,
}

impl<W: Write> Writer<W> {
    /// Writes the head, which names every instrument.
    pub fn new(out: W, listed: &HashMap<VenueNumber, Listing>) -> Result<Writer<W>, String> {
        let mut mappings: Vec<_> = listed.iter().collect();
        mappings.sort_by_key(|(number, _)| number.0);
        let (first, last) = (date(1970)?, date(2149)?);
        let mapping = |(number, listing): (&VenueNumber, &Listing)| SymbolMapping {
            raw_symbol: listing.symbol.to_string(),
            intervals: vec![MappingInterval {
                start_date: first,
                end_date: last,
                symbol: number.0.to_string(),
            }],
        };
        let metadata = Metadata::builder()
            .dataset("XNAS.ITCH".to_string())
            .schema(Some(Schema::Mbo))
            .start(0)
            .stype_in(Some(SType::RawSymbol))
            .stype_out(SType::InstrumentId)
            .symbols(mappings.iter().map(|(_, listing)| listing.symbol.to_string()).collect())
            .mappings(mappings.into_iter().map(mapping).collect())
            .build();
        let encoder = Encoder::new(out, &metadata).map_err(|error| error.to_string())?;
        Ok(Writer { encoder, listed: listed.clone(), orders: HashMap::new() })
    }

    /// Says one event; how many records it took.
    ///
    /// # Errors
    ///
    /// In words: a price or quantity that DBN cannot hold, an order that is not there, a full disk.
    pub fn take(&mut self, event: &Event) -> Result<u64, String> {
        let (order, qty) = (event.order.0, event.qty.0);
        let terms = |side, px, qty| Terms { order, side, px, qty };
        match event.kind {
            Kind::Add => {
                let side = event.side.ok_or("an order without a side")?;
                self.open(event, order, side);
                self.say(event, b'A', terms(Some(side), event.px.0, qty), true)?;
                Ok(1)
            }
            Kind::Execute | Kind::ExecuteAt => {
                let resting = self.take_off(order, qty)?;
                let px = if event.kind == Kind::Execute { resting.px } else { event.px.0 };
                let aggressor = Some(resting.side.opposite());
                self.say(event, b'T', Terms { order: 0, side: aggressor, px, qty }, false)?;
                self.say(event, b'F', terms(Some(resting.side), px, qty), false)?;
                self.say(event, b'C', terms(Some(resting.side), resting.px, qty), true)?;
                Ok(3)
            }
            Kind::Reduce | Kind::Delete => {
                let open = self.order(order)?.open;
                let qty = if event.kind == Kind::Delete { open } else { qty };
                let resting = self.take_off(order, qty)?;
                self.say(event, b'C', terms(Some(resting.side), resting.px, qty), true)?;
                Ok(1)
            }
            Kind::Replace => {
                let open = self.order(order)?.open;
                let resting = self.take_off(order, open)?;
                let side = resting.side;
                self.say(event, b'C', terms(Some(side), resting.px, open), false)?;
                self.open(event, event.aux, side);
                let new = Terms { order: event.aux, side: Some(side), px: event.px.0, qty };
                self.say(event, b'A', new, true)?;
                Ok(2)
            }
            Kind::Modify => {
                let side = self.order(order)?.side;
                self.open(event, order, side);
                self.say(event, b'M', terms(Some(side), event.px.0, qty), true)?;
                Ok(1)
            }
            Kind::Trade | Kind::Cross if event.px.0 > 0 && qty > 0 => {
                let aggressor = event.side.map(Side::opposite);
                self.say(
                    event,
                    b'T',
                    Terms { order: 0, side: aggressor, px: event.px.0, qty },
                    true,
                )?;
                Ok(1)
            }
            Kind::Clear => {
                self.orders.retain(|_, order| {
                    event.number != VenueNumber(0) && order.number != event.number
                });
                self.say(event, b'R', Terms { order: 0, side: None, px: 0, qty: 0 }, true)?;
                Ok(1)
            }
            // Names stand in the head.
            Kind::Directory => Ok(u64::from(self.listed.contains_key(&event.number))),
            _ => Ok(0),
        }
    }

    /// Writes what is still in memory.
    pub fn end(mut self) -> Result<(), String> {
        self.encoder.get_mut().flush().map_err(|error| error.to_string())
    }

    fn open(&mut self, event: &Event, order: u64, side: Side) {
        let (px, open) = (event.px.0, event.qty.0);
        self.orders.insert(order, Order { number: event.number, side, px, open });
    }

    fn order(&self, order: u64) -> Result<&Order, String> {
        self.orders.get(&order).ok_or_else(|| format!("order {order} was never added"))
    }

    /// Takes quantity off an order, and the order out if nothing is left; what it was.
    fn take_off(&mut self, order: u64, qty: i64) -> Result<Order, String> {
        let Order { number, side, px, open } = *self.order(order)?;
        match open - qty {
            0 => _ = self.orders.remove(&order),
            left if left > 0 => {
                _ = self.orders.insert(order, Order { number, side, px, open: left })
            }
            _ => return Err(format!("more taken off order {order} than was open")),
        }
        Ok(Order { number, side, px, open })
    }

    fn say(&mut self, event: &Event, action: u8, terms: Terms, last: bool) -> Result<(), String> {
        let decimals = self.listed.get(&event.number).map_or(0, |listing| listing.px_decimals);
        let price = model::Px::from_venue(terms.px, decimals.into(), PX_DECIMALS);
        let mut flags = FlagSet::default();
        if last {
            flags.set_last();
        }
        if event.flags.has(Flags::SNAPSHOT) {
            flags.set_snapshot();
        }
        let side = match terms.side {
            Some(Side::Buy) => b'B',
            Some(Side::Sell) => b'A',
            None => b'N',
        };
        let record = MboMsg {
            hd: RecordHeader::new::<MboMsg>(dbn::rtype::MBO, 1, event.number.0, event.ts_venue.0),
            order_id: terms.order,
            price: price.map_err(|error| format!("a price that DBN cannot hold: {error}"))?.0,
            size: u32::try_from(terms.qty).map_err(|_| "a quantity that DBN cannot hold")?,
            flags,
            channel_id: 0,
            action: action as c_char,
            side: side as c_char,
            ts_recv: event.ts_recv.0,
            ts_in_delta: 0,
            sequence: event.seq as u32,
        };
        self.encoder.encode_record(&record).map_err(|error| error.to_string())
    }
}

/// What a record says of an order.
#[derive(Clone, Copy)]
struct Terms {
    order: u64,
    side: Option<Side>,
    px: i64,
    qty: i64,
}

fn date(year: i32) -> Result<time::Date, String> {
    time::Date::from_ordinal_date(year, 1).map_err(|error| error.to_string())
}
