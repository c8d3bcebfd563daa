//! OUCH 5.0 as the venue's end has it: requests read, answers written.

use super::Order;

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
    pub name: [u8; 14],
    pub firm: Option<[u8; 4]>,
}

/// New terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Replace {
    pub old: u32,
    pub refnum: u32,
    pub qty: u32,
    pub px: u64,
    pub name: [u8; 14],
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
            name: text_at(fixed, 31),
            firm: firm(options)?,
        }),
        b'U' => Request::Replace(Replace {
            old: u32_at(fixed, 1),
            refnum: u32_at(fixed, 5),
            qty: u32_at(fixed, 9),
            px: u64_at(fixed, 13),
            name: text_at(fixed, 24),
        }),
        b'X' => Request::Cancel { refnum: u32_at(fixed, 1), wanted: u32_at(fixed, 5) },
        _ => Request::Query,
    })
}

/// The firm among the options; the outer `None`: they are broken.
fn firm(mut options: &[u8]) -> Option<Option<[u8; 4]>> {
    let mut firm = None;
    while let [length, rest @ ..] = options {
        let (option, tail) = rest.split_at_checked(usize::from(*length))?;
        if let [2, name @ ..] = option {
            firm = Some(name.try_into().ok()?);
        }
        options = tail;
    }
    Some(firm)
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
        self.put(&[0, 0]).0
    }
}

pub(super) fn system(time: u64, event: u8) -> Vec<u8> {
    Out::new(b'S', time).put(&[event]).0
}

pub(super) fn accepted(time: u64, order: &Order) -> Vec<u8> {
    let head = Out::new(b'A', time).put(&order.refnum.to_be_bytes());
    terms(head, order, &order.name)
}

pub(super) fn replaced(time: u64, old: u32, order: &Order, name: &[u8; 14]) -> Vec<u8> {
    let head = Out::new(b'U', time).put(&old.to_be_bytes()).put(&order.refnum.to_be_bytes());
    terms(head, order, name)
}

fn terms(head: Out, order: &Order, name: &[u8; 14]) -> Vec<u8> {
    let body = head
        .put(&[order.side])
        .put(&order.open.to_be_bytes())
        .put(&order.symbol)
        .put(&order.px.to_be_bytes())
        .put(&[order.tif, b'Y'])
        .put(&order.number.to_be_bytes())
        .put(&[order.capacity, b'N', b'N', b'L'])
        .put(name);
    match &order.firm {
        None => body.end(),
        Some(firm) => body.put(&[0, 6, 5, 2]).put(firm).0,
    }
}

/// Without the length of options, which this message may lack.
pub(super) fn canceled(time: u64, refnum: u32, qty: u32, reason: u8) -> Vec<u8> {
    Out::new(b'C', time).put(&refnum.to_be_bytes()).put(&qty.to_be_bytes()).put(&[reason]).0
}

pub(super) fn executed(time: u64, refnum: u32, qty: u32, px: u64, number: u64) -> Vec<u8> {
    Out::new(b'E', time)
        .put(&refnum.to_be_bytes())
        .put(&qty.to_be_bytes())
        .put(&px.to_be_bytes())
        .put(b"A")
        .put(&number.to_be_bytes())
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
