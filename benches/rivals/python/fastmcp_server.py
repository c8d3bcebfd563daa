"""One tool by the fastmcp package."""

from fastmcp import FastMCP

server = FastMCP("rivals")


@server.tool
def get_bbo(symbol: str) -> dict:
    """Best bid and ask of a symbol."""
    return {"symbol": symbol, "bid": "100.01", "bid_qty": 300, "ask": "100.02", "ask_qty": 500}


server.run(show_banner=False)
