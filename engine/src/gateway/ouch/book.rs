//! What the venue said of our orders, message by message: whose each is, what is open of it, what it traded.
//!
//! An order has one UserRefNum at a time and a new one with each replacement; all of them lead to the same entry. What is here
//! comes from the session's messages alone, so whoever hears a session from its start has all of it. The tables are as
//! large as a session may be, and a session that is larger is given up: what is not kept could not be told apart later.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::{AccountId, Holder, Instrument, Order, OrderId, Px, Qty, Report, ReportKind, Side, Ts};

use super::chain::Chain;
use super::id::Name;
use super::wire::{Message, PX_DECIMALS, PX_MAX, QTY_MAX, Taken};
use super::{Firm, OuchError, Told};

/// Orders and UserRefNums of one session.
const ORDERS_MAX: usize = 1 << 20;

/// An order of ours that the engine knew before the gateway began.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Its number.
    pub order: OrderId,
    /// Who pays.
    pub account: AccountId,
    /// Changes asked of it so far.
    pub asked: u16,
    /// Where it stood when last heard of.
    pub standing: Standing,
}

/// Where an order stood when the engine last heard of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It had ended, or never went to a venue.
    Ended,
    /// It went there at this engine time, and was not answered: a session that began later cannot tell of it.
    Sent(Ts),
    /// The venue worked it.
    Works,
}

/// An instrument as the venue knows it.
#[derive(Clone, Copy, Debug)]
struct Listing {
    instrument: Instrument,
    symbol: [u8; 8],
}

/// An order in the venue's units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub symbol: [u8; 8],
    pub qty: u32,
    pub px: u64,
    /// Shares that are shown at a time; `None`: all.
    pub display: Option<u32>,
}

/// One execution.
#[derive(Clone, Copy, Debug)]
struct Execution {
    order: OrderId,
    exec_id: u64,
    px: Px,
    qty: Qty,
}

/// Everything of one session.
#[derive(Debug)]
pub(super) struct Book {
    listings: BTreeMap<u32, Listing>,
    by_symbol: BTreeMap<[u8; 8], u32>,
    known: BTreeMap<u64, Known>,
    firms: Vec<Firm>,
    chains: BTreeMap<u64, Chain>,
    refs: BTreeMap<u32, OrderId>,
    /// By UserRefNum and the venue's number of the trade.
    executions: BTreeMap<(u32, u64), Execution>,
    executions_max: usize,
    next: u32,
    /// Seconds since the UNIX epoch at which the session began.
    began: u64,
    /// What the venue said of orders that are not ours, or of trades that were never told.
    pub foreign: u64,
}

impl Book {
    pub fn new(firms: Vec<Firm>, known: Vec<Known>, executions_max: u32) -> Book {
        Book {
            listings: BTreeMap::new(),
            by_symbol: BTreeMap::new(),
            known: known.into_iter().map(|known| (known.order.0, known)).collect(),
            firms,
            chains: BTreeMap::new(),
            refs: BTreeMap::new(),
            executions: BTreeMap::new(),
            executions_max: executions_max as usize,
            next: 1,
            began: 0,
            foreign: 0,
        }
    }

    /// Another session: nothing of the one before is open, and numbers begin anew. What became of orders that were is nobody's
    /// to say any more.
    pub fn begin(&mut self) {
        // One that was sent and not answered may have been executed all the same.
        for chain in self.chains.values().filter(|chain| chain.ended.is_none()) {
            if let Some(holder) = chain.holder {
                let (order, account, standing) = (chain.order, holder.account, Standing::Works);
                self.known.insert(order.0, Known { order, account, asked: 0, standing });
            }
        }
        self.chains.clear();
        self.refs.clear();
        self.executions.clear();
        (self.next, self.began) = (1, 0);
    }

    /// Accounts with orders that the venue worked or may have, and of which this session says nothing; each is told once.
    pub fn take_unspoken(&mut self) -> BTreeSet<AccountId> {
        let mut accounts = BTreeSet::new();
        let began = self.began;
        for known in self.known.values_mut() {
            let is_open = match std::mem::replace(&mut known.standing, Standing::Ended) {
                Standing::Ended => false,
                Standing::Sent(at) => began == 0 || at.0 / 1_000_000_000 <= began,
                Standing::Works => true,
            };
            let is_unspoken = is_open && !self.chains.contains_key(&known.order.0);
            accounts.extend(is_unspoken.then_some(known.account));
        }
        accounts
    }

    /// The session's first message is of this time, seconds since the UNIX epoch.
    pub fn begin_at(&mut self, began: u64) {
        self.began = began;
    }

