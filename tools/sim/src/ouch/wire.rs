//! OUCH 5.0 as the venue's end has it: requests read, answers written.

use super::{Order, Trade};

/// A new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Enter {
    pub refnum: u32,
    pub side: u8,
    pub qty: u32,
    pub symbol: [u8; 8],
    pub px: u64,
    pub tif: u8,
    pub capacity: u8,
    pub cross: u8,
    pub name: [u8; 14],
    pub extras: Extras,
}

/// New terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Replace {
    pub old: u32,
    pub refnum: u32,
    pub qty: u32,
    pub px: u64,
    pub tif: u8,
    pub name: [u8; 14],
    pub extras: Extras,
}

/// The options that mean something here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extras {
    pub firm: Option<[u8; 4]>,
    pub min_qty: Option<u32>,
    pub max_floor: Option<u32>,
    pub post_only: Option<bool>,
}

impl Extras {
    /// Reads a list; `None`: it is broken.
    fn read(mut options: &[u8]) -> Option<Extras> {
        let mut extras = Extras::default();
        while let [length, rest @ ..] = options {
            let (option, tail) = rest.split_at_checked(usize::from(*length))?;
            let (tag, value) = option.split_first()?;
            let number = || value.try_into().ok().map(u32::from_be_bytes);
            match tag {
                2 => extras.firm = Some(value.try_into().ok()?),
                3 => extras.min_qty = Some(number()?),
                5 => extras.max_floor = Some(number()?),
                12 => extras.post_only = Some(*value.first()? == b'P'),
                _ => {}
            }
            options = tail;
        }
        Some(extras)
    }

    fn list(&self) -> Vec<u8> {
        let numbers = [self.min_qty, self.max_floor].map(|number| number.map(u32::to_be_bytes));
        let mut list = Vec::new();
        for (tag, value) in [(2, self.firm), (3, numbers[0]), (5, numbers[1])] {
            value.iter().for_each(|value| option(&mut list, tag, value));
        }
        if let Some(only) = self.post_only {
            option(&mut list, 12, if only { b"P" } else { b"N" });
        }
        list
    }
}

fn option(list: &mut Vec<u8>, tag: u8, value: &[u8]) {
    list.extend_from_slice(&[value.len() as u8 + 1, tag]);
    list.extend_from_slice(value);
}

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Enter(Enter),
    Replace(Replace),
    Cancel { refnum: u32, wanted: u32 },
    Query,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap_or_default())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap_or_default())
}

fn text_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut text = [b' '; N];
    text.copy_from_slice(&bytes[at..at + N]);
    text
}

/// Reads a request; `None`: it is none that this venue serves.
pub(super) fn request(bytes: &[u8]) -> Option<Request> {
    let need = match bytes.first()? {
        b'O' => 45,
        b'U' => 38,
        b'X' => 9,
        b'Q' => 1,
        _ => return None,
    };
    let (fixed, rest) = bytes.split_at_checked(need)?;
    let options = match rest {
        [] => rest,
        [high, low, options @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if length != options.len() {
                return None;
            }
            options
        }
        _ => return None,
    };
    Some(match fixed[0] {
        b'O' => Request::Enter(Enter {
            refnum: u32_at(fixed, 1),
            side: fixed[5],
            qty: u32_at(fixed, 6),
            symbol: text_at(fixed, 10),
            px: u64_at(fixed, 18),
            tif: fixed[26],
            capacity: fixed[28],
            cross: fixed[30],
            name: text_at(fixed, 31),
            extras: Extras::read(options)?,
        }),
        b'U' => Request::Replace(Replace {
            old: u32_at(fixed, 1),
            refnum: u32_at(fixed, 5),
            qty: u32_at(fixed, 9),
            px: u64_at(fixed, 13),
            tif: fixed[21],
            name: text_at(fixed, 24),
            extras: Extras::read(options)?,
        }),
        b'X' => Request::Cancel { refnum: u32_at(fixed, 1), wanted: u32_at(fixed, 5) },
        _ => Request::Query,
    })
}

struct Out(Vec<u8>);

impl Out {
    fn new(kind: u8, time: u64) -> Out {
        let mut out = vec![kind];
        out.extend_from_slice(&time.to_be_bytes());
        Out(out)
    }

