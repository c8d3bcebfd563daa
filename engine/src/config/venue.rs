//! The venue that orders go to: the keys of `[venue]`.

use std::net::SocketAddr;
use std::path::Path;

use feeds::session::SessionId;
use feeds::session::soup::Login;
use model::Symbol;
use risk::OrderFeatures;

use super::feed::parsed;
use super::server::login;
use super::table::{ConfigErrors, Table};
use crate::gateway::ouch::Firm;
use crate::rules::Rules;

/// The venue that orders go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueConfig {
    /// How long it may take to answer before it is asked again, nanoseconds.
    pub ack_timeout_ns: u64,
    /// Executions of two sessions that are told from their doubles. When there is no room for more, nothing new is sent.
    pub executions: u32,
    /// What becomes of open orders at a clean stop.
    pub at_stop: AtStop,
    /// What it is known to do as it is meant here; all else is refused.
    pub confirmed: OrderFeatures,
    /// How it is spoken to.
    pub gateway: GatewayConfig,
}

impl VenueConfig {
    /// A venue at an address over OUCH, for user `t` without a password, that does all it can be asked for and whose orders
    /// outlive the engine: for tests.
    pub fn plain(ack_timeout_ns: u64, executions: u32, address: SocketAddr) -> VenueConfig {
        let gateway = GatewayConfig::Ouch(OuchConfig {
            address,
            user: "t".into(),
            password_env: None,
            session: None,
            capacity: TradeCapacity::Agency,
            on_stall: OnStall::Cancel,
            firms: Vec::new(),
        });
        let (at_stop, confirmed) = (AtStop::Leave, OrderFeatures::MOST);
        VenueConfig { ack_timeout_ns, executions, at_stop, confirmed, gateway }
    }
}

/// What becomes of open orders at a clean stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtStop {
    /// They are cancelled, and the engine waits so many nanoseconds for the venue to say so.
    Cancel(u64),
    /// They stay open at the venue.
    Leave,
}

/// How a venue is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayConfig {
    /// OUCH 5.0 over SoupBinTCP.
    Ouch(OuchConfig),
}

/// What is done at the venue when the engine thread stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnStall {
    /// The gateway cancels whatever may be open.
    Cancel,
    /// Nothing: what is open stays.
    Keep,
}

/// In which capacity orders are entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TradeCapacity {
    /// For a customer.
    Agency,
    /// For the firm itself.
    Principal,
    /// Riskless principal.
    Riskless,
}

/// A port of OUCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OuchConfig {
    /// Where it listens.
    pub address: SocketAddr,
    /// At most 6 characters.
    pub user: String,
    /// Name of the environment variable that holds the password; none: a blank password.
    pub password_env: Option<String>,
    /// The only session, at most 10 letters and digits; none: the current one.
    pub session: Option<String>,
    /// In which capacity orders are entered.
    pub capacity: TradeCapacity,
    /// What is done at the venue when the engine thread stands still.
    pub on_stall: OnStall,
    /// Firms by account; an account that is not here trades for the port's own.
    pub firms: Vec<(Symbol, [u8; 4])>,
}

impl OuchConfig {
    /// Who asks, and for which session.
    ///
    /// # Errors
    ///
    /// What to tell the user: there is no password where the configuration says, or it is too long.
    pub fn login(&self) -> Result<Login, String> {
        let login = login(&self.user, self.password_env.as_deref())?;
        let session = self.session.as_deref().map_or(login.session, SessionId::named);
        Ok(Login { session, ..login })
    }

    /// The firm of each account, by its number.
    pub fn firms(&self, rules: &Rules) -> Vec<Firm> {
        let firm = |name: Symbol| self.firms.iter().find(|(of, _)| *of == name);
        rules.accounts.iter().map(|account| firm(account.name).map(|(_, firm)| *firm)).collect()
    }
}

const CAPACITIES: [(&str, TradeCapacity); 3] = [
    ("agency", TradeCapacity::Agency),
    ("principal", TradeCapacity::Principal),
    ("riskless", TradeCapacity::Riskless),
];
const ON_STALL: [(&str, OnStall); 2] = [("cancel", OnStall::Cancel), ("keep", OnStall::Keep)];

