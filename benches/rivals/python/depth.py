"""Binance depth updates: parsers alone, and the handlers of cryptofeed and ccxt with their own books."""

import sys

import rounds

MASK = (1 << 64) - 1
SYMBOL = "BTCUSDT"

with open(sys.argv[1]) as file:
    TEXTS = [line.strip() for line in file]


def touch(bests):
    """Folds the best bid and ask after each text, as integers: cents, and 1e-5 of a coin."""
    digest = 0
    for best in bests:
        digest = (digest << 5 | digest >> 59) & MASK
        for px, qty in best:
            px, qty = round(px * 100), round(qty * 100_000)
            qty = (qty << 32 | qty >> 32) & MASK
            digest = (digest ^ px ^ qty) * 0x0000_0100_0000_01B3 & MASK
    return digest


def parser(module):
    def make():
        loads = __import__(module).loads

        def work():
            for text in TEXTS:
                loads(text)

        return work, None

    return make


def cryptofeed():
    import asyncio
    from decimal import Decimal

    from cryptofeed.defines import ASK, BID
    from cryptofeed.exchanges.binance import Binance
    from cryptofeed.types import OrderBook
    from yapic import json

    class Feed(Binance):
        """The exchange without its connections: the handler is the package's."""

        def __init__(self):
            self._l2_book = {SYMBOL: OrderBook("BINANCE", SYMBOL, bids={}, asks={})}
            self.last_update_id = {SYMBOL: json.loads(TEXTS[0])["data"]["U"] - 1}
            self.bests = []

        def exchange_symbol_to_std_symbol(self, symbol):
            return symbol

        async def book_callback(self, book_type, book, *args, **kwargs):
            sides = (book.book[side] for side in (BID, ASK))
            self.bests.append([side.index(0) for side in sides if len(side)])

    async def all_of(feed):
        for text in TEXTS:
            await feed._book(json.loads(text, parse_float=Decimal)["data"], SYMBOL, 0.0)
        return feed.bests

    loop = asyncio.new_event_loop()
    return lambda: loop.run_until_complete(all_of(Feed())), touch


def ccxt():
    import json

    import ccxt.pro

    exchange = ccxt.pro.binance()

    def work():
        book, bests = exchange.order_book({}, 1_000_000), []
        for text in TEXTS:
            exchange.handle_order_book_message(None, json.loads(text)["data"], book)
            book.limit()
            bests.append([side[0] for side in (book["bids"], book["asks"]) if side])
        return bests

    return work, touch


rounds.serve({"json": parser("json"), "orjson": parser("orjson"), "cryptofeed": cryptofeed, "ccxt": ccxt})
