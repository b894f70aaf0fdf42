"""An MCP server on PyPI `mcp` that asks the issuer about each token (RFC 7662), which may be opaque.

Settings: ISSUER, INTROSPECT_AS (`id:secret`), PORT (0), SERVED_AS (`/opaque/mcp`).
Prints one JSON line when it is ready; ends on SIGTERM or when its standard input closes.
"""

import asyncio
import json
import os
import socket
import sys
import threading

import httpx2
import uvicorn
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import Context, MCPServer
from pydantic import AnyHttpUrl

SCOPE = "mcp:tools"


class Introspection(TokenVerifier):
    """Accepts what the issuer calls active and made for this resource."""

    def __init__(self, issuer: str, credentials: str, resource: str) -> None:
        self.issuer, self.resource = issuer, resource
        self.credentials = tuple(credentials.split(":", 1))

    async def verify_token(self, token: str) -> AccessToken | None:
        async with httpx2.AsyncClient(auth=self.credentials) as issuer:
            metadata = (await issuer.get(f"{self.issuer}/.well-known/openid-configuration")).json()
            reply = await issuer.post(metadata["introspection_endpoint"], data={"token": token})
        claims = reply.json()
        if not claims.get("active") or claims.get("aud") != self.resource:
            return None
        return AccessToken(
            token=token,
            client_id=claims["client_id"],
            scopes=claims.get("scope", "").split(),
            expires_at=claims.get("exp"),
            resource=claims["aud"],
            subject=claims.get("sub"),
        )


def tools(server: MCPServer) -> None:
    @server.tool()
    def echo(text: str) -> str:
        """Returns the text."""
        return text

    @server.tool()
    def add(a: int, b: int) -> int:
        """Adds two whole numbers."""
        return a + b

    @server.tool()
    async def slow_count(to: int, context: Context, pause: float = 0.0) -> str:
        """Counts up, reports each step as progress, and waits `pause` seconds before each."""
        for step in range(1, to + 1):
            await asyncio.sleep(pause)
            await context.report_progress(step, to, f"{step} of {to}")
        return f"counted to {to}"


def end_with_starter(server: uvicorn.Server) -> None:
    def wait() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        server.should_exit = True

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    listener = socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "0"))))
    port = listener.getsockname()[1]
    issuer, path = os.environ["ISSUER"], os.environ.get("SERVED_AS", "/opaque/mcp")
    resource = f"http://127.0.0.1:{port}{path}"
    server = MCPServer(
        "introspecting",
        log_level="WARNING",
        token_verifier=Introspection(issuer, os.environ["INTROSPECT_AS"], resource),
        auth=AuthSettings(
            issuer_url=AnyHttpUrl(issuer),
            required_scopes=[SCOPE],
            resource_server_url=AnyHttpUrl(resource),
            validate_token_resource=True,
        ),
    )
    tools(server)
    app = server.streamable_http_app(streamable_http_path=path)
    http = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    end_with_starter(http)
    print(json.dumps({"ready": "introspecting_server", "pid": os.getpid(), "port": port, "url": resource}), flush=True)
    http.run(sockets=[listener])


if __name__ == "__main__":
    main()
