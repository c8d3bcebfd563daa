//! What a log holds: one record for each thing that was asked, judged, done or changed.

use std::fmt;

use model::{
    AccountId, BadWord, ClientOrderId, InstrumentId, Note, OrderId, Origin, Px, Qty, Reject, Side,
    Symbol, Ts, WordReader, WordWriter,
};

use crate::chain::BODY_BYTES;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal => $text:literal,)+) => {
        /// What a record says. `code` and `aux` of [`AuditRecord`] depend on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum AuditKind { $($(#[$doc])* $name = $code),+ }

        impl AuditKind {
            /// Every kind, in the order of the codes.
            pub const ALL: &[AuditKind] = &[$(AuditKind::$name),+];

            /// The kind of a code, `None` if there is none.
            pub const fn from_code(code: u8) -> Option<AuditKind> {
                match code { $($code => Some(AuditKind::$name),)+ _ => None }
            }

            /// The name that tools print.
            pub const fn name(self) -> &'static str {
                match self { $(AuditKind::$name => $text),+ }
            }
        }
    };
}

kinds! {
    /// A new order was asked for; `aux` is the asker's number of the request, `bits` of a leg that of its basket.
    New = 1 => "new",
    /// New terms of an order were asked for; `aux` as above.
    Replace = 2 => "replace",
    /// A cancel was asked for; `aux` as above.
    Cancel = 3 => "cancel",
    /// The gate let it pass; `aux` is the number of the approval that this used up, if it needed one.
    Passed = 4 => "passed",
    /// The gate refused; `code` is the primary [`Reject`], `bits` all that failed, `reached` its numbers, `aux` the
    /// number by which it can be approved, if that is all that it lacks.
    Refused = 5 => "refused",
    /// It was asked before, and got the answer of then.
    Repeated = 6 => "repeated",
    /// The order, or its change, was handed to the venue.
    Route = 7 => "route",
    /// The venue works the order.
    Working = 8 => "working",
    /// The order filled; `aux` is the execution id.
    Fill = 9 => "fill",
    /// A fill was taken back; `aux` is the execution id.
    Bust = 10 => "bust",
    /// The order is cancelled.
    Cancelled = 11 => "cancelled",
    /// The order's time is over.
    Expired = 12 => "expired",
    /// The order has new terms.
    Replaced = 13 => "replaced",
    /// The venue refused the order or its change.
    Rejected = 14 => "rejected",
    /// A halt level was raised; `code` is the [`model::HaltLevel`], `aux` [`model::page::halt_aux`], `name` and `note`
    /// who and why.
    Halt = 15 => "halt",
    /// A halt was lowered; as above.
    Rearm = 16 => "rearm",
    /// Limits changed; `aux` is the digest of the configuration with them, `bits` their version, `name` and `note` who and why.
    Limits = 17 => "limits",
    /// A configuration is in force; `aux` is its digest.
    Config = 18 => "config",
    /// The engine started; `aux` is its epoch.
    Start = 19 => "start",
    /// The engine stopped; `aux` is its state hash. `code` 1: it was asked to, lets nothing new pass, and cancels what is open.
    Stop = 20 => "stop",
    /// An operator did something; the note says what.
    Act = 21 => "act",
    /// A client is gone; `code` 1: it is there, and silent for longer than `account` allows.
    Disconnect = 22 => "disconnect",
    /// The journal (`code` 1) or this log (`code` 2) takes no more (`aux` 1) or takes again (`aux` 0); `bits` counts
    /// what
    /// was refused meanwhile for that reason. Likewise the clock (`code` 3) and the session with the venue of a feed
    /// (`code` 4, its number in bits 32 to 39), which are not believed, or gone.
    Sink = 23 => "sink",
    /// `aux` records found no room and are missing here; or (`code` 1) whatever inputs `bits` to `aux` left behind, which an
    /// unclean stop kept from here and the journal could not give back.
    Lost = 24 => "lost",
    /// An unclean stop left `aux` bytes that are no whole frame; they were cut off before this record.
    Torn = 25 => "torn",
    /// A halt was not lowered; `code` is the [`model::ResumeRefusal`], the rest as of a halt.
    Unarmed = 26 => "unarmed",
    /// It is not known where the order stands at the venue.
    Unknown = 27 => "unknown",
    /// The order, or its change, was given back by the gateway and never sent.
    NotSent = 28 => "not_sent",
    /// The order filled after its end was told; `aux` is the execution id.
    LateFill = 29 => "late_fill",
    /// More filled than could, or of an order that is not known; `aux` is the execution id.
    OverFill = 30 => "over_fill",
    /// The venue said where the order stands.
    Restated = 31 => "restated",
    /// The venue's books are not ours; `qty` is its position, `aux` ours.
    Mismatch = 32 => "mismatch",
    /// The session with the venue is there (`code` 1, `aux` 1) or gone (`aux` 0), or a reconciliation begins (`code` 2) or
    /// ends (`code` 3) after `aux` orders.
    Session = 33 => "session",
    /// A stop was triggered; `px` is its trigger. The gate's word on it follows.
    Triggered = 34 => "triggered",
    /// An operator approved an order beyond a soft limit, once: `aux` is its number, `bits` for how many nanoseconds, side to
    /// `qty` its terms, `order` what it changes, `name` and `note` who and why; `code`: the [`model::ResumeRefusal`] if the
    /// engine refused.
    Approve = 40 => "approve",
    /// A rate was taken, or refused for `code`, a [`model::BooksRefusal`]. `bits` and `aux` are the two currencies, as words;
    /// `reached` has numerator (`limit`) and denominator (`used`), `md_seq` the rate's own time; `name` and `note` who and why.
    Rate = 41 => "rate",
    /// A split likewise; `bits` and `aux` are the words of the symbol, `reached` has new and old units.
    Split = 42 => "split",
    /// A basket was announced: `bits` is its asker's number of it, `qty` how many legs, `reached.limit` the money that they
    /// shall be worth at most; `aux` is the asker's number of the request. The answer follows if it was refused.
    Basket = 43 => "basket",
    /// A basket is over; `code` is the [`model::BasketEnd`], `qty` how many legs came, `aux` the asker's number of it.
    BasketEnd = 44 => "basket_end",
    /// The slice of a limit that engines share is another: `account` whose, `code` the [`model::CreditKind`], `reached` what was
    /// asked for (`used`) and what it is now (`limit`; −1: nothing changed).
    Credit = 45 => "credit",
}

