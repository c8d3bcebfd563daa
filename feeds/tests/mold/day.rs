//! A small trading day: ITCH messages in order, and what the book is after each.

use feeds::nasdaq::itch::Decoder;
use feeds::nasdaq::message::{
    AddOrder, Message, OrderCancel, OrderDelete, OrderExecuted, OrderReplace, StockDirectory,
    SystemEvent,
};
use feeds::nasdaq::{Header, MESSAGE_MAX, Price4, Stock};
use feeds::session::SessionId;
use model::{FeedId, Flags, Side, Ts};

use crate::twin::Twin;

/// Any seed but the same numbers: SplitMix64.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }

    pub fn percent(&mut self, p: u64) -> bool {
        self.below(100) < p
    }
}

pub const STOCKS: u16 = 3;
pub const DECODER: Decoder = Decoder { feed: FeedId(3), midnight: Ts(0) };

pub struct Day {
    pub session: SessionId,
    /// The message of sequence `i + 1`.
    pub messages: Vec<Vec<u8>>,
    /// The twin's digest after message `i`; at 0 the empty book.
    pub digests: Vec<u64>,
}

pub fn encode(message: Message) -> Vec<u8> {
    message.encode(&mut [0; MESSAGE_MAX]).to_vec()
}

pub fn header(locate: u16, time: u64) -> Header {
    Header { locate, tracking: 0, time }
}

pub fn stock(locate: u16) -> Stock {
    Stock::new(&format!("S{locate}")).unwrap()
}

pub fn directory(locate: u16, time: u64) -> Vec<u8> {
    encode(Message::from(StockDirectory {
        header: header(locate, time),
        stock: stock(locate),
        market_category: b'Q',
        financial_status: b'N',
        round_lot: 100,
        round_lots_only: b'N',
        issue_class: b'C',
        issue_subtype: *b"Z ",
        authenticity: b'P',
        short_sale_threshold: b'N',
        ipo_flag: b' ',
        luld_tier: b'1',
        etp_flag: b'N',
        etp_leverage: 0,
        inverse: b'N',
    }))
}

pub fn add(locate: u16, time: u64, order: u64, side: Side, shares: u32, price: u32) -> Vec<u8> {
    let (header, stock) = (header(locate, time), stock(locate));
    encode(AddOrder { header, order, side, shares, stock, price: Price4(price) }.into())
}

impl Day {
    pub fn new(dice: &mut Dice, session: SessionId, length: usize) -> Day {
        let mut time = 1_000 + dice.below(1_000);
        let mut messages =
            vec![encode(SystemEvent { header: header(0, time), event: b'O' }.into())];
        messages.extend((1..=STOCKS).map(|locate| directory(locate, time)));
        let mut open: Vec<(u64, u16)> = Vec::new();
        let mut order = 0;
        while messages.len() < length {
            time += dice.below(1_000);
            let pick = dice.below(open.len().max(1) as u64) as usize;
            let what = dice.below(12);
            let shares = 1 + dice.below(40) as u32;
            let price = Price4(10_000 + dice.below(50) as u32);
            let message = if open.len() < 4 || what < 5 {
                order += 1;
                let locate = 1 + dice.below(STOCKS.into()) as u16;
                let side = if dice.percent(50) { Side::Buy } else { Side::Sell };
                open.push((order, locate));
                add(locate, time, order, side, shares + 100, price.0)
            } else {
                let (original, locate) = open[pick];
                let header = header(locate, time);
                match what {
                    5 | 6 => {
                        let match_number = time;
                        let order = original;
                        encode(OrderExecuted { header, order, shares, match_number }.into())
                    }
                    7 => encode(OrderCancel { header, order: original, shares }.into()),
                    8 => {
                        open.swap_remove(pick);
                        encode(OrderDelete { header, order: original }.into())
                    }
                    9 => {
                        order += 1;
                        open[pick].0 = order;
                        let shares = shares + 100;
                        encode(OrderReplace { header, original, order, shares, price }.into())
                    }
                    10 => Vec::new(),
                    _ => vec![b'~'; 1 + dice.below(30) as usize],
                }
            };
            messages.push(message);
        }
        let mut twin = Twin::default();
        let mut digests = vec![twin.digest()];
        for message in &messages {
            twin.take(message);
            digests.push(twin.digest());
        }
        Day { session, messages, digests }
    }

    /// The book after the first `count` messages.
    pub fn twin_at(&self, count: usize) -> Twin {
        let mut twin = Twin::default();
        self.messages[..count].iter().for_each(|message| twin.take(message));
        twin
    }
}

impl Twin {
    fn take(&mut self, message: &[u8]) {
        if let Ok(event) = DECODER.decode(message, 1, Flags::NONE) {
            self.apply(&event);
        }
    }
}
