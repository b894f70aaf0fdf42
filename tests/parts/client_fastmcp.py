"""PyPI `fastmcp` as a client; the same words and the same report as client.py."""

import asyncio
import json
import os
from datetime import timedelta
from typing import Any

from client import arguments, print_report
from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport

LONGEST = timedelta(seconds=120)


def transport(what: Any) -> StdioTransport | StreamableHttpTransport:
    if what.transport == "stdio":
        command, *rest = what.command
        home = {name: os.environ[name] for name in ["KEYBEARER_HOME"] if name in os.environ}
        return StdioTransport(command=command, args=rest, env=home)
    name, _, value = os.environ.get("HEADER", "").partition(":")
    return StreamableHttpTransport(what.url, headers={name: value.strip()} if name else {})


async def use(client: Client, tool: str, values: str) -> dict[str, Any]:
    steps = 0

    async def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    result = await client.call_tool_mcp(tool, json.loads(values), timeout=LONGEST, progress_handler=count)
    text = "\n".join(part.text for part in result.content if part.type == "text")
    return {"tool": tool, "text": text, "is_error": bool(result.is_error), "progress": steps}


async def run() -> dict[str, Any]:
    what = arguments()
    async with Client(transport(what)) as client:
        tools = [tool.name for tool in await client.list_tools()]
        return {"tools": tools, "results": [await use(client, tool, values) for tool, values in what.call]}


if __name__ == "__main__":
    print_report("fastmcp", lambda: asyncio.run(run()))
