//! Events of a book of orders as DBN market by order.
//!
//! DBN has no word for how far a book may be believed. What its readers go by are clears, snapshots and the flag of a doubtful
//! book: they are written so that a book is live again where it is live here, or stays doubtful.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::c_char;
use std::io::Write;

use dbn::encode::EncodeRecord;
use dbn::encode::dbn::Encoder;
use dbn::{
    FlagSet, MappingInterval, MboMsg, Metadata, RecordHeader, SType, Schema, SymbolMapping, flags,
};
use model::{Event, Flags, Integrity, Kind, Side, VenueNumber};

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
    /// How far the feed says that the books may be believed that were named, and those that are still to be.
    believed: BTreeMap<u32, Integrity>,
    believed_at_first: Integrity,
    /// Books that messages may be missing from.
    holed: BTreeSet<u32>,
    /// Whether messages were missing, unsaid.
    lost: bool,
    /// Sequence of the last event.
    seq: u64,
    /// The last record: what comes next may say more of it.
    held: Option<MboMsg>,
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
        Ok(Writer {
            encoder,
            listed: listed.clone(),
            orders: HashMap::new(),
            believed: BTreeMap::new(),
            believed_at_first: Integrity::Live,
            holed: BTreeSet::new(),
            lost: false,
            seq: 0,
            held: None,
        })
    }

    /// Says one event; how many records it took.
    ///
    /// # Errors
    ///
    /// In words: a price or quantity that DBN cannot hold, an order that is not there although its book is whole, a full disk.
    pub fn take(&mut self, event: &Event) -> Result<u64, String> {
        self.count(event)?;
        let (order, qty) = (event.order.0, event.qty.0);
        // Of a book with a hole before, orders may be told of that nothing was said of.
        let changes = matches!(
            event.kind,
            Kind::Execute
                | Kind::ExecuteAt
                | Kind::Reduce
                | Kind::Delete
                | Kind::Replace
                | Kind::Modify
        );
        if changes && self.is_doubtful(event.number) && !self.orders.contains_key(&order) {
            return Ok(0);
        }
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
                // What is not printable was traded in a cross, which is told in one piece.
                let is_printed = !event.flags.has(Flags::NOT_PRINTABLE);
                if is_printed {
                    self.say(event, b'T', Terms { order: 0, side: aggressor, px, qty }, false)?;
                }
                self.say(event, b'F', terms(Some(resting.side), px, qty), false)?;
                self.say(event, b'C', terms(Some(resting.side), resting.px, qty), true)?;
                Ok(if is_printed { 3 } else { 2 })
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
            Kind::Clear => self.clear(event),
            // Names stand in the head.
            Kind::Directory if !self.listed.contains_key(&event.number) => Ok(0),
            Kind::Directory => {
                let believed = self.believed_at_first;
                let known = self.believed.insert(event.number.0, believed).is_some();
                if !known && self.lost {
                    self.holed.insert(event.number.0);
                } else if !known && [Integrity::Live, Integrity::Stale].contains(&believed) {
                    self.say(event, b'R', Terms::NONE, true)?;
                }
                Ok(1)
            }
            Kind::Integrity => self.believe(event),
            _ => Ok(0),
        }
    }

    /// Notices messages that are missing before the event: no book can be believed from there on.
    fn count(&mut self, event: &Event) -> Result<(), String> {
        if event.kind != Kind::Integrity && event.flags.has(Flags::SNAPSHOT) {
            return Ok(());
        }
        let is_hole = event.kind != Kind::Integrity && event.seq > self.seq + 1;
        self.seq = event.seq;
        if is_hole {
            let sound = self.sound();
            self.holed.extend(self.believed.keys());
            self.lost = true;
            self.doubt(event, &sound)?;
        }
        Ok(())
    }

    /// Numbers of the books that are not doubtful.
    fn sound(&self) -> Vec<u32> {
        let numbers = self.believed.keys().copied();
        numbers.filter(|number| !self.is_doubtful(VenueNumber(*number))).collect()
    }

    /// Says of books that were sound that they are doubtful, if they are: no other record may come of them. How many records.
    fn doubt(&mut self, event: &Event, sound: &[u32]) -> Result<u64, String> {
        let mut written = 0;
        for number in sound.iter().map(|number| VenueNumber(*number)) {
            if self.is_doubtful(number) {
                self.say(&Event { number, ..*event }, b'N', Terms::NONE, true)?;
                written += 1;
            }
        }
        Ok(written)
    }

    fn is_doubtful(&self, number: VenueNumber) -> bool {
        let believed = self.believed.get(&number.0).copied().unwrap_or(self.believed_at_first);
        // What lags is right, and DBN has no word for it that is ever taken back.
        let is_sound =
            [Integrity::Live, Integrity::Recovering, Integrity::Stale].contains(&believed);
        !is_sound || self.holed.contains(&number.0)
    }

    /// Orders that rest are void. A clear of all books is one of each.
    fn clear(&mut self, event: &Event) -> Result<u64, String> {
        let all = event.number == VenueNumber(0);
        self.orders.retain(|_, order| !all && order.number != event.number);
        let numbers = match all {
            true => self.believed.keys().copied().collect(),
            false => vec![event.number.0],
        };
        for number in &numbers {
            self.holed.remove(number);
            let event = Event { number: VenueNumber(*number), ..*event };
            self.say(&event, b'R', Terms::NONE, true)?;
        }
        Ok(numbers.len() as u64)
    }

    /// A book is believed from here on, or is not.
    fn believe(&mut self, event: &Event) -> Result<u64, String> {
        let Some((believed, _)) = event.believed() else { return Ok(0) };
        let sound = self.sound();
        if event.number == VenueNumber(0) {
            self.believed.values_mut().for_each(|book| *book = believed);
            self.believed_at_first = believed;
        } else if let Some(known) = self.believed.get_mut(&event.number.0) {
            *known = believed;
        }
        // The clear that a book is whole by, or the last record of its snapshot.
        if let Some(held) = &mut self.held
            && [0, held.hd.instrument_id].contains(&event.number.0)
            && believed == Integrity::Live
        {
            let is_snapshot = held.flags.is_snapshot();
            let is_clear = held.action.cast_unsigned() == b'R';
            if is_snapshot {
                held.flags.set_last();
            } else if is_clear {
                held.flags = FlagSet::new(held.flags.raw() & !flags::MAYBE_BAD_BOOK);
            }
        }
        self.doubt(event, &sound)
    }

    /// Writes what is still in memory.
    pub fn end(mut self) -> Result<(), String> {
        self.write_held()?;
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
        let is_doubtful = self.is_doubtful(event.number);
        // A snapshot is at its end where its book is live: that is still to come.
        let is_snapshot = event.flags.has(Flags::SNAPSHOT) && !is_doubtful;
        let mut flags = FlagSet::default();
        if last && !is_snapshot {
            flags.set_last();
        }
        if is_snapshot {
            flags.set_snapshot();
        }
        if is_doubtful {
            flags.set_maybe_bad_book();
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
        self.write_held()?;
        self.held = Some(record);
        Ok(())
    }

    fn write_held(&mut self) -> Result<(), String> {
        let held = self.held.take();
        let wrote = held.map_or(Ok(()), |record| self.encoder.encode_record(&record));
        wrote.map_err(|error| error.to_string())
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

impl Terms {
    const NONE: Terms = Terms { order: 0, side: None, px: 0, qty: 0 };
}

fn date(year: i32) -> Result<time::Date, String> {
    time::Date::from_ordinal_date(year, 1).map_err(|error| error.to_string())
}