    fn put(mut self, field: &[u8]) -> Out {
        self.0.extend_from_slice(field);
        self
    }

    /// With options of no length.
    fn end(self) -> Vec<u8> {
        self.end_with(&[])
    }

    fn end_with(self, options: &[u8]) -> Vec<u8> {
        self.put(&(options.len() as u16).to_be_bytes()).put(options).0
    }
}

pub(super) fn system(time: u64, event: u8) -> Vec<u8> {
    Out::new(b'S', time).put(&[event]).0
}

pub(super) fn accepted(time: u64, order: &Order, is_live: bool) -> Vec<u8> {
    let head = Out::new(b'A', time).put(&order.refnum.to_be_bytes());
    terms(head, order, &order.name, is_live)
}

pub(super) fn replaced(
    time: u64,
    old: u32,
    order: &Order,
    name: &[u8; 14],
    is_live: bool,
) -> Vec<u8> {
    let head = Out::new(b'U', time).put(&old.to_be_bytes()).put(&order.refnum.to_be_bytes());
    terms(head, order, name, is_live)
}

fn terms(head: Out, order: &Order, name: &[u8; 14], is_live: bool) -> Vec<u8> {
    head.put(&[order.side])
        .put(&order.open.to_be_bytes())
        .put(&order.symbol)
        .put(&order.px.to_be_bytes())
        .put(&[order.tif, b'Y'])
        .put(&order.number.to_be_bytes())
        .put(&[order.capacity, b'N', order.cross, if is_live { b'L' } else { b'D' }])
        .put(name)
        .end_with(&order.extras.list())
}

pub(super) fn priority(time: u64, order: &Order, number: u64) -> Vec<u8> {
    let head = Out::new(b'T', time).put(&order.refnum.to_be_bytes()).put(&order.px.to_be_bytes());
    head.put(b"Y").put(&number.to_be_bytes()).end()
}

/// The displayed part is another one, under this number.
pub(super) fn refreshed(time: u64, order: &Order, number: u64) -> Vec<u8> {
    let mut list = Vec::new();
    option(&mut list, 1, &number.to_be_bytes());
    option(&mut list, 22, &order.shown.to_be_bytes());
    Out::new(b'R', time).put(&order.refnum.to_be_bytes()).put(b"R").end_with(&list)
}

/// The order is displayed at this price.
pub(super) fn repriced(time: u64, refnum: u32, px: u64) -> Vec<u8> {
    let mut list = Vec::new();
    option(&mut list, 23, &px.to_be_bytes());
    Out::new(b'R', time).put(&refnum.to_be_bytes()).put(b"P").end_with(&list)
}

/// Without the length of options, which this message may lack.
pub(super) fn canceled(time: u64, refnum: u32, qty: u32, reason: u8) -> Vec<u8> {
    Out::new(b'C', time).put(&refnum.to_be_bytes()).put(&qty.to_be_bytes()).put(&[reason]).0
}

/// `liquidity`: how it came about.
pub(super) fn executed(time: u64, trade: &Trade, liquidity: u8) -> Vec<u8> {
    let head = Out::new(b'E', time).put(&trade.refnum.to_be_bytes());
    head.put(&trade.qty.to_be_bytes())
        .put(&trade.px.to_be_bytes())
        .put(&[liquidity])
        .put(&trade.number.to_be_bytes())
        .end()
}

pub(super) fn broken(time: u64, refnum: u32, number: u64, name: &[u8; 14]) -> Vec<u8> {
    Out::new(b'B', time)
        .put(&refnum.to_be_bytes())
        .put(&number.to_be_bytes())
        .put(b"E")
        .put(name)
        .end()
}

pub(super) fn rejected(time: u64, refnum: u32, reason: u16, name: &[u8; 14]) -> Vec<u8> {
    Out::new(b'J', time).put(&refnum.to_be_bytes()).put(&reason.to_be_bytes()).put(name).end()
}

pub(super) fn cancel_reject(time: u64, refnum: u32) -> Vec<u8> {
    Out::new(b'I', time).put(&refnum.to_be_bytes()).end()
}

pub(super) fn account(time: u64, next: u32) -> Vec<u8> {
    Out::new(b'Q', time).put(&next.to_be_bytes()).end()
}