/// Who caused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A client, a strategy or an order file.
    Origin(Origin),
    /// A person at the host.
    Operator,
    /// The venue.
    Venue,
    /// The engine itself.
    Engine,
}

impl Actor {
    /// Kind and number as two bytes; those of an origin are its own.
    const fn to_bytes(self) -> [u8; 2] {
        match self {
            Actor::Origin(origin) => origin.to_bytes(),
            Actor::Operator => [16, 0],
            Actor::Venue => [17, 0],
            Actor::Engine => [18, 0],
        }
    }

    const fn from_bytes(bytes: [u8; 2]) -> Option<Actor> {
        match bytes {
            [16, 0] => Some(Actor::Operator),
            [17, 0] => Some(Actor::Venue),
            [18, 0] => Some(Actor::Engine),
            _ => match Origin::from_bytes(bytes) {
                Some(origin) => Some(Actor::Origin(origin)),
                None => None,
            },
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Origin(Origin::Desk(desk)) => write!(f, "desk {}", desk.0),
            Actor::Origin(Origin::Strategy(place)) => write!(f, "strategy {place}"),
            Actor::Origin(Origin::File) => f.write_str("file"),
            Actor::Operator => f.write_str("operator"),
            Actor::Venue => f.write_str("venue"),
            Actor::Engine => f.write_str("engine"),
        }
    }
}

/// The numbers of the check that refused, in its own unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// The limit.
    pub limit: i128,
    /// What would have been used of it.
    pub used: i128,
}

