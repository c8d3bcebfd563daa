//! The engine as this process sees it: attached when first needed and again after a restart, its
//! pages, its names.

use std::collections::HashMap;

use model::page::{Account, Answer, Board, Depth, Line, OrderCell};
use model::{AccountId, Ask, DeskId, InstrumentId, Note, OrderId, Origin, Request, Symbol};
use shm::{Client, ReadError, Reader, WATCHES};

use crate::fault::Fault;
use crate::reply::{Moment, Notice};

/// A client of at most one engine at a time.
pub struct Session {
    /// The engine asked for; `None`: the only one running.
    wanted: Option<String>,
    client: Option<Client>,
    /// Epoch of the engine attached to last, gone or not.
    epoch: Option<u64>,
    restart: Option<Restart>,
    /// Instruments of this epoch by symbol; `None` where several feeds list it.
    symbols: HashMap<Symbol, Option<InstrumentId>>,
    /// Requests that somebody waits for, and what was answered.
    asked: HashMap<u64, Option<Answer>>,
}

/// A restart that no answer has told of yet.
#[derive(Clone, Copy)]
struct Restart {
    from: u64,
    to: u64,
}

impl Session {
    /// Nothing is attached yet.
    pub fn new(wanted: Option<String>) -> Session {
        Session {
            wanted,
            client: None,
            epoch: None,
            restart: None,
            symbols: HashMap::new(),
            asked: HashMap::new(),
        }
    }

    /// Makes sure that an engine is attached.
    ///
    /// # Errors
    ///
    /// Why none is.
    pub fn attach(&mut self) -> Result<(), Fault> {
        if self.client.as_ref().is_some_and(|client| !client.is_gone()) {
            return Ok(());
        }
        self.client = None;
        self.symbols.clear();
        self.asked.clear();
        let client =
            Client::attach(self.wanted.as_deref()).map_err(|error| Fault::no_engine(&error))?;
        let to = client.epoch();
        if let Some(from) = self.epoch.filter(|from| *from != to) {
            self.restart = Some(Restart { from, to });
        }
        tracing::info!(epoch = to, "attached to {}", client.engine_name());
        self.epoch = Some(to);
        self.client = Some(client);
        Ok(())
    }

    /// Whether the engine was started again and no answer has said so yet: order numbers from
    /// before may mean others.
    pub fn restarted(&self) -> bool {
        self.restart.is_some()
    }

    /// What the next answer must say of the engine itself.
    pub fn take_notice(&mut self) -> Notice {
        match self.restart.take() {
            None => Notice::default(),
            Some(Restart { from, to }) => Notice {
                engine_restarted: Some(true),
                epoch: Some(to.to_string()),
                previous_epoch: Some(from.to_string()),
            },
        }
    }

    /// The engine attached to.
    ///
    /// # Errors
    ///
    /// There is none; so for every page below, which may also be unreadable.
    pub fn client(&self) -> Result<&Client, Fault> {
        self.client.as_ref().ok_or_else(Fault::gone)
    }

    /// The engine now.
    pub fn moment(&self) -> Result<Moment, Fault> {
        let client = self.client()?;
        let silence = client.heartbeat_age().unwrap_or_default();
        let control = client.control().map_err(|error| Fault::unread(client, error))?;
        Ok(Moment { control, silence_ns: u64::try_from(silence.as_nanos()).unwrap_or(u64::MAX) })
    }

    /// The page of an instrument.
    pub fn board(&self, id: InstrumentId) -> Result<Board, Fault> {
        let client = self.client()?;
        client.board(id.0 as usize).map_err(|error| Fault::unread(client, error))
    }

    /// The book of an instrument.
    pub fn depth(&self, id: InstrumentId) -> Result<Depth, Fault> {
        let client = self.client()?;
        client.depth(id.0 as usize).map_err(|error| Fault::unread(client, error))
    }

    /// Every instrument that has a page.
    pub fn boards(&self) -> Result<Vec<Board>, Fault> {
        let count = self.moment()?.control.instruments;
        self.pages(count, Reader::board)
    }

    /// The page of the instrument of that symbol.
    ///
    /// # Errors
    ///
    /// No instrument has that symbol, or several have.
    pub fn board_of(&mut self, text: &str) -> Result<Board, Fault> {
        let unknown = || {
            Fault::new(
                "unknown_symbol",
                format!("no instrument has the symbol {:?}", excerpt(text)),
                "find the symbol with instruments_find",
            )
        };
        let symbol = Symbol::new(text).map_err(|_| unknown())?;
        if !self.symbols.contains_key(&symbol) {
            self.learn_symbols()?;
        }
        match self.symbols.get(&symbol) {
            None => Err(unknown()),
            Some(Some(id)) => self.board(*id),
            Some(None) => Err(Fault::new(
                "ambiguous_symbol",
                format!("several feeds list {symbol}"),
                "this engine must be run with one of these feeds to trade it",
            )),
        }
    }

    fn learn_symbols(&mut self) -> Result<(), Fault> {
        let mut symbols = HashMap::new();
        for board in self.boards()? {
            let id = board.instrument.id;
            symbols
                .entry(board.instrument.symbol)
                .and_modify(|known| *known = None)
                .or_insert(Some(id));
        }
        self.symbols = symbols;
        Ok(())
    }

