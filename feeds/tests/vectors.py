#!/usr/bin/env python3
"""Packs test vectors from the tables of the TotalView-ITCH 5.0 specification, independent of the decoder.

    python3 feeds/tests/vectors.py > feeds/tests/vectors.txt

A line is: bytes in hexadecimal, what the complete face must read (as Rust prints it), what the hot face
must read (kind order px qty aux side number flags time, or `refused AT`). Columns are separated by tabs.
"""
import random
import struct

# Field kinds: width in bytes and how Rust prints the value.
CODE, U16, U32, U64 = ("B", str), ("H", str), ("I", str), ("Q", str)
PRICE4 = ("I", lambda value: f"Price4({value})")
PRICE8 = ("Q", lambda value: f"Price8({value})")
SIDE = ("B", lambda value: {66: "Buy", 83: "Sell"}[value])


def text(width, wrap=None):
    def show(value):
        numbers = "[" + ", ".join(str(byte) for byte in value) + "]"
        return f"{wrap}({numbers})" if wrap else numbers

    return (f"{width}s", show)


STOCK, MPID, TWO, FOUR = text(8, "Stock"), text(4, "Mpid"), text(2), text(4)

# The message tables of the specification, in its order, after type, locate, tracking number and timestamp.
MESSAGES = {
    "S": ("SystemEvent", 12, [("event", CODE)]),
    "R": ("StockDirectory", 39, [
        ("stock", STOCK), ("market_category", CODE), ("financial_status", CODE), ("round_lot", U32),
        ("round_lots_only", CODE), ("issue_class", CODE), ("issue_subtype", TWO), ("authenticity", CODE),
        ("short_sale_threshold", CODE), ("ipo_flag", CODE), ("luld_tier", CODE), ("etp_flag", CODE),
        ("etp_leverage", U32), ("inverse", CODE)]),
    "H": ("StockTradingAction", 25, [
        ("stock", STOCK), ("state", CODE), ("reserved", CODE), ("reason", FOUR)]),
    "Y": ("RegSho", 20, [("stock", STOCK), ("action", CODE)]),
    "L": ("MarketParticipantPosition", 26, [
        ("mpid", MPID), ("stock", STOCK), ("primary_maker", CODE), ("mode", CODE), ("state", CODE)]),
    "V": ("MwcbDeclineLevels", 35, [("level_1", PRICE8), ("level_2", PRICE8), ("level_3", PRICE8)]),
    "W": ("MwcbStatus", 12, [("breached_level", CODE)]),
    "K": ("IpoQuotingPeriod", 28, [
        ("stock", STOCK), ("release_seconds", U32), ("qualifier", CODE), ("ipo_price", PRICE4)]),
    "J": ("LuldAuctionCollar", 35, [
        ("stock", STOCK), ("reference", PRICE4), ("upper", PRICE4), ("lower", PRICE4), ("extension", U32)]),
    "h": ("OperationalHalt", 21, [("stock", STOCK), ("market", CODE), ("action", CODE)]),
    "A": ("AddOrder", 36, [
        ("order", U64), ("side", SIDE), ("shares", U32), ("stock", STOCK), ("price", PRICE4)]),
    "F": ("AddOrderMpid", 40, [
        ("order", U64), ("side", SIDE), ("shares", U32), ("stock", STOCK), ("price", PRICE4),
        ("attribution", MPID)]),
    "E": ("OrderExecuted", 31, [("order", U64), ("shares", U32), ("match_number", U64)]),
    "C": ("OrderExecutedWithPrice", 36, [
        ("order", U64), ("shares", U32), ("match_number", U64), ("printable", CODE), ("price", PRICE4)]),
    "X": ("OrderCancel", 23, [("order", U64), ("shares", U32)]),
    "D": ("OrderDelete", 19, [("order", U64)]),
    "U": ("OrderReplace", 35, [("original", U64), ("order", U64), ("shares", U32), ("price", PRICE4)]),
    "P": ("Trade", 44, [
        ("order", U64), ("side", SIDE), ("shares", U32), ("stock", STOCK), ("price", PRICE4),
        ("match_number", U64)]),
    "Q": ("CrossTrade", 40, [
        ("shares", U64), ("stock", STOCK), ("price", PRICE4), ("match_number", U64), ("cross_type", CODE)]),
    "B": ("BrokenTrade", 19, [("match_number", U64)]),
    "I": ("NetOrderImbalance", 50, [
        ("paired", U64), ("imbalance", U64), ("direction", CODE), ("stock", STOCK), ("far", PRICE4),
        ("near", PRICE4), ("reference", PRICE4), ("cross_type", CODE), ("price_variation", CODE)]),
    "N": ("RetailInterest", 20, [("stock", STOCK), ("interest", CODE)]),
    "O": ("PriceDiscovery", 48, [
        ("stock", STOCK), ("open_eligible", CODE), ("min_price", PRICE4), ("max_price", PRICE4),
        ("near_price", PRICE4), ("near_time", U64), ("lower_collar", PRICE4), ("upper_collar", PRICE4)]),
}