    /// Learns of an instrument, or that it is another one now.
    pub fn list(&mut self, instrument: Instrument) {
        let mut symbol = [b' '; 8];
        let text = instrument.symbol.as_str().as_bytes();
        if let Some(room) = symbol.get_mut(..text.len()) {
            room.copy_from_slice(text);
            self.by_symbol.insert(symbol, instrument.id.0);
            self.listings.insert(instrument.id.0, Listing { instrument, symbol });
        }
    }

    /// The lowest UserRefNum that was never used; `None`: there is none left, or no room for what an order may trade.
    pub fn next_ref(&self) -> Option<u32> {
        let has_room = self.refs.len() < ORDERS_MAX && self.executions.len() < self.executions_max;
        (self.next < u32::MAX && has_room).then_some(self.next)
    }

    /// The venue says that lower ones are used.
    pub fn raise(&mut self, next: u32) {
        self.next = self.next.max(next);
    }

    /// The order, to change it.
    pub fn chain(&mut self, order: OrderId) -> Option<&mut Chain> {
        self.chains.get_mut(&order.0)
    }

    /// The firm of an account; `None`: the port's own.
    pub fn firm(&self, account: AccountId) -> Option<[u8; 4]> {
        self.firms.get(usize::from(account.0)).copied().flatten()
    }

    /// An order as the venue counts it; `None`: it cannot say it.
    pub fn terms(&self, order: &Order) -> Option<Terms> {
        let listing = self.listings.get(&order.instrument.0)?;
        let Instrument { px_decimals, qty_decimals, .. } = listing.instrument;
        let shares = |qty: Qty| {
            let qty = Qty::from_venue(qty.0, qty_decimals.into(), 0).ok()?;
            u32::try_from(qty.0).ok().filter(|qty| (1..=QTY_MAX).contains(qty))
        };
        let px = Px::from_venue(order.px.0, px_decimals.into(), PX_DECIMALS).ok()?;
        let px = u64::try_from(px.0).ok().filter(|px| (1..=PX_MAX).contains(px))?;
        let display = match order.conditions.display {
            Qty(0) => None,
            display => Some(shares(display)?),
        };
        Some(Terms { symbol: listing.symbol, qty: shares(order.qty)?, px, display })
    }

    /// An order went out under this UserRefNum behind so many queries, marked as a short sale or not.
    pub fn sent(&mut self, order: &Order, refnum: u32, is_short: bool, queries: u64) {
        let Order { id, account, instrument, side, px, qty, .. } = *order;
        let scale = self.listings.get(&instrument.0).map(|listing| scale_of(&listing.instrument));
        let holder = Some(Holder { account, instrument, side });
        let mut chain = Chain::new(id, holder, scale.unwrap_or_default(), refnum);
        (chain.px, chain.open, chain.is_short) = (px, qty.0, is_short);
        chain.ask(0, queries);
        self.chains.insert(id.0, chain);
        self.refs.insert(refnum, id);
        self.raise(refnum.saturating_add(1));
    }

    /// New terms of an order went out under this UserRefNum.
    pub fn sent_replace(&mut self, order: OrderId, refnum: u32, change: u16, queries: u64) {
        if let Some(chain) = self.chains.get_mut(&order.0) {
            chain.replacing = Some(refnum);
            chain.ask(change, queries);
            self.refs.insert(refnum, order);
            self.raise(refnum.saturating_add(1));
        }
    }

    /// Restates every open order when query number `query` was answered, and says how many there are.
    pub fn restate(&mut self, round: u32, query: u64, out: &mut VecDeque<Told>) -> u32 {
        let open = |chain: &&mut Chain| chain.accepted && chain.ended.is_none();
        let before = out.len();
        self.chains.values_mut().for_each(|chain| chain.lose(query));
        let open = self.chains.values_mut().filter(open);
        out.extend(open.map(|chain| Told::Report(chain.standing(round, query))));
        (out.len() - before) as u32
    }

    /// Says where one order stands when query number `query` was answered.
    pub fn say(&mut self, order: OrderId, query: u64, out: &mut VecDeque<Told>) {
        let mut chain = self.chains.get_mut(&order.0);
        chain.iter_mut().for_each(|chain| chain.lose(query));
        let report = match chain {
            Some(chain) if chain.accepted => match chain.ended {
                None => chain.standing(0, query),
                Some(ended) => chain.report(ended),
            },
            _ => Report::of(ReportKind::NotFound, order),
        };
        out.push_back(Told::Report(report));
    }

    /// UserRefNums of everything that may be open, replacements that are not answered included.
    pub fn cancellable(&self) -> Vec<u32> {
        let open = self.chains.values().filter(|chain| chain.ended.is_none());
        open.flat_map(|chain| chain.replacing.into_iter().chain([chain.live])).collect()
    }

