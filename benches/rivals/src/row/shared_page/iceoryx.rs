//! iceoryx2: its blackboard, which holds the newest value of a key, and its publish-subscribe.

use std::error::Error;

use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::port::writer::EntryHandleMut;
use iceoryx2::prelude::*;

use super::{About, Read, Round, WORDS, Write, serve, whole};

type Page = [u64; WORDS];
type Ipc = ipc::Service;

const KEY: u64 = 0;

fn page(number: u64, stamp: u64) -> Page {
    let mut page = [number; WORDS];
    page[1] = stamp;
    page
}

struct Entry(EntryHandleMut<Ipc, u64, Page>);

impl Write for Entry {
    fn publish(&mut self, number: u64, stamp: u64) {
        self.0.update_with_copy(page(number, stamp));
    }
}

struct Sender(Publisher<Ipc, Page, ()>);

impl Write for Sender {
    fn publish(&mut self, number: u64, stamp: u64) {
        let _ = self.0.send_copy(page(number, stamp));
    }
}

/// Closures that own what their port needs.
struct ReadBy<F>(F);

impl<F: FnMut() -> Option<(u64, u64)>> Read for ReadBy<F> {
    fn read(&mut self) -> Option<(u64, u64)> {
        (self.0)()
    }
}

fn name(what: &str) -> String {
    format!("rivals/{what}/{}", std::process::id())
}

fn quiet() {
    set_log_level(LogLevel::Error);
}

/// A round by the blackboard.
pub fn blackboard(about: About, cpu: usize) -> Result<Round, String> {
    blackboard_round(about, cpu).map_err(|error| format!("not run: {error}"))
}

fn blackboard_round(about: About, cpu: usize) -> Result<Round, Box<dyn Error>> {
    quiet();
    let node = NodeBuilder::new().create::<Ipc>()?;
    let name = name("blackboard");
    let service = node
        .service_builder(&name.as_str().try_into()?)
        .blackboard_creator::<u64>()
        .add::<Page>(KEY, page(0, 0))
        .create()?;
    let writer = service.writer_builder().create()?;
    let mut entry = Entry(writer.entry::<Page>(&KEY)?);
    Ok(serve(about, cpu, ["blackboard", &name], &mut entry)?)
}

/// The partner's end of it.
///
/// Who waits for the next page looks at the entry's number alone until it is another, as ours does: copying the page at every
/// look would hold up the one that is written meanwhile.
pub fn blackboard_reader(name: &str, about: About) -> Result<impl Read, Box<dyn Error>> {
    quiet();
    let node = NodeBuilder::new().create::<Ipc>()?;
    let service = node.service_builder(&name.try_into()?).blackboard_opener::<u64>().open()?;
    let reader = service.reader_builder().create()?;
    let entry = reader.entry::<Page>(&KEY)?;
    let mut last = None;
    Ok(ReadBy(move || {
        let _ = (&node, &service, &reader);
        let found = |page: &Page| (page[0] > 0).then_some((page[0], page[1]));
        if about == About::Read {
            return found(whole::<Page>(&entry.get()));
        }
        if last.as_ref().is_some_and(|last| entry.is_up_to_date(last)) {
            return None;
        }
        found(whole::<Page>(last.insert(entry.get())))
    }))
}

/// A round by publish-subscribe.
pub fn pub_sub(about: About, cpu: usize) -> Result<Round, String> {
    pub_sub_round(about, cpu).map_err(|error| format!("not run: {error}"))
}

fn pub_sub_round(about: About, cpu: usize) -> Result<Round, Box<dyn Error>> {
    quiet();
    let node = NodeBuilder::new().create::<Ipc>()?;
    let name = name("pub-sub");
    let service = node
        .service_builder(&name.as_str().try_into()?)
        .publish_subscribe::<Page>()
        .open_or_create()?;
    let mut sender = Sender(service.publisher_builder().create()?);
    Ok(serve(about, cpu, ["pub-sub", &name], &mut sender)?)
}

/// The partner's end of it.
pub fn subscriber(name: &str) -> Result<impl Read, Box<dyn Error>> {
    quiet();
    let node = NodeBuilder::new().create::<Ipc>()?;
    let service = node.service_builder(&name.try_into()?).publish_subscribe::<Page>().open()?;
    let subscriber: Subscriber<Ipc, Page, ()> = service.subscriber_builder().create()?;
    Ok(ReadBy(move || {
        let _ = (&node, &service);
        let page: Page = *subscriber.receive().ok()??;
        let page = whole(&page);
        Some((page[0], page[1]))
    }))
}
