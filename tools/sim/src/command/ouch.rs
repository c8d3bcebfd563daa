//! `tickgate-sim ouch`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use program::{eprintln, println};
use sim::mold::Credentials;
use sim::ouch::{Config, Counters, Faults, Server};

use super::mold::options::{at_most, session};

/// Pause between looks at the server.
const LOOK: Duration = Duration::from_millis(20);

/// A venue that takes orders: OUCH 5.0 over SoupBinTCP, on loopback.
///
/// It trades what rests with it at random, at its limit, and does not look at any market. An order for
/// a cross waits for one.
///
/// Faults are name=value with commas between them: trade, cancel (unasked), update (of the place in the
/// queue) and break (a trade is taken back) are of a thousand milliseconds; refuse (orders and
/// replacements), keep (cancels) and lock (post-only orders that would trade) of a thousand requests;
/// delay is a time like 2ms; cross and drop are milliseconds between crosses and between dropped
/// connections; seed is a number.
#[derive(Args)]
#[command(after_help = "Examples:
  tickgate-sim ouch --faults trade=100,cross=5000
  tickgate-sim ouch --faults trade=100,refuse=20,cancel=5,break=1,delay=2ms,drop=500,seed=7 --json")]
pub struct Options {
    /// Where it listens; port 0: any.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:26420")]
    listen: SocketAddr,
    /// Session, at most ten characters.
    #[arg(long, default_value = "SIM0000001", value_parser = session)]
    session: [u8; 10],
    /// User.
    #[arg(long, default_value = "sim", value_parser = at_most::<6>)]
    user: String,
    /// Its password.
    #[arg(long, default_value = "sim", value_parser = at_most::<10>)]
    password: String,
    /// What goes wrong, and what trades.
    #[arg(long, value_name = "FAULTS", default_value = "")]
    faults: Faults,
    /// End after so many seconds. Without: at Ctrl-C.
    #[arg(long, value_name = "SECONDS")]
    time: Option<u64>,
    /// Print a summary on standard output, as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Serves until the time is over, or until Ctrl-C.
pub fn run(options: &Options) -> ExitCode {
    match serve(options) {
        Ok((counters, interrupted)) => {
            report(&counters, options.json);
            ExitCode::from(if interrupted { 130 } else { 0 })
        }
        Err(error) => {
            eprintln!("tickgate-sim: {error}");
            ExitCode::from(2)
        }
    }
}

fn serve(options: &Options) -> std::io::Result<(Counters, bool)> {
    let stop = program::stop_on_signal()?;
    let (user, password) = (options.user.clone(), options.password.clone());
    let credentials = Credentials { user, password };
    let (session, faults) = (options.session, options.faults);
    let config = Config { session, credentials, faults, ..Config::default() };
    let server = Server::start(options.listen, config)?;
    eprintln!("OUCH 5.0 {}", server.address());
    let start = Instant::now();
    let is_over = || options.time.is_some_and(|time| start.elapsed() >= Duration::from_secs(time));
    while !stop.load(Ordering::Relaxed) && !is_over() {
        thread::sleep(LOOK);
    }
    Ok((server.counters(), stop.load(Ordering::Relaxed)))
}

fn report(counters: &Counters, as_json: bool) {
    let Counters { connections, logins, rejected_logins, broken_clients, dropped, .. } = counters;
    let Counters { orders, twice, replaces, cancels, queries, ignored, bad, .. } = counters;
    let Counters { refused, dead, slid, unasked, refreshed, crosses, trades, broken, .. } =
        counters;
    if as_json {
        let object = serde_json::json!({
            "connections": connections,
            "logins": logins,
            "rejected_logins": rejected_logins,
            "broken_clients": broken_clients,
            "dropped": dropped,
            "orders": orders,
            "twice": twice,
            "replaces": replaces,
            "cancels": cancels,
            "queries": queries,
            "ignored": ignored,
            "bad": bad,
            "refused": refused,
            "dead": dead,
            "slid": slid,
            "unasked": unasked,
            "refreshed": refreshed,
            "crosses": crosses,
            "trades": trades,
            "broken": broken,
        });
        println!("{object}");
        return;
    }
    eprintln!(
        "{orders} orders, {twice} of them twice, {replaces} replaces, {cancels} cancels, {queries} queries; \
         {ignored} ignored, {bad} bad, {refused} refused, {dead} dead on arrival, {slid} slid, \
         {unasked} ended unasked; {trades} trades, {broken} broken, {refreshed} parts refreshed, {crosses} crosses"
    );
    eprintln!(
        "{connections} connections, {logins} logins, {rejected_logins} rejected, {broken_clients} broken off, \
         {dropped} dropped"
    );
}