    /// Takes message `seq` of the session. Only what `is_live` is no history.
    pub fn take(
        &mut self,
        seq: u64,
        message: &Message,
        is_live: bool,
        out: &mut VecDeque<Told>,
    ) -> Result<(), OuchError> {
        if let Some(refnum) = message.refnum() {
            self.raise(refnum.saturating_add(1));
        }
        if self.chains.len().max(self.refs.len()) > ORDERS_MAX {
            return Err(OuchError::Full);
        }
        let mut tell = |report: Report| out.push_back(Told::Report(report));
        match *message {
            Message::Accepted { refnum, taken } => self.accept(refnum, &taken, &mut tell)?,
            Message::Replaced { old, refnum, taken } => {
                self.replace(old, refnum, &taken, &mut tell)?;
            }
            Message::Canceled { refnum, qty, reason } => {
                let Some(chain) = self.of(refnum) else { return self.stranger(&mut tell) };
                chain.open = chain.open.saturating_sub(chain.units(qty)?).max(0);
                if chain.open == 0 {
                    let kind = chain.end_for(reason);
                    chain.end(kind);
                    tell(chain.report(kind));
                } else if is_live {
                    tell(chain.report(ReportKind::Restated));
                }
            }
            Message::Modified { refnum, qty } => {
                let Some(chain) = self.of(refnum) else { return self.stranger(&mut tell) };
                chain.open = chain.units(qty)?;
                if is_live {
                    tell(chain.report(ReportKind::Restated));
                }
            }
            Message::Executed { refnum, qty, px, match_number } => {
                let exec_id = self.began << 32 | seq;
                self.execute(refnum, (qty, px), (match_number, exec_id), &mut tell)?;
            }
            Message::Broken { refnum, match_number, .. } => {
                let Some(known) = self.execution(refnum, match_number) else {
                    return self.stranger(&mut tell);
                };
                let Execution { order, exec_id, px, qty } = known;
                let holder = self.chains.get(&order.0).and_then(|chain| chain.holder);
                tell(Report { holder, exec_id, px, qty, ..Report::of(ReportKind::Bust, order) });
            }
            Message::Rejected { refnum, name, .. } => self.reject(refnum, name, &mut tell),
            Message::CancelReject { refnum } => {
                let Some(chain) = self.of(refnum) else { return self.stranger(&mut tell) };
                if let Some(change) = chain.cancelling.take() {
                    chain.dealt(change);
                    let report = chain.report(ReportKind::CancelRejected);
                    tell(Report { change, ..report });
                }
            }
            Message::System { .. }
            | Message::CancelPending { .. }
            | Message::Priority { .. }
            | Message::Restated { .. }
            | Message::Other { .. }
            | Message::Account { .. } => {}
        }
        Ok(())
    }

    fn accept(
        &mut self,
        refnum: u32,
        taken: &Taken,
        tell: &mut impl FnMut(Report),
    ) -> Result<(), OuchError> {
        let Some((order, _)) = taken.name.read() else { return self.stranger(tell) };
        let sent = self.chains.get(&order.0).map(|chain| (chain.px, chain.open));
        let mut chain = match self.chains.get(&order.0) {
            Some(chain) => *chain,
            None => match self.heard(order, refnum, taken) {
                Some(chain) => chain,
                None => return self.stranger(tell),
            },
        };
        (chain.accepted, chain.live, chain.crosses) = (true, refnum, taken.cross != b'N');
        chain.is_short = taken.is_short;
        chain.ended = chain.ended.filter(|ended| *ended != ReportKind::NotFound);
        (chain.px, chain.open) = (chain.price(taken.px)?, chain.units(taken.qty)?);
        tell(chain.report(ReportKind::Ack));
        if sent.is_some_and(|sent| sent != (chain.px, chain.open)) {
            tell(chain.report(ReportKind::Restated)); // It took other terms than it was sent.
        }
        if !taken.is_live {
            chain.open = 0;
            chain.end(ReportKind::Cancelled);
            tell(chain.report(ReportKind::Cancelled));
        }
        self.chains.insert(order.0, chain);
        self.refs.insert(refnum, order);
        Ok(())
    }

    /// An order that this gateway did not send itself: as the engine knew it, else as the venue says.
    fn heard(&self, order: OrderId, refnum: u32, taken: &Taken) -> Option<Chain> {
        let listing = self.by_symbol.get(&taken.symbol).and_then(|id| self.listings.get(id))?;
        let instrument = listing.instrument;
        let known = self.known.get(&order.0).copied();
        let account = known.map(|known| known.account).or_else(|| self.account(taken.extras.firm));
        let side = if taken.buys { Side::Buy } else { Side::Sell };
        let holder = |account| Holder { account, instrument: instrument.id, side };
        let asked = known.map_or(0, |known| known.asked);
        let mut chain = Chain::new(order, account.map(holder), scale_of(&instrument), refnum);
        chain.ask(asked, 0);
        Some(chain)
    }

