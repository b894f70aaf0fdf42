"""The official Python client whose server wants a sign-in; the same words and the same reports as client_sign_in.mjs.

    client_sign_in.py stdio --call TOOL JSON -- COMMAND [ARGUMENT...]
"""

import asyncio
import json
import os
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

from client import arguments, first
from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client

LIMIT_SECONDS = 60


def text(result: types.CallToolResult) -> dict[str, Any]:
    parts = [part.text for part in result.content if part.type == "text"]
    return {"text": "\n".join(parts), "is_error": bool(result.is_error)}


def report(**facts: Any) -> None:
    print(json.dumps({"client": "python", **facts}), flush=True)


async def names(session: ClientSession) -> list[str]:
    return [tool.name for tool in (await session.list_tools()).tools]


async def run(what: Any) -> None:
    changed = asyncio.Event()

    async def hear(message: object) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            changed.set()

    command, *rest = what.command
    program = StdioServerParameters(command=command, args=rest, env={"KEYBEARER_HOME": os.environ["KEYBEARER_HOME"]})
    async with AsyncExitStack() as stack:
        start = time.perf_counter()
        reading, writing = await stack.enter_async_context(stdio_client(program))
        limit = LIMIT_SECONDS
        session = await stack.enter_async_context(
            ClientSession(reading, writing, read_timeout_seconds=limit, message_handler=hear)
        )
        await session.initialize()
        report(handshake_ms=(time.perf_counter() - start) * 1000, tools=await names(session))
        signed_in = text(await session.call_tool("sign_in", {}))
        async with asyncio.timeout(limit):
            await changed.wait()
        tools = await names(session)
        results = [text(await session.call_tool(tool, json.loads(values))) for tool, values in what.call]
        report(ok=True, sign_in=signed_in, tools=tools, results=results)


if __name__ == "__main__":
    try:
        asyncio.run(run(arguments()))
    except Exception as error:  # whatever it was, it belongs into the report
        report(ok=False, error=str(first(error)) or repr(first(error)))
        sys.exit(1)