/// One record. What does not apply is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Number of the engine's input that caused it, or of the last one before it.
    pub engine_seq: u64,
    /// Engine time, nanoseconds since the UNIX epoch; in a replay the recorded one.
    pub now: Ts,
    /// The host's monotonic clock when the engine handed it over, nanoseconds; zero: it was made good from the journal later.
    pub mono_ns: u64,
    /// What.
    pub kind: AuditKind,
    /// Side of the order.
    pub side: Option<Side>,
    /// See [`AuditKind`].
    pub code: u8,
    /// Who.
    pub actor: Actor,
    /// Short name of who, if it has one.
    pub name: Symbol,
    /// On which account.
    pub account: AccountId,
    /// Which instrument.
    pub instrument: InstrumentId,
    /// Which order.
    pub order: OrderId,
    /// The client's name of it.
    pub client_id: ClientOrderId,
    /// Price, in price units.
    pub px: Px,
    /// Quantity, in quantity units.
    pub qty: Qty,
    /// One bit for each failed check: bit `code - 1`.
    pub bits: u64,
    /// The numbers of the first that failed.
    pub reached: Reached,
    /// Digest of the rules in force.
    pub limits_version: u64,
    /// Sequence of the last message that the instrument's feed had brought.
    pub md_seq: u64,
    /// See [`AuditKind`].
    pub aux: u64,
    /// Why, in the asker's words.
    pub note: Note,
}

impl AuditRecord {
    /// Words of a record.
    pub const WORDS: usize = BODY_BYTES / 8;

    /// A record that says no more than what, when and by whom.
    pub fn bare(kind: AuditKind, actor: Actor, engine_seq: u64, now: Ts) -> AuditRecord {
        AuditRecord {
            engine_seq,
            now,
            mono_ns: 0,
            kind,
            side: None,
            code: 0,
            actor,
            name: Symbol::default(),
            account: AccountId(0),
            instrument: InstrumentId(0),
            order: OrderId(0),
            client_id: ClientOrderId::default(),
            px: Px(0),
            qty: Qty(0),
            bits: 0,
            reached: Reached::default(),
            limits_version: 0,
            md_seq: 0,
            aux: 0,
            note: Note::default(),
        }
    }

    /// The reason of a refusal.
    pub fn reason(&self) -> Option<Reject> {
        if self.kind == AuditKind::Refused { Reject::from_code(self.code) } else { None }
    }

    /// The record as words.
    pub fn to_words(&self) -> [u64; Self::WORDS] {
        let mut words = [0; Self::WORDS];
        let mut to = WordWriter::new(&mut words);
        let [actor_kind, actor_number] = self.actor.to_bytes();
        let side = self.side.map_or(0, Side::code);
        to.u64(self.engine_seq);
        to.u64(self.now.0);
        to.u64(self.mono_ns);
        to.bytes([self.kind as u8, side, self.code, actor_kind, actor_number, 0, 0, 0]);
        to.pair(self.instrument.0, self.account.0.into());
        to.u64(self.order.0);
        self.client_id.to_words().into_iter().for_each(|word| to.u64(word));
        to.i64(self.px.0);
        to.i64(self.qty.0);
        to.u64(self.bits);
        to.i128(self.reached.limit);
        to.i128(self.reached.used);
        to.u64(self.limits_version);
        to.u64(self.md_seq);
        to.u64(self.aux);
        self.name.to_words().into_iter().for_each(|word| to.u64(word));
        self.note.to_words().into_iter().for_each(|word| to.u64(word));
        words
    }

