//! A client that means harm, and what it may ask for and write.

use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::Duration;

use engine::runtime::Progress;
use model::page::AnswerKind;
use model::{
    AccountId, Ask, ClientOrderId, InstrumentId, Note, OrderId, OrderType, Origin, Px, Qty,
    Request, Side, Terms, Tif,
};
use shm::{Client, DeskRing};

/// The accounts of [`crate::WIDE_LIMITS`].
pub const OTHERS: [AccountId; 2] = [AccountId(0), AccountId(1)];
/// The hostile client's account.
pub const ROGUE: AccountId = AccountId(2);
/// Its rules, after the others.
pub const ROGUE_LIMITS: &str = r#"
[[account]]
name = "rogue"
permission = "trade"
clients = true
currency = "USD"
cash = "1000000"
gross_max = "1000000"
net_max = "off"
day_gross_max = "off"
loss_max = "off"
drawdown_max_bps = "off"
volume_max = "off"
basket_max = "off"
order_to_trade_max = "off"
executions_max = "off"
duplicates_max = "off"
self_trade = "off"
refusals_max = "off"
venue_rejects_max = "off"
fills_max = "off"
fills_money_max = "off"
dead_man_ms = "off"
open_orders_max = 50
rate_max = 1000
rate_window_ms = 1

[[limit]]
account = "rogue"
symbol = "*"
clip_max = "1000"
notional_max = "1000000"
long_max = "100000"
short_max = "100000"
band_bps = 10000
band_px = "off"
age_max_ms = 86400000
spread_max_bps = "off"
adv_max_bps = "off"
venue_band = "off"
located = "off"
margin_long_bps = "off"
margin_short_bps = "off"
soft_clip_max = "off"
soft_notional_max = "off"
soft_band_bps = "off"
fees = "none"
"#;

/// Numbers that look random and are the same each time (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }
}

/// The `number`th request of a source of them: what the journal holds is compared with this. Never
/// a halt: every client may halt all, and then all are halted. Some ask on accounts that are closed
/// to clients.
pub fn asked(source: u32, number: u64) -> Request {
    let terms = |px, qty| Terms {
        client_id: ClientOrderId::new(&format!("{source:x}-{number:x}")).unwrap(),
        instrument: InstrumentId((number % 3) as u32),
        side: if number.is_multiple_of(2) { Side::Buy } else { Side::Sell },
        order_type: OrderType::Limit,
        tif: Tif::Day,
        px: Px(px),
        qty: Qty(qty),
        conditions: model::Conditions::NONE,
    };
    // The strategy's next name: whoever uses it first is the one whose order it is.
    let stolen = ClientOrderId::new(&format!("p00{:013x}", number % 4096)).unwrap();
    let (account, ask) = match number % 8 {
        0 => (ROGUE, Ask::Cancel { order: OrderId::new((number % 64) as u32, 1) }),
        1 => (ROGUE, Ask::Check(terms(100, 1))),
        2 => (OTHERS[0], Ask::New(terms(100, 1))),
        3 => (OTHERS[1], Ask::New(Terms { client_id: stolen, ..terms(100, 1) })),
        4 => (OTHERS[0], Ask::Cancel { order: OrderId::new((number % 64) as u32, 1) }),
        5 => (ROGUE, Ask::New(terms(1_000_000, 1 << 40))),
        _ => (ROGUE, Ask::New(Terms { side: Side::Buy, ..terms(100, 1) })),
    };
    let note = Note::lossy(&format!("{source} {number}"));
    Request { id: 0, origin: Origin::File, account, ask, note }
}

/// Attaches again and again; `None` once the run has ended.
pub fn attach(engine: &str, ended: impl Fn() -> bool) -> Option<Client> {
    while !ended() {
        if let Ok(client) = Client::attach(Some(engine)) {
            return Some(client);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    None
}

/// Floods a desk as fast as its ring takes requests. Returns how many it sent, and how many were
/// beyond the budget.
pub fn floods(name: &str, source: u32, progress: &Progress) -> (u64, u64) {
    let (mut sent, mut over_budget) = (0, 0);
    while let Some(mut client) = attach(name, || progress.ended.load(Relaxed)) {
        let mut number = 0;
        while !client.is_gone() {
            match client.send(&asked(source, number + 1)) {
                Ok(_) => (number, sent) = (number + 1, sent + 1),
                Err(_) => std::thread::yield_now(),
            }
            while let Some(answer) = client.poll_answer() {
                over_budget += u64::from(answer.kind == AnswerKind::OverBudget);
            }
        }
    }
    (sent, over_budget)
}

/// Writes over all memory that a client can write: noise, forged records that are whole but no
/// requests, forged counts; and true requests between. Returns how often it was put out, and how
/// many records were called malformed.
pub fn scribbles(name: &str, source: u32, progress: &Progress) -> (u64, u64) {
    let (mut dice, mut put_out, mut malformed) = (Dice(3), 0, 0);
    while let Some(mut client) = attach(name, || progress.ended.load(Relaxed)) {
        let (mut number, mut id) = (0, 0);
        while !client.is_gone() {
            let (words, salt) = client.writable();
            let ring = DeskRing::over(words, client.capacity().requests as usize, salt).unwrap();
            match dice.below(1024) {
                0..512 => {
                    let place = 1 + dice.below(words.len() as u64 - 1) as usize;
                    words[place].store(dice.number(), Relaxed);
                }
                512..768 => {
                    let mut record = asked(source, 0).to_words();
                    record[0] = id;
                    record[1] |= 0xFF; // No kind of request has this code.
                    record[2 + dice.below(14) as usize] = dice.number();
                    ring.push(&record);
                }
                768 => words[0].store(dice.number(), Release),
                769..776 => _ = words[0].fetch_add(dice.below(3), Release),
                776..900 => std::thread::sleep(Duration::from_micros(dice.below(500))),
                _ => {
                    if let Ok(sent) = client.send(&asked(source, number + 1)) {
                        (number, id) = (number + 1, sent);
                    }
                }
            }
            while let Some(answer) = client.poll_answer() {
                malformed += u64::from(answer.kind == AnswerKind::Malformed);
            }
        }
        put_out += 1;
    }
    (put_out, malformed)
}