    /// An execution by the UserRefNum that it was told under, or another one that its order had or has.
    fn execution(&self, refnum: u32, match_number: u64) -> Option<Execution> {
        let told = self.executions.get(&(refnum, match_number));
        let of_order = || {
            let order = self.refs.get(&refnum)?;
            let mut all = self.executions.iter();
            let is_it =
                |number, execution: &Execution| number == match_number && execution.order == *order;
            all.find(|((_, number), execution)| is_it(*number, execution)).map(|(_, found)| found)
        };
        told.or_else(of_order).copied()
    }

    /// The only account of a firm.
    fn account(&self, firm: Option<[u8; 4]>) -> Option<AccountId> {
        let mut of_firm = self.firms.iter().zip(0..).filter(|(of, _)| **of == firm);
        match (of_firm.next(), of_firm.next()) {
            (Some((_, account)), None) => Some(AccountId(account)),
            _ => None,
        }
    }

    fn replace(
        &mut self,
        old: u32,
        refnum: u32,
        taken: &Taken,
        tell: &mut impl FnMut(Report),
    ) -> Result<(), OuchError> {
        let change = taken.name.read().map(|(_, change)| change);
        let (Some(change), Some(chain)) = (change, self.of(old)) else {
            return self.stranger(tell);
        };
        (chain.px, chain.open) = (chain.price(taken.px)?, chain.units(taken.qty)?);
        (chain.live, chain.is_short) = (refnum, taken.is_short);
        chain.dealt(change);
        if chain.replacing == Some(refnum) {
            chain.replacing = None;
        }
        let order = chain.order;
        tell(Report { change, ..chain.report(ReportKind::Replaced) });
        if !taken.is_live || chain.open == 0 {
            chain.open = 0;
            chain.end(ReportKind::Cancelled);
            tell(chain.report(ReportKind::Cancelled));
        }
        self.refs.insert(refnum, order);
        Ok(())
    }

    fn execute(
        &mut self,
        refnum: u32,
        (qty, px): (u32, u64),
        (match_number, exec_id): (u64, u64),
        tell: &mut impl FnMut(Report),
    ) -> Result<(), OuchError> {
        let Some(chain) = self.of(refnum) else { return self.stranger(tell) };
        let (px, qty) = (chain.price(px)?, Qty(chain.units(qty)?));
        let mut report = chain.report(ReportKind::Fill);
        if report.holder.is_none() {
            report.order = OrderId(0); // Nobody knows whom it is to be booked for: everything halts.
        }
        tell(Report { exec_id, px, qty, cum: None, ..report });
        chain.cum = chain.cum.saturating_add(qty.0);
        chain.open = chain.open.saturating_sub(qty.0).max(0);
        if chain.open == 0 {
            chain.end(ReportKind::Cancelled); // Nothing to tell: what is filled ends by itself.
        }
        let order = chain.order;
        if self.executions.len() < self.executions_max {
            let execution = Execution { order, exec_id, px, qty };
            self.executions.insert((refnum, match_number), execution);
        } // Else the engine halts its account. The session goes on, for its cancels are wanted.
        Ok(())
    }

    fn reject(&mut self, refnum: u32, name: Name, tell: &mut impl FnMut(Report)) {
        let Some((order, change)) = name.read() else {
            let _ = self.stranger(tell);
            return;
        };
        let chain = self.chains.get_mut(&order.0);
        if change == 0 {
            if let Some(chain) = chain {
                chain.end(ReportKind::Rejected);
            }
            let known = self.chains.get(&order.0).and_then(|chain| chain.holder);
            let rejected = Report::of(ReportKind::Rejected, order);
            tell(Report { holder: known, cum: Some(Qty(0)), ..rejected });
        } else if let Some(chain) = chain {
            if chain.replacing == Some(refnum) {
                chain.replacing = None;
            }
            chain.dealt(change);
            tell(Report { change, ..chain.report(ReportKind::ReplaceRejected) });
        }
        self.refs.insert(refnum, order);
    }

    fn of(&mut self, refnum: u32) -> Option<&mut Chain> {
        let order = self.refs.get(&refnum)?;
        self.chains.get_mut(&order.0)
    }

    /// Somebody trades through this port who is not this engine: the engine halts everything.
    fn stranger(&mut self, tell: &mut impl FnMut(Report)) -> Result<(), OuchError> {
        self.foreign += 1;
        tell(Report::of(ReportKind::Restated, OrderId(0)));
        Ok(())
    }
}

fn scale_of(instrument: &Instrument) -> [u32; 2] {
    [instrument.px_decimals.into(), instrument.qty_decimals.into()]
}