    /// Reads words back, checking every field that has illegal values.
    ///
    /// # Errors
    ///
    /// [`BadWord`] names the first word that holds no legal value.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<AuditRecord, BadWord> {
        let mut from = WordReader::new(words);
        let (engine_seq, now, mono_ns) = (from.u64(), Ts(from.u64()), from.u64());
        let [kind, side, code, actor_kind, actor_number, 0, 0, 0] = from.bytes() else {
            return Err(BadWord(3));
        };
        let kind = from.legal(AuditKind::from_code(kind))?;
        let side = match side {
            0 => None,
            code => Some(from.legal(Side::from_code(code))?),
        };
        let actor = from.legal(Actor::from_bytes([actor_kind, actor_number]))?;
        let (instrument, account) = from.pair();
        let account = AccountId(from.legal(u16::try_from(account).ok())?);
        let order = OrderId(from.u64());
        let client_id = ClientOrderId::from_words([from.u64(), from.u64()]);
        let client_id = from.legal(client_id)?;
        let (px, qty, bits) = (Px(from.i64()), Qty(from.i64()), from.u64());
        let reached = Reached { limit: from.i128(), used: from.i128() };
        let (limits_version, md_seq, aux) = (from.u64(), from.u64(), from.u64());
        let name = Symbol::from_words([from.u64(), from.u64()]);
        let name = from.legal(name)?;
        let note = Note::from_words(std::array::from_fn(|_| from.u64()));
        let note = from.legal(note)?;
        Ok(AuditRecord {
            engine_seq,
            now,
            mono_ns,
            kind,
            side,
            code,
            actor,
            name,
            account,
            instrument: InstrumentId(instrument),
            order,
            client_id,
            px,
            qty,
            bits,
            reached,
            limits_version,
            md_seq,
            aux,
            note,
        })
    }

    /// The record as bytes, each word little-endian.
    pub fn to_bytes(&self) -> [u8; BODY_BYTES] {
        let mut bytes = [0; BODY_BYTES];
        let (chunks, _) = bytes.as_chunks_mut::<8>();
        for (chunk, word) in chunks.iter_mut().zip(self.to_words()) {
            *chunk = word.to_le_bytes();
        }
        bytes
    }

    /// Reads bytes back.
    ///
    /// # Errors
    ///
    /// As [`AuditRecord::from_words`].
    pub fn from_bytes(bytes: &[u8; BODY_BYTES]) -> Result<AuditRecord, BadWord> {
        let (chunks, _) = bytes.as_chunks::<8>();
        let mut words = [0; Self::WORDS];
        for (word, chunk) in words.iter_mut().zip(chunks) {
            *word = u64::from_le_bytes(*chunk);
        }
        AuditRecord::from_words(&words)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use model::DeskId;
    use proptest::prelude::*;

    use super::*;

    /// A record that is unlike that of any other number.
    pub(crate) fn sample(number: u64) -> AuditRecord {
        let kinds = AuditKind::ALL;
        AuditRecord {
            mono_ns: number * 3,
            side: Some(if number.is_multiple_of(2) { Side::Buy } else { Side::Sell }),
            code: number as u8,
            name: Symbol::new("probe").unwrap(),
            account: AccountId(number as u16),
            instrument: InstrumentId(number as u32),
            order: OrderId(number / 3 + 1),
            client_id: ClientOrderId::new(&format!("c-{number}")).unwrap(),
            px: Px(-7 - number as i64),
            qty: Qty(i64::MAX - number as i64),
            bits: number << 40,
            reached: Reached { limit: i128::MIN + i128::from(number), used: i128::MAX },
            limits_version: u64::MAX,
            md_seq: number * 7,
            aux: number * 11,
            note: Note::lossy("thirty-two characters of a note!"),
            ..AuditRecord::bare(
                kinds[number as usize % kinds.len()],
                Actor::Origin(Origin::Desk(DeskId(number as u8))),
                number,
                Ts(number * 1000),
            )
        }
    }

    /// Goal: every kind and actor survives its words. Method: all of both.
    #[test]
    fn words_read_back() {
        let actors = [
            Actor::Origin(Origin::Desk(DeskId(9))),
            Actor::Origin(Origin::Strategy(3)),
            Actor::Origin(Origin::File),
            Actor::Operator,
            Actor::Venue,
            Actor::Engine,
        ];
        for (number, kind) in AuditKind::ALL.iter().enumerate() {
            assert_eq!(AuditKind::from_code(*kind as u8), Some(*kind));
            for actor in actors {
                let record = AuditRecord { kind: *kind, actor, ..sample(number as u64) };
                assert_eq!(AuditRecord::from_words(&record.to_words()), Ok(record));
                assert_eq!(AuditRecord::from_bytes(&record.to_bytes()), Ok(record));
            }
        }
        assert_eq!(AuditRecord::from_words(&[0; AuditRecord::WORDS]), Err(BadWord(3)));
    }

    /// Goal: the words fill the frame's body exactly. Method: fill every field with ones, look at the last word.
    #[test]
    fn every_word_is_used() {
        assert_ne!(sample(1).to_words().last(), Some(&0));
        assert_eq!(AuditRecord::WORDS * 8, BODY_BYTES);
    }

    proptest! {
        /// Goal: any bytes are a record whose bytes they are, or are refused. Method: random changes of a good record.
        #[test]
        fn nothing_is_read_twice(
            number in 0_u64..100,
            changes in prop::collection::vec((0_usize..BODY_BYTES, any::<u8>()), 0..4),
        ) {
            let mut bytes = sample(number).to_bytes();
            changes.iter().for_each(|(at, byte)| bytes[*at] = *byte);
            if let Ok(record) = AuditRecord::from_bytes(&bytes) {
                prop_assert_eq!(record.to_bytes(), bytes);
            }
        }
    }
}
