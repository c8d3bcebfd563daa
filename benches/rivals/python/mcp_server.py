"""One tool by the mcp package."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("rivals")


@server.tool()
def get_bbo(symbol: str) -> dict:
    """Best bid and ask of a symbol."""
    return {"symbol": symbol, "bid": "100.01", "bid_qty": 300, "ask": "100.02", "ask_qty": 500}


server.run()
