"""The page's app for Airflow to mount, made at its first request.

Rules this file keeps:
- Importing it imports no web framework: every Airflow process loads plugins, and one serves pages.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class CredentialsApp:
    """An ASGI application."""

    def __init__(self) -> None:
        self._app: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._app is None:
            from credential_rotation.ui.api import make_app  # noqa: PLC0415 - FastAPI, in the api-server alone

            self._app = make_app()
        await self._app(scope, receive, send)
