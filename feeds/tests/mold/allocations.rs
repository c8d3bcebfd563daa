//! Nothing is allocated for a packet or a message, in order or not, by lines or by a connection.

use std::alloc::System;

use feeds::session::SessionId;
use feeds::session::arbiter::Line;
use feeds::session::channel::{Channel, ChannelOptions};
use feeds::session::glimpse::GlimpseOptions;
use feeds::session::mold::PacketWriter;
use feeds::session::soup::{Login, server};
use feeds::session::soup_feed::{SoupFeed, SoupFeedOptions};
use host::{Counting, allocations};
use model::{FeedId, Side, Ts};

use crate::day::add;

#[global_allocator]
static ALLOCATOR: Counting<System> = Counting(System);

/// Goal: a channel allocates when it is made, and never for a packet. Method: count through thousands of
/// packets in order, doubled, swapped, lost, and waiting for a snapshot that never comes.
#[test]
fn none() {
    let mut writer = PacketWriter::new(SessionId(*b"0000000001"), 5_000, 1_400);
    let message = add(1, 5, 1, Side::Buy, 100, 10_000);
    let packets: Vec<Vec<u8>> = (0..4_000)
        .map(|_| {
            (0..10).for_each(|_| assert!(writer.push(&message)));
            let packet = writer.packet().to_vec();
            writer.restart();
            packet
        })
        .collect();
    let login = Login::new("u", "p").unwrap();
    for glimpse in [None, Some(GlimpseOptions::new(login))] {
        let mut options = ChannelOptions::new(FeedId(0), Ts(0));
        options.glimpse = glimpse;
        options.bridge_bytes_max = 30_000;
        options.arbiter.request_timeout_ns = 2_000_000;
        let mut channel = Channel::new(options);
        let (mut events, mut now) = (0_u64, 0);
        let before = allocations();
        for (place, pair) in packets.chunks(2).enumerate() {
            let order = [0, 1, 1, 0, 0, 1];
            let order = if place % 3 == 0 { &order[2..] } else { &order[..2] };
            for which in order.iter().filter(|_| place % 100 != 99) {
                now += 100_000;
                let line = if *which == 0 { Line::A } else { Line::B };
                channel.on_datagram(line, &pair[*which], Ts(now), &mut |_| events += 1);
                channel.on_time(Ts(now), &mut |_| events += 1);
                while channel.next_action().is_some() {}
            }
        }
        assert_eq!(allocations() - before, 0);
        let counters = channel.counters();
        assert!(counters.lost > 0 && channel.arbiter_counters().held > 100);
        assert_eq!(counters.overflows > 1, glimpse.is_some());
        assert!(glimpse.is_some() || events > 1_000);
    }
}

/// Goal: a feed over a connection allocates for the first messages that segments cut, and never again. Method: count
/// through thousands of segments of any size.
#[test]
fn none_over_a_connection() {
    let options = SoupFeedOptions::new(FeedId(0), Ts(0), Login::new("u", "p").unwrap());
    let mut feed = SoupFeed::new(options);
    let mut events = 0_u64;
    feed.on_time(Ts(1), &mut |_| events += 1);
    while feed.next_action().is_some() {}
    feed.on_opened(Ts(1));
    let mut bytes = Vec::new();
    server::accepted(SessionId(*b"0000000001"), 1, &mut bytes);
    let message = add(1, 5, 1, Side::Buy, 100, 10_000);
    for number in 0..40_000 {
        server::sequenced(&message, &mut bytes);
        if number % 100 == 0 {
            bytes.extend_from_slice(&server::HEARTBEAT);
        }
    }
    let mut before = 0;
    for (place, segment) in bytes.chunks(47).enumerate() {
        if place == 1_000 {
            before = allocations();
        }
        let now = Ts(2 + place as u64);
        feed.on_bytes(segment, now, &mut |_| events += 1);
        feed.on_time(now, &mut |_| events += 1);
        while feed.next_action().is_some() {}
    }
    assert_eq!(allocations() - before, 0);
    assert!(before > 0 && events > 40_000 && feed.counters().messages == 40_000);
}