fn name_of<T: Copy + PartialEq>(names: &[(&'static str, T)], value: T) -> &'static str {
    names.iter().find(|(_, of)| *of == value).map_or("", |(name, _)| *name)
}

impl VenueConfig {
    pub(super) fn to_toml(&self) -> String {
        let VenueConfig { ack_timeout_ns, executions, at_stop, confirmed, gateway } = self;
        let confirmed: Vec<_> = confirmed.names().collect();
        let GatewayConfig::Ouch(ouch) = gateway;
        let OuchConfig { address, user, password_env, session, capacity, on_stall, firms } = ouch;
        let mut text = format!(
            "\n[venue]\nkind = \"ouch\"\nserver = \"{address}\"\nremote = {}\nuser = {user:?}\n\
             capacity = \"{}\"\non_stall = \"{}\"\nack_timeout_ms = {}\nexecutions = {executions}\n\
             confirmed = {confirmed:?}\n",
            !address.ip().is_loopback(),
            name_of(&CAPACITIES, *capacity),
            name_of(&ON_STALL, *on_stall),
            ack_timeout_ns / 1_000_000
        );
        match at_stop {
            AtStop::Cancel(ns) => {
                text += &format!("at_stop = \"cancel\"\nat_stop_ms = {}\n", ns / 1_000_000);
            }
            AtStop::Leave => text += "at_stop = \"leave\"\n",
        }
        for (key, value) in [("password_env", password_env), ("session", session)] {
            if let Some(value) = value {
                text += &format!("{key} = {value:?}\n");
            }
        }
        for (account, firm) in firms {
            let (account, firm) = (account.as_str(), firm.escape_ascii().to_string());
            text += &format!("\n[[venue.firm]]\naccount = {account:?}\nname = {firm:?}\n");
        }
        text
    }

    /// Reads the table; `None` if something of it could not be read, which is noted.
    pub(super) fn read(mut table: Table<'_>, errors: &mut ConfigErrors) -> Option<VenueConfig> {
        table.choice("kind", &[("ouch", ())], errors);
        let address = table.text("server", errors);
        let address = address.and_then(|text| parsed(&table, "server", &text, errors));
        let remote = table.flag_or("remote", false, errors);
        let is_near = |address: SocketAddr| address.ip().is_loopback();
        if remote == Some(false) && !address.is_none_or(is_near) {
            let text =
                "`server` is another machine: say `remote = true` if real orders are to go there";
            table.error(text, errors);
        }
        let user = table.text("user", errors);
        if user.as_ref().is_some_and(|user| user.len() > 6) {
            table.error("`user` has at most 6 characters", errors);
        }
        let password_env = table.text_or("password_env", "", errors);
        let session = table.text_or("session", "", errors);
        let legal = |text: &String| {
            text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if !session.as_ref().is_none_or(legal) {
            table.error("`session` has at most 10 letters and digits", errors);
        }
        let capacity = table.choice("capacity", &CAPACITIES, errors);
        let on_stall = table.choice_or("on_stall", &ON_STALL, OnStall::Cancel, errors);
        let ms = table.number("ack_timeout_ms", 1, 60_000, errors);
        let executions = table.number("executions", 1, 1 << 24, errors);
        let at_stop = at_stop(&mut table, errors);
        let confirmed = confirmed(&mut table, errors);
        let firms = if table.has("firm") { table.tables("firm", errors) } else { Vec::new() };
        let firms: Option<Vec<_>> = firms.into_iter().map(|table| firm(table, errors)).collect();
        table.finish(errors);
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let gateway = GatewayConfig::Ouch(OuchConfig {
            address: address?,
            user: user?,
            password_env: some(password_env?),
            session: some(session?),
            capacity: capacity?,
            on_stall: on_stall?,
            firms: firms?,
        });
        Some(VenueConfig {
            ack_timeout_ns: ms? * 1_000_000,
            executions: executions? as u32,
            at_stop: at_stop?,
            confirmed: confirmed?,
            gateway,
        })
    }

    /// Checks what only holds together with the rules.
    pub(super) fn check_against(&self, rules: &Rules, errors: &mut ConfigErrors) {
        let GatewayConfig::Ouch(ouch) = &self.gateway;
        for (name, _) in &ouch.firms {
            if !rules.accounts.iter().any(|account| account.name == *name) {
                let text = format!("[[venue.firm]]: account `{name}` is not in limits.toml");
                errors.note(Path::new("engine.toml"), text);
            }
        }
    }
}

/// What becomes of open orders: always said, for both ways surprise whoever expects the other.
fn at_stop(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<AtStop> {
    if table.choice("at_stop", &[("cancel", true), ("leave", false)], errors)? {
        let ms = table.number("at_stop_ms", 1, 60_000, errors)?;
        return Some(AtStop::Cancel(ms * 1_000_000));
    }
    Some(AtStop::Leave)
}

/// What conformance tests confirmed: always said, for nobody else can know it.
fn confirmed(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<OrderFeatures> {
    let mut confirmed = Some(OrderFeatures::NONE);
    for name in table.texts("confirmed", errors)? {
        let known = OrderFeatures::CONFIRMABLE.into_iter().find(|(known, _)| *known == name);
        if known.is_none() {
            let names = OrderFeatures::CONFIRMABLE.map(|(name, _)| name).join(", ");
            table.error(format!("`confirmed` is a list of {names}, not `{name}`"), errors);
        }
        confirmed = confirmed.zip(known).map(|(all, (_, option))| all.with(option));
    }
    confirmed
}

/// Firm of an account: one to four capital letters and digits.
fn firm(mut table: Table<'_>, errors: &mut ConfigErrors) -> Option<(Symbol, [u8; 4])> {
    let account = table.symbol("account", errors);
    let name = table.text("name", errors).and_then(|name| {
        let legal = (1..=4).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let mut firm = [b' '; 4];
        match firm.get_mut(..name.len()).filter(|_| legal) {
            Some(room) => room.copy_from_slice(name.as_bytes()),
            None => table.error("`name` must be 1 to 4 capital letters or digits", errors),
        }
        legal.then_some(firm)
    });
    table.finish(errors);
    Some((account?, name?))
}
