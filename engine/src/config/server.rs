//! A feed over a connection to a server: the keys of its `[[feed]]`.

use std::net::SocketAddr;

use feeds::session::SessionId;
use feeds::session::soup::Login;

use super::feed::parsed;
use super::table::{ConfigErrors, Table};

/// A SoupBinTCP server of sequenced messages, and who asks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// At most 6 characters.
    pub user: String,
    /// Name of the environment variable that holds the password; none: a blank password.
    pub password_env: Option<String>,
    /// The only session to be heard, at most 10 letters and digits; none: the current one.
    pub session: Option<String>,
    /// A message no older than this by the venue's time is current.
    pub lag_ns: u64,
}

/// Who asks a server. A password is in the environment alone; none is told.
///
/// # Errors
///
/// What to tell the user: there is no password where the configuration says, or it is too long.
pub fn login(user: &str, password_env: Option<&str>) -> Result<Login, String> {
    let password = match password_env {
        None => String::new(),
        Some(name) => std::env::var(name)
            .map_err(|_| format!("the environment variable {name} holds no password"))?,
    };
    Login::new(user, &password).ok_or_else(|| "a password has at most 10 characters".into())
}

impl Server {
    /// Who asks it, and for which session.
    ///
    /// # Errors
    ///
    /// As [`login`].
    pub fn login(&self) -> Result<Login, String> {
        let login = login(&self.user, self.password_env.as_deref())?;
        let session = self.session.as_deref().map_or(login.session, SessionId::named);
        Ok(Login { session, ..login })
    }

    pub(super) fn to_toml(&self) -> String {
        let Server { address, user, password_env, session, lag_ns } = self;
        let lag_ms = lag_ns / 1_000_000;
        let mut text = format!("server = \"{address}\"\nuser = {user:?}\nlag_ms = {lag_ms}\n");
        for (key, value) in [("password_env", password_env), ("session", session)] {
            if let Some(value) = value {
                text += &format!("{key} = {value:?}\n");
            }
        }
        text
    }

    pub(super) fn read(table: &mut Table<'_>, errors: &mut ConfigErrors) -> Option<Server> {
        let address = table.text("server", errors);
        let address = address.and_then(|text| parsed(table, "server", &text, errors));
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
        let lag_ms = table.number_or("lag_ms", 1_000, 1, 86_400_000, errors);
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        Some(Server {
            address: address?,
            user: user?,
            password_env: some(password_env?),
            session: some(session?),
            lag_ns: lag_ms? * 1_000_000,
        })
    }
}