# Values worth a vector of their own.
SPECIAL = {
    "S": [{"event": code} for code in b"OSQMEC"],
    "R": [{"stock": b"A       "}, {"stock": b"ABCDEFGH"}, {"stock": b"        "}, {"locate": 0}],
    "H": [{"state": code} for code in b"HPQT?"],
    "Y": [{"action": code} for code in b"012"],
    "W": [{"breached_level": code} for code in b"1230"],
    "h": [{"market": market, "action": action} for market in b"QBX" for action in b"HT"],
    "A": [{"side": ord("S")}, {"shares": 0, "price": 0}],
    "F": [{"side": ord("S")}],
    "C": [{"printable": code} for code in b"YN"],
    "Q": [{"shares": 0, "price": 0}, {"shares": 2**63 - 1}, {"shares": 2**63}],
}

STATES = {"T": 2, "H": 3, "P": 4, "Q": 5}


def event(kind, values):
    """What the engine is told: kind, order, px, qty, aux, side, flags; or the offset of a refused field."""
    get = values.get
    side = {66: "buy", 83: "sell"}.get(get("side"))
    order, price = get("order", 0), get("price", 0)
    shares, match = get("shares", 0), get("match_number", 0)
    if kind == "S":
        return ("session", 0, 0, 0, values["event"], None, 0)
    if kind == "R":
        if values["locate"] == 0:
            return 1
        if not values["stock"].strip(b" "):
            return 11
        return ("directory", 0, 4, values["round_lot"], int.from_bytes(values["stock"].rstrip(b" "), "little"), None, 0)
    if kind == "H":
        return ("state", 0, 0, 0, STATES.get(chr(values["state"]), 1), None, 0)
    if kind == "h" and values["market"] == ord("Q"):
        return ("venue_halt", 0, 0, 0, int(values["action"] != ord("T")), None, 0)
    if kind == "W":
        level = values["breached_level"] - ord("0")
        return ("market_halt", 0, 0, 0, level, None, 0) if 1 <= level <= 3 else 11
    if kind == "Y":
        return ("short_sale", 0, 0, 0, int(values["action"] != ord("0")), None, 0)
    if kind in "AF":
        return ("add", order, price, shares, 0, side, 0)
    if kind == "E":
        return ("execute", order, 0, shares, match, None, 0)
    if kind == "C":
        return ("execute_at", order, price, shares, match, None, 0 if values["printable"] == ord("Y") else 16)
    if kind == "X":
        return ("reduce", order, 0, shares, 0, None, 0)
    if kind == "D":
        return ("delete", order, 0, 0, 0, None, 0)
    if kind == "U":
        return ("replace", values["original"], price, shares, order, None, 0)
    if kind == "P":
        return ("trade", 0, price, shares, match, None, 0)
    if kind == "Q":
        return ("cross", 0, price, shares, match, None, 0) if shares < 2**63 else 11
    if kind == "B":
        return ("broken", 0, 0, 0, match, None, 0)
    return ("notice", 0, 0, 0, ord(kind), None, 0)


def pack(kind, values):
    name, length, fields = MESSAGES[kind]
    message = struct.pack(">BHH", ord(kind), values["locate"], values["tracking"])
    message += values["time"].to_bytes(6, "big")
    header = ", ".join(f"{field}: {values[field]}" for field in ("locate", "tracking", "time"))
    shown = [f"header: Header {{ {header} }}"]
    for field, (code, show) in fields:
        message += struct.pack(">" + code, values[field])
        shown.append(f"{field}: {show(values[field])}")
    assert len(message) == length, (kind, len(message))
    told = event(kind, values)
    if isinstance(told, int):
        told = f"refused {told}"
    else:
        *told, flags = told
        number = 0 if kind in "SW" else values["locate"]
        told = " ".join(str(part) for part in (*told, number, flags, values["time"]))
    print(message.hex(), f"{name}({name} {{ {', '.join(shown)} }})", told, sep="\t")


def draw(rng, field, code, edge):
    """A random value; the lowest or highest one if `edge` says so."""
    if field == "side":
        return rng.choice(b"BS")
    if code.endswith("s"):
        width = int(code[:-1])
        word = "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(rng.randint(1, width)))
        return word.ljust(width).encode()
    if code == "B":
        return rng.choice(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789")
    most = {"H": 2**16, "I": 2**32, "Q": 2**64}[code] - 1
    return {"low": 0, "high": most}.get(edge, rng.randint(0, most))


def main():
    rng = random.Random(50)
    for kind, (_, _, fields) in MESSAGES.items():
        plain = [{}, {}, {"edge": "low"}, {"edge": "high"}]
        for special in plain + SPECIAL.get(kind, []):
            edge = special.get("edge")
            values = {
                "locate": draw(rng, "locate", "H", edge),
                "tracking": draw(rng, "tracking", "H", edge),
                "time": {"low": 0, "high": 2**48 - 1}.get(edge, rng.randint(0, 86_400 * 10**9 - 1)),
            }
            for field, (code, _) in fields:
                values[field] = draw(rng, field, code, edge)
            pack(kind, values | {key: value for key, value in special.items() if key != "edge"})


main()
