#!/usr/bin/env python3
"""Packs test vectors from the tables of the IEX DEEP and TOPS specifications, independent of the decoder.

    python3 feeds/tests/iex_session/iex_vectors.py > feeds/tests/iex_session/iex_vectors.txt

A line is: a message in hexadecimal, then what a new feed must say of it, events apart by `;` (kind px qty aux side flags,
the directory first), or `bad`. The columns are separated by a tab. Some messages are longer than the specification says:
they may grow.
"""
import random
import struct

TIME = 1_700_000_000_123_456_789
COMPLETE, LAST = 2, 1
STATES = {"T": 2, "H": 3, "P": 4, "O": 5}


def named(symbol, lot=0):
    return f"directory 4 {lot} {int.from_bytes(symbol.rstrip(b' '), 'little')} None 0"


def event(kind, px=0, qty=0, aux=0, side=None, flags=0):
    return f"{kind} {px} {qty} {aux} {side} {flags}"


def level(side, px, qty, flags):
    return event("level", px, qty, 0, side, flags)


def show(message, *events):
    print(message.hex(), ";".join(events), sep="\t")


def front(kind, code, symbol=None):
    head = struct.pack("<BBq", ord(kind), code, TIME)
    return head if symbol is None else head + symbol


def main():
    rng = random.Random(16)

    def symbol():
        letters = "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ.-+^=#") for _ in range(rng.randint(1, 8)))
        return letters.ljust(8).encode()

    def tail():
        return rng.randbytes(rng.choice([0, 0, 1, 9]))

    for code in b"OSRMEC":
        show(front("S", code) + tail(), event("session", aux=code, flags=LAST))
    for lot in [0, 1, 100, 2**32 - 1]:
        name = symbol()
        message = front("D", 0x80, name) + struct.pack("<IqB", lot, rng.randint(1, 2**40), 1)
        show(message + tail(), named(name, lot), event("notice", aux=ord("D"), flags=LAST))
    for code in b"THPO?":
        name = symbol()
        state = STATES.get(chr(code), 1)
        show(front("H", code, name) + b"NA  " + tail(), named(name), event("state", aux=state, flags=LAST))
    for code in b"ON?":
        name = symbol()
        halted = int(code != ord("N"))
        show(front("O", code, name) + tail(), named(name), event("venue_halt", aux=halted, flags=LAST))
    for code in [0, 1]:
        name = symbol()
        message = front("P", code, name) + b"A" + tail()
        show(message, named(name), event("short_sale", aux=code, flags=LAST))
    for kind, length in [("I", 0), ("E", 0), ("X", 8), ("A", 62)]:
        for code in b"OC AB":
            name = symbol()
            message = front(kind, code, name) + rng.randbytes(length) + tail()
            show(message, named(name), event("notice", aux=ord(kind), flags=LAST))
    for kind, side in [("8", "buy"), ("5", "sell")]:
        for code, flags in [(0, LAST), (1, LAST | COMPLETE), (0x81, LAST | COMPLETE), (0xFE, LAST)]:
            for size in [0, 1, 2**32 - 1, rng.randint(1, 10**6)]:
                name = symbol()
                px = rng.choice([1, 2**63 - 1, rng.randint(1, 10**8)])
                message = front(kind, code, name) + struct.pack("<Iq", size, px) + tail()
                show(message, named(name), level(side, px, size, flags))
        for px in [0, -1, -(2**63)]:
            show(front(kind, 1, symbol()) + struct.pack("<Iq", 5, px), "bad")
    for code in range(0, 256, 8):
        name = symbol()
        size, px, number = rng.randint(1, 2**32 - 1), rng.randint(1, 2**40), rng.randint(0, 2**63)
        message = front("T", code, name) + struct.pack("<IqQ", size, px, number) + tail()
        kind = "cross" if code & 0x08 else "trade"
        show(message, named(name), event(kind, px, size, number, flags=LAST))
        message = front("B", code, name) + struct.pack("<IqQ", size, px, number) + tail()
        show(message, named(name), event("broken", aux=number, flags=LAST))
    for bid, ask in [((5, 100), (0, 0)), ((0, 0), (7, 20)), ((5, 100), (7, 20)), ((0, 0), (0, 0))]:
        name = symbol()
        message = front("Q", 0x40, name) + struct.pack("<Iqq", bid[1], bid[0], ask[0]) + struct.pack("<I", ask[1])
        sides = [("buy", *bid), ("sell", *ask)]
        sides = [(side, px, qty) for side, px, qty in sides if qty]
        told = [level(*side, LAST | COMPLETE if side == sides[-1] else 0) for side in sides]
        show(message + tail(), named(name), *(told or [event("notice", aux=ord("Q"), flags=LAST)]))
    lengths = {"S": 10, "D": 31, "H": 22, "O": 18, "P": 19, "I": 18, "E": 18, "X": 26, "A": 80, "8": 30, "5": 30,
               "T": 38, "B": 38, "Q": 42}
    for kind, length in lengths.items():
        for short in [1, length // 2, length - 1]:
            whole = front(kind, 1, symbol()) + b"\1\0\0\0\1\0\0\0" + b"\0" * 80
            show(whole[:short], "bad")
    show(b"", "bad")


main()
