//! TotalView-ITCH 5.0, every field of every message, both ways: the complete face.
//!
//! The table below is the specification's: name, type, length, then each field with its offset from the
//! type byte. That the widths add up to the length is proved when it is compiled. Codes keep the venue's
//! letter; their meaning is in the field's doc. For tools and tests: the engine reads [`super::itch`].

use model::Side;

use super::itch::DecodeError;
use super::wire::{Field, Header, MESSAGE_MAX, Mpid, Price4, Price8, Stock};

macro_rules! messages {
    ($(
        $(#[$doc:meta])*
        $name:ident $kind:literal $length:literal {
            $( $(#[$field_doc:meta])* $at:literal $field:ident: $type:ty, )*
        }
    )+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name {
                /// Stock, tracking number and time.
                pub header: Header,
                $( $(#[$field_doc])* pub $field: $type, )*
            }

            const _: () = assert!(
                1 + Header::WIDTH $( + <$type as Field>::WIDTH )* == $length && $length <= MESSAGE_MAX
            );

            impl $name {
                /// Bytes of the message, type byte included.
                pub const LENGTH: usize = $length;

                fn load(message: &[u8]) -> Result<$name, DecodeError> {
                    if message.len() != $length {
                        let got = message.len().min(0xFFFF) as u16;
                        return Err(DecodeError::Length { kind: $kind, need: $length, got });
                    }
                    Ok($name {
                        header: field($kind, message, 1)?,
                        $( $field: field($kind, message, $at)?, )*
                    })
                }

                fn store(self, message: &mut [u8]) -> usize {
                    $kind.store(message, 0);
                    self.header.store(message, 1);
                    $( self.$field.store(message, $at); )*
                    $length
                }
            }

            impl From<$name> for Message {
                fn from(message: $name) -> Message {
                    Message::$name(message)
                }
            }
        )+

        /// Any message of the venue.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Message {
            $( $(#[$doc])* $name($name), )+
        }

        impl Message {
            /// Type byte and length of every message.
            pub const LENGTHS: &[(u8, usize)] = &[$( ($kind, $length) ),+];

            /// Reads a message.
            ///
            /// # Errors
            ///
            /// [`DecodeError`] if the type is unknown, the length is not the type's, or a side is neither B
            /// nor S.
            pub fn decode(message: &[u8]) -> Result<Message, DecodeError> {
                match message.first() {
                    None => Err(DecodeError::Empty),
                    $( Some(&$kind) => $name::load(message).map(Message::$name), )+
                    Some(&kind) => Err(DecodeError::UnknownType { kind }),
                }
            }

            /// Writes the message and returns the bytes that it takes.
            pub fn encode<'a>(&self, room: &'a mut [u8; MESSAGE_MAX]) -> &'a [u8] {
                let length = match *self {
                    $( Message::$name(message) => message.store(room), )+
                };
                room.get(..length).unwrap_or_default()
            }

            /// Stock, tracking number and time.
            pub fn header(&self) -> Header {
                match self { $( Message::$name(message) => message.header, )+ }
            }

            /// The type byte.
            pub const fn kind(&self) -> u8 {
                match self { $( Message::$name(_) => $kind, )+ }
            }
        }
    };
}

fn field<T: Field>(kind: u8, message: &[u8], at: u8) -> Result<T, DecodeError> {
    T::load(message, at.into()).ok_or(DecodeError::Field { kind, at })
}

messages! {
    /// System Event. Locate zero.
    SystemEvent b'S' 12 {
        /// O start of messages, S start of system hours, Q start of market hours, M end of market hours, E
        /// end of system hours, C end of messages.
        11 event: u8,
    }

    /// Stock Directory. Sent for every stock before the day begins, and for one that is listed during the
    /// day.
    StockDirectory b'R' 39 {
        /// Symbol.
        11 stock: Stock,
        /// Listing market and tier: Q, G, S Nasdaq; N, A, P NYSE; Z Cboe; V IEX; blank: not available.
        19 market_category: u8,
        /// Financial status: N normal, D deficient, E delinquent, Q bankrupt, S suspended, and combinations.
        20 financial_status: u8,
        /// Shares of a round lot.
        21 round_lot: u32,
        /// Y: only round lots are accepted.
        25 round_lots_only: u8,
        /// Class of the issue.
        26 issue_class: u8,
        /// Sub-type of the issue.
        27 issue_subtype: [u8; 2],
        /// P live, T test.
        29 authenticity: u8,
        /// Y: close-out rules of Reg SHO apply.
        30 short_sale_threshold: u8,
        /// Y: set up for an initial public offering.
        31 ipo_flag: u8,
        /// Limit-up limit-down tier: 1, 2, blank.
        32 luld_tier: u8,
        /// Y: exchange-traded product.
        33 etp_flag: u8,
        /// Leverage of that product.
        34 etp_leverage: u32,
        /// Y: it is inverse.
        38 inverse: u8,
    }

    /// Stock Trading Action. Across all markets.
    StockTradingAction b'H' 25 {
        /// Symbol.
        11 stock: Stock,
        /// H halted, P paused, Q quotation only, T trading.
        19 state: u8,
        /// Reserved.
        20 reserved: u8,
        /// Why: T1, T2, LUDP, LUDS, MWC0 to MWC3, MWCQ, IPO1 …
        21 reason: [u8; 4],
    }

    /// Reg SHO Short Sale Price Test Restricted Indicator.
    RegSho b'Y' 20 {
        /// Symbol.
        11 stock: Stock,
        /// 0 no restriction, 1 restricted since an intraday drop, 2 restriction remains.
        19 action: u8,
    }

    /// Market Participant Position.
    MarketParticipantPosition b'L' 26 {
        /// Participant.
        11 mpid: Mpid,
        /// Symbol.
        15 stock: Stock,
        /// Y: primary market maker.
        23 primary_maker: u8,
        /// N normal, P passive, S syndicate, R pre-syndicate, L penalty.
        24 mode: u8,
        /// A active, E excused, W withdrawn, S suspended, D deleted.
        25 state: u8,
    }

    /// MWCB Decline Levels. Locate zero; the only prices with 8 decimals.
    MwcbDeclineLevels b'V' 35 {
        /// Level 1.
        11 level_1: Price8,
        /// Level 2.
        19 level_2: Price8,
        /// Level 3.
        27 level_3: Price8,
    }

    /// MWCB Status. Locate zero.
    MwcbStatus b'W' 12 {
        /// 1, 2 or 3.
        11 breached_level: u8,
    }

    /// IPO Quoting Period Update.
    IpoQuotingPeriod b'K' 28 {
        /// Symbol.
        11 stock: Stock,
        /// When quoting begins, in seconds since midnight.
        19 release_seconds: u32,
        /// A anticipated, C cancelled or postponed.
        23 qualifier: u8,
        /// Price of the offering.
        24 ipo_price: Price4,
    }

    /// LULD Auction Collar. Not the limit-up limit-down bands, which this feed does not carry.
    LuldAuctionCollar b'J' 35 {
        /// Symbol.
        11 stock: Stock,
        /// Reference price.
        19 reference: Price4,
        /// Upper collar.
        23 upper: Price4,
        /// Lower collar.
        27 lower: Price4,
        /// How often the auction was extended.
        31 extension: u32,
    }

    /// Operational Halt. Of one market alone, independent of Stock Trading Action.
    OperationalHalt b'h' 21 {
        /// Symbol.
        11 stock: Stock,
        /// Q Nasdaq, B BX, X PSX.
        19 market: u8,
        /// H halted, T resumed.
        20 action: u8,
    }

    /// Add Order, No MPID Attribution.
    AddOrder b'A' 36 {
        /// The order's reference, unique for the day.
        11 order: u64,
        /// Side of the book.
        19 side: Side,
        /// Shares displayed.
        20 shares: u32,
        /// Symbol.
        24 stock: Stock,
        /// Limit.
        32 price: Price4,
    }

    /// Add Order with MPID Attribution.
    AddOrderMpid b'F' 40 {
        /// The order's reference, unique for the day.
        11 order: u64,
        /// Side of the book.
        19 side: Side,
        /// Shares displayed.
        20 shares: u32,
        /// Symbol.
        24 stock: Stock,
        /// Limit.
        32 price: Price4,
        /// Participant.
        36 attribution: Mpid,
    }

    /// Order Executed. At the order's own price.
    OrderExecuted b'E' 31 {
        /// The order.
        11 order: u64,
        /// Shares executed.
        19 shares: u32,
        /// Match number.
        23 match_number: u64,
    }

    /// Order Executed With Price. At another price than the order's.
    OrderExecutedWithPrice b'C' 36 {
        /// The order.
        11 order: u64,
        /// Shares executed.
        19 shares: u32,
        /// Match number.
        23 match_number: u64,
        /// Y: counts in volume; N: a cross reports the same shares in bulk.
        31 printable: u8,
        /// Execution price.
        32 price: Price4,
    }

    /// Order Cancel. Part of it.
    OrderCancel b'X' 23 {
        /// The order.
        11 order: u64,
        /// Shares taken away.
        19 shares: u32,
    }

    /// Order Delete. All that is left of it.
    OrderDelete b'D' 19 {
        /// The order.
        11 order: u64,
    }

    /// Order Replace. Side, stock and attribution are the original's; the new order is last in its level.
    OrderReplace b'U' 35 {
        /// The order that ends.
        11 original: u64,
        /// The order that begins.
        19 order: u64,
        /// Shares displayed now.
        27 shares: u32,
        /// Limit.
        31 price: Price4,
    }

    /// Trade, Non-Cross. Against an order that was not displayed.
    Trade b'P' 44 {
        /// Zero.
        11 order: u64,
        /// Always buy.
        19 side: Side,
        /// Shares.
        20 shares: u32,
        /// Symbol.
        24 stock: Stock,
        /// Price.
        32 price: Price4,
        /// Match number.
        36 match_number: u64,
    }

    /// Cross Trade. The bulk print of an auction.
    CrossTrade b'Q' 40 {
        /// Shares; zero: no cross happened.
        11 shares: u64,
        /// Symbol.
        19 stock: Stock,
        /// Price.
        27 price: Price4,
        /// Match number.
        31 match_number: u64,
        /// O opening, C closing, H halt or offering, A extended close.
        39 cross_type: u8,
    }

    /// Broken Trade.
    BrokenTrade b'B' 19 {
        /// Match number.
        11 match_number: u64,
    }

    /// Net Order Imbalance Indicator.
    NetOrderImbalance b'I' 50 {
        /// Shares paired at the reference price.
        11 paired: u64,
        /// Shares not paired.
        19 imbalance: u64,
        /// B buy, S sell, N none, O insufficient orders, P paused.
        27 direction: u8,
        /// Symbol.
        28 stock: Stock,
        /// Far price.
        36 far: Price4,
        /// Near price.
        40 near: Price4,
        /// Reference price.
        44 reference: Price4,
        /// As in Cross Trade.
        48 cross_type: u8,
        /// Near price against reference price, as a class of per cent.
        49 price_variation: u8,
    }

    /// Retail Interest.
    RetailInterest b'N' 20 {
        /// Symbol.
        11 stock: Stock,
        /// B buy, S sell, A both, N none.
        19 interest: u8,
    }

    /// Direct Listing with Capital Raise Price Discovery.
    PriceDiscovery b'O' 48 {
        /// Symbol.
        11 stock: Stock,
        /// Y: may open.
        19 open_eligible: u8,
        /// Lowest price allowed.
        20 min_price: Price4,
        /// Highest price allowed.
        24 max_price: Price4,
        /// Near price.
        28 near_price: Price4,
        /// When the near price was found, in nanoseconds since midnight.
        32 near_time: u64,
        /// Lower collar.
        40 lower_collar: Price4,
        /// Upper collar.
        44 upper_collar: Price4,
    }
}
