"""The official Python client, over Streamable HTTP or starting its server.

    client.py http URL [--call TOOL JSON]...
    client.py stdio [--call TOOL JSON]... -- COMMAND [ARGUMENT...]

Settings: HEADER (`Name: value`, sent with every request). Prints one line of JSON; ends with 0 when all went well.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client


def arguments() -> argparse.Namespace:
    words, command = sys.argv[1:], []
    if "--" in words:
        end = words.index("--")
        words, command = words[:end], words[end + 1 :]
    parser = argparse.ArgumentParser()
    parser.add_argument("transport", choices=["http", "stdio"])
    parser.add_argument("url", nargs="?")
    parser.add_argument("--call", nargs=2, action="append", default=[], metavar=("TOOL", "JSON"))
    parsed = parser.parse_args(words)
    parsed.command = command
    return parsed


async def server(what: argparse.Namespace, stack: AsyncExitStack) -> Any:
    if what.transport == "stdio":
        command, *rest = what.command
        home = {name: os.environ[name] for name in ["KEYBEARER_HOME"] if name in os.environ}
        return StdioServerParameters(command=command, args=rest, env=home)
    name, _, value = os.environ.get("HEADER", "").partition(":")
    headers = {name: value.strip()} if name else {}
    http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=120))
    return streamable_http_client(what.url, http_client=http)


async def use(client: Client, tool: str, values: str) -> dict[str, Any]:
    steps = 0

    async def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    result = await client.call_tool(tool, json.loads(values), read_timeout_seconds=120, progress_callback=count)
    text = "\n".join(part.text for part in result.content if part.type == "text")
    return {"tool": tool, "text": text, "is_error": bool(result.is_error), "progress": steps}


async def run(what: argparse.Namespace) -> dict[str, Any]:
    report: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Client(await server(what, stack)))
        report["server"] = client.server_info.name if client.server_info else None
        report["tools"] = [tool.name for tool in (await client.list_tools()).tools]
        report["results"] = [await use(client, tool, values) for tool, values in what.call]
    return report


def first(error: BaseException) -> BaseException:
    """Task groups wrap what went wrong."""
    return first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def print_report(library: str, use: Callable[[], dict[str, Any]]) -> None:
    """Prints what came of it, and ends."""
    try:
        report = {"library": library, "ok": True, **use()}
    except Exception as error:  # whatever it was, it belongs into the report
        cause = first(error)
        report = {"library": library, "ok": False, "error": str(cause) or repr(cause), "code": getattr(cause, "code", None)}
    print(json.dumps(report), flush=True)
    sys.exit(0 if report["ok"] else 1)


if __name__ == "__main__":
    print_report("mcp", lambda: asyncio.run(run(arguments())))
