//! What goes out to the venue, and what is given back instead.

use super::*;

/// Goal: a change that makes a plain sale a short one never leaves. Method: each mark, and each that the change would need.
#[test]
fn changes_keep_the_mark() {
    for (was_short, is_short) in [(false, false), (true, false), (true, true), (false, true)] {
        let mut rig = Rig::new(Vec::new());
        rig.connects(&[], 1);
        let sale = Order { side: Side::Sell, ..order(Tif::Day, Conditions::NONE) };
        was_short.then(|| rig.ouch.mark_short(ORDER, 0));
        is_short.then(|| rig.ouch.mark_short(ORDER, 1));
        rig.ouch.enter(&sale);
        rig.ouch.book.chain(ORDER).unwrap().accepted = true;
        rig.told();
        rig.ouch.replace(&sale, 1);
        let back = rig.reports().iter().map(|told| (told.kind, told.change)).collect::<Vec<_>>();
        let lost = [(ReportKind::NotSent, 1)];
        assert_eq!(back, if is_short && !was_short { &lost[..] } else { &[] });
    }
}

/// Goal: what is not sent is no sign of life for the venue. Method: a cancel of what is not there, and of everything.
#[test]
fn only_what_is_sent_is_a_sign_of_life() {
    let mut rig = Rig::new(Vec::new());
    rig.connects(&[], 1);
    let (wake, later) = (rig.ouch.wake_at(), Ts(rig.now.0 + 900_000_000));
    rig.ouch.send(Send::Cancel(ORDER, 1), later);
    assert_eq!((rig.ouch.cancel_all(later), rig.ouch.wake_at()), (0, wake));
}

/// What is asked, and what goes out: time in force and cross, options of the order, options of its new terms.
type Row<'a> = (Tif, Conditions, &'a [u8; 2], &'a [u8], &'a [u8]);

/// Goal: each time in force and condition goes out as the venue knows it, in an order and in its new terms, and what it does not
/// know is given back. Method: time in force, cross and options of what is sent.
#[test]
fn said_to_the_venue() {
    let plain = Conditions::NONE;
    let shows = |display| Conditions { display: Qty(display), ..plain };
    let only = Conditions { post_only: true, ..plain };
    let both = Conditions { post_only: true, ..shows(40) };
    let whole = b"\x05\x03\0\0\0\x64";
    let all = b"\x05\x05\0\0\0\0";
    let part = b"\x05\x05\0\0\0\x28";
    let post = b"\x02\x0CP";
    let rows: [Row<'_>; 10] = [
        (Tif::Day, plain, b"0N", b"", b""),
        (Tif::Gtd, plain, b"0N", b"", b""),
        (Tif::Ioc, plain, b"3N", b"", b""),
        (Tif::Fok, plain, b"3N", whole, whole),
        (Tif::AtOpen, plain, b"3O", b"", b""),
        (Tif::AtClose, plain, b"3C", b"", b""),
        (Tif::Day, only, b"0N", post, post),
        (Tif::Day, shows(40), b"0N", part, part),
        (Tif::Day, shows(100), b"0N", b"", all),
        (Tif::Day, both, b"0N", &[&part[..], post].concat(), &[&part[..], post].concat()),
    ];
    let list = |options: &[u8]| [&[0, options.len() as u8][..], options].concat();
    for (tif, conditions, [time, cross], entered, changed) in rows {
        let mut rig = Rig::new(Vec::new());
        rig.connects(&[], 1);
        rig.sent.clear();
        let order = order(tif, conditions);
        rig.ouch.enter(&order);
        rig.turn();
        assert_eq!([rig.sent[29], rig.sent[33]], [*time, *cross], "{tif:?}");
        assert_eq!(rig.sent[48..], list(entered), "{tif:?} {conditions:?}");
        rig.says(&accepted(ORDER, 1, 100));
        rig.sent.clear();
        rig.ouch.replace(&order, 1);
        rig.turn();
        assert_eq!((rig.sent[24], &rig.sent[41..]), (*time, &list(changed)[..]), "{tif:?}");
    }
    let mut rig = Rig::new(Vec::new());
    rig.connects(&[], 1);
    rig.told();
    for order in [order(Tif::Gtc, plain), order(Tif::Day, shows(1_000_000))] {
        rig.ouch.enter(&order);
        assert_eq!(rig.reports()[0].kind, ReportKind::NotSent);
    }
}
