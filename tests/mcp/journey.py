#!/usr/bin/env python3
"""The whole journey of an agent, driven by the official Python client of the Model Context Protocol.

    pip install mcp
    cargo build --release -p sidecar
    cargo run --release -- demo                    # in another terminal; leave it running
    python3 tests/mcp/journey.py target/release/tickgate-mcp [--engine NAME] [--account NAME] [--legacy]

Lists the tools, reads a book, sends an order that passes and fills, one that rests, one that the gate refuses, cancels,
halts, and is refused after the halt. Prints each step; exit 0 if every one went as it must, 1 if not. It leaves the
engine halted: run it against a demo, never against an engine that somebody needs.
"""

import argparse
import asyncio
import json
import os
import sys
from decimal import Decimal

from mcp import Client, StdioServerParameters

TRIES = 20
TOOLS = {
    "book_depth", "engine_health", "instruments_find", "market_snapshot", "order_change", "order_check",
    "order_request", "orders_list", "portfolio_get", "risk_status", "trading_halt",
}


class Failed(Exception):
    """A step did not go as it must."""


def must(condition, what, body=None):
    if not condition:
        raise Failed(f"{what}\n{json.dumps(body, indent=2)}" if body is not None else what)


def told(step, *facts):
    print(f"{step:<22}", *facts, flush=True)


class Agent:
    """Calls tools and insists on the envelope that every answer must have."""

    def __init__(self, client, account):
        self.client = client
        self.account = account
        self.run = os.urandom(3).hex()
        self.orders = 0

    async def call(self, tool, **arguments):
        result = await self.client.call_tool(tool, arguments)
        body = result.structured_content
        must(isinstance(body, dict), f"{tool} gave no structured content")
        if "error" not in body:
            must({"as_of", "mode", "integrity"} <= body.keys(), f"{tool} lacks its stamp", body)
        return bool(result.is_error), body

    async def get(self, tool, **arguments):
        is_error, body = await self.call(tool, **arguments)
        must(not is_error, f"{tool} failed", body)
        return body

    def name(self):
        self.orders += 1
        return f"j{self.run}-{self.orders}"

    async def buy(self, symbol, qty, limit):
        return await self.call(
            "order_request", account=self.account, symbol=symbol, side="buy", qty=str(qty), limit=str(limit),
            client_request_id=self.name(), reason="journey",
        )


async def tradable(agent):
    """The most traded instrument that has a live book of two sides and passes the gate with one lot."""
    for attempt in range(TRIES):
        found = await agent.get("instruments_find", limit=20)
        ready = [i for i in found["instruments"]
                 if i["px_step"] and i["trading_state"] == "trading" and i["integrity"] == "live"]
        for instrument in ready:
            quotes = await agent.get("market_snapshot", symbols=[instrument["symbol"]])
            quote = quotes["quotes"][0]
            if not (quote["bid"] and quote["ask"]):
                continue
            check = await agent.get("order_check", account=agent.account, symbol=instrument["symbol"], side="buy",
                                    qty=instrument["lot"], limit=quote["ask"]["px"])
            if check["passes"]:
                return instrument
        await asyncio.sleep(1)
    raise Failed("no instrument can be traded")


async def fill(agent, symbol, lot):
    """Buys one lot at the offer; the market moves, so it may take several attempts."""
    for attempt in range(TRIES):
        book = await agent.get("book_depth", symbol=symbol)
        if not book["asks"]:
            await asyncio.sleep(0.5)
            continue
        is_error, body = await agent.buy(symbol, lot, book["asks"][-1]["px"])
        if is_error:
            told("  refused, again", [rule["rule"] for rule in body.get("failed", [])])
            await asyncio.sleep(0.5)
            continue
        must(body["status"] == "accepted" and body["order_id"], "an accepted order has a number", body)
        for look in range(TRIES):
            orders = await agent.get("orders_list", id=body["order_id"])
            order = orders["orders"][0]
            if order["state"] == "filled":
                return order
            await asyncio.sleep(0.05)
        await agent.get("order_change", order_id=body["order_id"], cancel=True, client_request_id=agent.name())
    raise Failed("no order filled")


