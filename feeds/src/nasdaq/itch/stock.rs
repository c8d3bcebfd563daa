//! Messages about the session, the stocks and the crosses: rare beside those about orders.

use model::{Event, Kind, OrderRef, Px, Qty, Symbol, TradingState, VenueNumber};

use super::{DecodeError, bytes_at, event, exact, u8_at, u16_at, u32_at, u64_at};

/// Decimal places of Price(4): the price unit of every stock of this venue.
const PX_DECIMALS: u8 = 4;

/// Which of the markets of "Operational Halt" this feed speaks for.
const MARKET: u8 = b'Q';

/// Decodes any type that is not about an order.
///
/// # Errors
///
/// [`DecodeError`], as [`super::Decoder::decode`].
#[inline(never)]
pub(super) fn decode(message: &[u8]) -> Result<Event, DecodeError> {
    let kind = message.first().copied().unwrap_or(0);
    Ok(match kind {
        b'S' => system_event(exact(message)?),
        b'R' => directory(exact(message)?)?,
        b'H' => trading_action(exact(message)?),
        b'h' => operational_halt(exact(message)?),
        b'W' => breaker_status(exact(message)?)?,
        b'Y' => short_sale(exact(message)?),
        b'Q' => cross(exact(message)?)?,
        b'B' => broken(exact(message)?),
        b'L' => notice(exact::<26>(message)?),
        b'V' => notice(exact::<35>(message)?),
        b'K' => notice(exact::<28>(message)?),
        b'J' => notice(exact::<35>(message)?),
        b'I' => notice(exact::<50>(message)?),
        b'N' => notice(exact::<20>(message)?),
        b'O' => notice(exact::<48>(message)?),
        _ => return Err(DecodeError::UnknownType { kind }),
    })
}

/// System Event (`S`, 12 bytes). O, the start of messages, is also the start of a day.
fn system_event(message: &[u8; 12]) -> Event {
    Event {
        aux: u8_at::<11, _>(message).into(),
        number: VenueNumber(0),
        ..event(Kind::Session, message)
    }
}

/// Stock Directory (`R`, 39 bytes). Locates are of the day; zero means the whole feed and names no stock.
fn directory(message: &[u8; 39]) -> Result<Event, DecodeError> {
    let locate = u16_at::<1, _>(message);
    if locate == 0 {
        return Err(DecodeError::Field { kind: b'R', at: 1 });
    }
    let Some(symbol) = Symbol::from_padded(bytes_at::<11, 8, _>(message)) else {
        return Err(DecodeError::Field { kind: b'R', at: 11 });
    };
    let round_lot = Qty(u32_at::<21, _>(message).into());
    let number = VenueNumber(locate.into());
    Ok(Event { qty: round_lot, ..Event::directory(number, symbol, PX_DECIMALS, 0) })
}

/// Stock Trading Action (`H`, 25 bytes). A state that this edition does not know is no licence to trade.
fn trading_action(message: &[u8; 25]) -> Event {
    let state = match u8_at::<19, _>(message) {
        b'T' => TradingState::Trading,
        b'H' => TradingState::Halted,
        b'P' => TradingState::Paused,
        b'Q' => TradingState::QuoteOnly,
        _ => TradingState::Unknown,
    };
    Event { aux: state.code().into(), ..event(Kind::State, message) }
}

/// Operational Halt (`h`, 21 bytes). That of another market says nothing of this one; only T resumes.
fn operational_halt(message: &[u8; 21]) -> Event {
    if u8_at::<19, _>(message) != MARKET {
        return notice(message);
    }
    let halted = u8_at::<20, _>(message) != b'T';
    Event { aux: halted.into(), ..event(Kind::VenueHalt, message) }
}

/// MWCB Status (`W`, 12 bytes).
fn breaker_status(message: &[u8; 12]) -> Result<Event, DecodeError> {
    let level = match u8_at::<11, _>(message) {
        level @ b'1'..=b'3' => level - b'0',
        _ => return Err(DecodeError::Field { kind: b'W', at: 11 }),
    };
    Ok(Event { aux: level.into(), number: VenueNumber(0), ..event(Kind::MarketHalt, message) })
}

/// Reg SHO Short Sale Price Test Restricted Indicator (`Y`, 20 bytes). Only 0 is unrestricted.
fn short_sale(message: &[u8; 20]) -> Event {
    let restricted = u8_at::<19, _>(message) != b'0';
    Event { aux: restricted.into(), ..event(Kind::ShortSale, message) }
}

/// Cross Trade (`Q`, 40 bytes). Shares are eight bytes wide; none means that no cross happened.
fn cross(message: &[u8; 40]) -> Result<Event, DecodeError> {
    let shares = i64::try_from(u64_at::<11, _>(message));
    Ok(Event {
        qty: Qty(shares.map_err(|_| DecodeError::Field { kind: b'Q', at: 11 })?),
        px: Px(u32_at::<27, _>(message).into()),
        aux: u64_at::<31, _>(message),
        order: OrderRef(u8_at::<39, _>(message).into()),
        ..event(Kind::Cross, message)
    })
}

/// Broken Trade (`B`, 19 bytes).
fn broken(message: &[u8; 19]) -> Event {
    Event { aux: u64_at::<11, _>(message), ..event(Kind::Broken, message) }
}

/// A message that neither book nor gate needs: position, decline levels, quoting period, collar, imbalance,
/// retail interest, price discovery.
fn notice<const N: usize>(message: &[u8; N]) -> Event {
    Event { aux: u8_at::<0, _>(message).into(), ..event(Kind::Notice, message) }
}
