use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use feeds::session::SessionId;
use feeds::session::soup::server;
use model::{HaltCause, Instrument, InstrumentId, Mode, OrderId, Symbol};

use super::*;
use crate::config::{OuchConfig, Wait};
use crate::gateway::ends::ends;
use crate::gateway::ouch::Name;

const PATIENCE: Duration = Duration::from_secs(60);

fn config(address: SocketAddr, on_stall: OnStall) -> Config {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let files = Config::NAMES.map(|name| (PathBuf::from(name), read(name)));
    let config = Config::from_texts(files.into()).unwrap();
    let mut engine = config.engine.clone();
    engine.mode = Mode::Live;
    engine.capacity.instruments = 4;
    engine.capacity.book_orders = 64;
    engine.capacity.levels = 64;
    engine.capacity.ref_pages = 1;
    engine.capacity.own_orders = 8;
    engine.capacity.client_ids = 8;
    let gateway = GatewayConfig::Ouch(OuchConfig {
        address,
        user: "t".into(),
        password_env: None,
        session: None,
        capacity: TradeCapacity::Agency,
        on_stall,
        firms: Vec::new(),
    });
    let plain = VenueConfig::plain(1_000_000_000, 64, address);
    engine.venue = Some(VenueConfig { gateway, ..plain });
    Config { engine, ..config }
}

/// The next connection, logged in; `said` is what the venue is going to say as its first messages.
fn logs_in(listener: &TcpListener, said: u64) -> TcpStream {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut login = [0; 49];
    stream.read_exact(&mut login).unwrap();
    let asked = login[48];
    let mut out = Vec::new();
    let next = if asked == b'0' { said + 1 } else { u64::from(asked - b'0') };
    server::accepted(SessionId(*b"SESSION001"), next, &mut out);
    stream.write_all(&out).unwrap();
    stream
}

fn accepted(order: OrderId, refnum: u32) -> Vec<u8> {
    let (name, px) = (Name::of(order, 0).0, 10_000_u64.to_be_bytes());
    let head = [&b"A"[..], &[0; 8], &refnum.to_be_bytes(), b"B", &100_u32.to_be_bytes()].concat();
    [&head[..], b"AAPL    ", &px, b"0Y", &[0; 8], b"ANNL", &name, &[0, 0]].concat()
}

/// Runs a gateway with an order at the venue, and halts everything because of `cause`, the engine thread standing still or not;
/// the cancels that the venue hears then.
fn halted(on_stall: OnStall, cause: HaltCause, stalled: bool) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = config(listener.local_addr().unwrap(), on_stall);
    let venue = config.engine.venue.as_ref().unwrap();
    let engine = Engine::new(&config).unwrap();
    let (to_gateway, end) = ends(8);
    let progress = Arc::new(Progress::default());
    let given = (Waiter::new(Wait::Park), Ts(1_790_000_000_000_000_000), &progress);
    let mut gateway = GatewayThread::new(&config, venue, &engine, end, given).unwrap();
    let symbol = Symbol::new("AAPL").unwrap();
    let id = InstrumentId(0);
    gateway.ouch.list(Instrument { id, symbol, px_decimals: 4, ..Instrument::default() });
    let mut to_gateway = to_gateway;
    let thread = std::thread::spawn(move || gateway.run());

    drop(logs_in(&listener, 1));
    let mut stream = logs_in(&listener, 1);
    let mut out = Vec::new();
    server::sequenced(&accepted(OrderId(1 << 20), 7), &mut out);
    stream.write_all(&out).unwrap();
    let since = Instant::now();
    let mut told = Vec::new();
    while !told.contains(&Told::Control(model::Control::VenueSession(true))) {
        assert!(since.elapsed() < PATIENCE);
        told.extend(to_gateway.hear());
    }
    progress.halt.set(Some((HaltLevel::Halted, cause)));
    progress.stalled.store(stalled, Ordering::Release);
    // A heartbeat of the gateway's is as good as the end: nothing comes before it.
    let mut heard = Vec::new();
    let mut packet = [0; 3];
    while stream.read_exact(&mut packet).is_ok() && packet[2] != b'R' {
        let mut rest = vec![0; usize::from(u16::from_be_bytes([packet[0], packet[1]])) - 1];
        stream.read_exact(&mut rest).unwrap();
        heard.extend_from_slice(&rest);
    }
    drop(to_gateway);
    thread.join().unwrap();
    heard
}

/// Goal: while everything is halted because the engine thread stands still, the gateway itself cancels what is open, once, if
/// it is told to, whoever halted first; on any other halt it leaves that to the engine. Method: a venue by hand, an engine thread
/// that does nothing.
#[test]
fn cancels_for_an_engine_that_stands_still() {
    let cancel = [b'X', 0, 0, 0, 7, 0, 0, 0, 0, 0, 0];
    assert_eq!(halted(OnStall::Cancel, HaltCause::Heartbeat, true), cancel);
    assert_eq!(halted(OnStall::Cancel, HaltCause::Human, true), cancel);
    assert!(halted(OnStall::Keep, HaltCause::Heartbeat, true).is_empty());
    assert!(halted(OnStall::Cancel, HaltCause::Human, false).is_empty());
}