    /// Every account, in the order of the configuration.
    pub fn accounts(&self) -> Result<Vec<Account>, Fault> {
        let count = self.moment()?.control.accounts;
        self.pages(count, Reader::account)
    }

    /// The account of that name; without a name, the only one that takes clients' orders.
    ///
    /// # Errors
    ///
    /// There is none of that name; or none was named, and not one alone takes clients' orders.
    pub fn account_of(&self, name: Option<&str>) -> Result<Account, Fault> {
        let accounts = self.accounts()?;
        let fix = |of: &[&Account]| {
            let names: Vec<&str> = of.iter().map(|account| account.name.as_str()).collect();
            format!("set account to one of: {}", names.join(", "))
        };
        let Some(name) = name else {
            let open: Vec<&Account> = accounts.iter().filter(|account| account.clients).collect();
            return match open.as_slice() {
                [only] => Ok(**only),
                [] => Err(Fault::new(
                    "account_needed",
                    "no account of this engine takes clients' orders",
                    "only the operator can open one to clients; portfolio_get shows what there is",
                )),
                open => Err(Fault::new(
                    "account_needed",
                    format!("{} accounts take clients' orders, and none was named", open.len()),
                    fix(open),
                )),
            };
        };
        let found = accounts.iter().find(|account| account.name.as_str() == name);
        found.copied().ok_or_else(|| {
            let message = format!("there is no account {:?}", excerpt(name));
            Fault::new("unknown_account", message, fix(&accounts.iter().collect::<Vec<_>>()))
        })
    }

    /// The lines of an account: what it holds or works, with limits, and what somebody asked of.
    pub fn lines(&self, account: AccountId) -> Result<Vec<Line>, Fault> {
        let watches = self.pages(WATCHES, Reader::watch)?;
        // Read later than the watches, so that a pair that was traded meanwhile is in one list at least.
        let count = self.moment()?.control.lines;
        let mut lines = self.pages(count, Reader::line)?;
        lines.retain(|line| line.account == account);
        for watch in watches.into_iter().filter(|watch| watch.account == account) {
            if lines.iter().all(|line| line.instrument != watch.instrument) {
                lines.push(watch);
            }
        }
        Ok(lines)
    }

    /// Every order that still has its slot.
    pub fn orders(&self) -> Result<Vec<OrderCell>, Fault> {
        let count = self.moment()?.control.orders;
        self.pages(count, Reader::order)
    }

    /// Every page of a kind that was ever published; one that cannot be read is an error, not a
    /// hole in the list.
    fn pages<T>(
        &self,
        count: u32,
        read: fn(&Reader, usize) -> Result<T, ReadError>,
    ) -> Result<Vec<T>, Fault> {
        let client = self.client()?;
        let published = |place| match read(client, place) {
            Err(ReadError::Absent) => None,
            page => Some(page.map_err(|error| Fault::unread(client, error))),
        };
        (0..count as usize).filter_map(published).collect()
    }

    /// The order of that number; `None` if there never was one, or its slot serves another one now.
    pub fn order(&self, id: OrderId) -> Result<Option<OrderCell>, Fault> {
        let client = self.client()?;
        match client.order(id.slot()) {
            Ok(cell) => Ok(Some(cell).filter(|cell| cell.order.id == id)),
            Err(ReadError::Absent | ReadError::OutOfRange) => Ok(None),
            Err(error) => Err(Fault::unread(client, error)),
        }
    }

    /// Puts a request to the engine and returns the number under which it will be answered.
    ///
    /// # Errors
    ///
    /// It was not sent.
    pub fn send(&mut self, request: &Request) -> Result<u64, Fault> {
        let client = self.client.as_mut().ok_or_else(Fault::gone)?;
        let number = client.send(request).map_err(Fault::unsent)?;
        self.asked.insert(number, None);
        Ok(number)
    }

    /// Says to the engine attached to, if there is one, that this client lives. Nothing is answered, and what finds no room
    /// need not be said: the engine hears of the requests that fill it.
    pub fn beat(&mut self) {
        let account = AccountId(0);
        let (origin, ask, note) = (Origin::Desk(DeskId(0)), Ask::Beat, Note::default());
        if let Some(client) = &mut self.client {
            let _ = client.send(&Request { id: 0, origin, account, ask, note });
        }
    }

    /// What was answered to a request, if it was. Answers to others are kept for those who wait for them.
    ///
    /// # Errors
    ///
    /// The engine that was asked is gone.
    pub fn answer(&mut self, number: u64) -> Result<Option<Answer>, Fault> {
        if let Some(client) = &mut self.client {
            while let Some(answer) = client.poll_answer() {
                if let Some(place) = self.asked.get_mut(&answer.request) {
                    *place = Some(answer);
                }
            }
        }
        match self.asked.get(&number) {
            None => Err(Fault::gone()),
            Some(None) if self.client.as_ref().is_none_or(Client::is_gone) => Err(Fault::gone()),
            Some(answer) => Ok(*answer),
        }
    }

    /// Nobody waits for that request any more.
    pub fn forget(&mut self, number: u64) {
        self.asked.remove(&number);
    }
}

/// The beginning of a text from outside, for a message.
pub fn excerpt(text: &str) -> String {
    text.chars().take(32).collect()
}