async def journey(agent):
    tools = {tool.name: tool for tool in (await agent.client.list_tools()).tools}
    must(TOOLS <= tools.keys(), f"tools are missing: {TOOLS - tools.keys()}")
    for tool in tools.values():
        must(tool.output_schema and tool.annotations and tool.title, f"{tool.name} is not fully described")
    told("tools", len(tools), "listed, protocol", agent.client.protocol_version)

    health = await agent.get("engine_health")
    must(health["mode"] in ("paper", "replay"), "this script is for paper only", health)
    must(health["halt"] == "active", "the engine is halted already: start it anew", health)
    told("engine", health["engine"], "mode", health["mode"], "instruments", health["instruments"])

    if agent.account is None:
        portfolio = await agent.get("portfolio_get")
        names = [account["account"] for account in portfolio["accounts"]]
        agent.account = "agent" if "agent" in names else names[0]
    instrument = await tradable(agent)
    symbol, lot, step = instrument["symbol"], Decimal(instrument["lot"]), Decimal(instrument["px_step"])
    book = await agent.get("book_depth", symbol=symbol, levels=10)
    must(book["bids"] and book["asks"], "a book has two sides", book)
    told("book", symbol, book["bids"][0], book["asks"][0], "age", book["as_of"]["age_us"], "us")

    def position_of(portfolio):
        positions = portfolio["accounts"][0]["positions"]
        return Decimal(next((p["qty"] for p in positions if p["symbol"] == symbol), "0"))

    before = position_of(await agent.get("portfolio_get", account=agent.account))
    filled = await fill(agent, symbol, lot)
    after = position_of(await agent.get("portfolio_get", account=agent.account))
    must(after >= before + lot, f"the position went from {before} to {after}")
    told("fill", filled["filled_qty"], "at", filled["filled_avg_px"], "position", before, "->", after)

    # Far below the market: a buy may be as low as it likes.
    low = (Decimal(book["bids"][0]["px"]) * Decimal("0.9") / step).to_integral_value() * step
    is_error, rests = await agent.buy(symbol, lot, low)
    must(not is_error and rests["order"]["state"] in ("pending_new", "working"), "a low buy rests", rests)
    told("rest", rests["order_id"], "at", low, "queue ahead", rests["order"]["queue_ahead"])

    is_error, refused = await agent.buy(symbol, lot * 10_000_000, low)
    must(is_error and refused["status"] == "refused" and refused["failed"], "a huge order is refused", refused)
    told("refused", "; ".join(f"{rule['rule']}: {rule['fix']}" for rule in refused["failed"]))

    await agent.get("order_change", order_id=rests["order_id"], cancel=True, client_request_id=agent.name())
    for look in range(TRIES):
        cancelled = (await agent.get("orders_list", id=rests["order_id"]))["orders"][0]
        if cancelled["state"] == "cancelled":
            break
        await asyncio.sleep(0.1)
    must(cancelled["state"] == "cancelled", "a cancelled order is cancelled", cancelled)
    told("cancel", rests["order_id"], cancelled["state"])

    halt = await agent.get("trading_halt", scope="all", reason="end of the journey")
    told("halt", halt["status"], "-", halt["resume"])
    is_error, refused = await agent.buy(symbol, lot, low)
    rules = [rule["rule"] for rule in refused.get("failed", [])]
    must(is_error and "halted" in rules, "an order after a halt is refused", refused)
    told("refused after halt", rules)


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sidecar", help="path of tickgate-mcp")
    parser.add_argument("--engine", help="name of the engine; without it the only one running")
    parser.add_argument("--account", help="account to trade on; without it 'agent' or the first")
    parser.add_argument("--legacy", action="store_true", help="speak the protocol as up to 2025-11-25")
    options = parser.parse_args()
    arguments = ["--engine", options.engine] if options.engine else []
    # The client starts the sidecar with a bare environment; the engine's socket may lie in this folder.
    kept = {name: os.environ[name] for name in ("XDG_RUNTIME_DIR", "TMPDIR") if name in os.environ}
    server = StdioServerParameters(command=options.sidecar, args=arguments, env=kept)
    async with Client(server, mode="legacy" if options.legacy else "auto") as client:
        await journey(Agent(client, options.account))
    print("every step went as it must")


def leaves(error):
    """The errors in a group of groups."""
    return [leaf for inner in error.exceptions for leaf in leaves(inner)] if isinstance(error, ExceptionGroup) else [error]


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except* Failed as failures:
        for failure in leaves(failures):
            print(f"FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
