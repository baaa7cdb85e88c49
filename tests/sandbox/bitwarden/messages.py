"""Requests and replies as the endpoints see them, and the error bodies of the real API.

A reply carries its own `commit`: an endpoint looks, decides and stamps, but writes nothing. So a fault can
fall before the commit, after it, or let it land late.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs

JSON = "application/json; charset=utf-8"
Delivery = Literal["whole", "cut", "drop", "hang"]


def nothing() -> None:
    """The commit of a reply that changes nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; its body is never logged."""

    verb: str
    path: str
    query: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def parameter(self, name: str) -> str | None:
        """One query parameter."""
        return _first(self.query, name)

    def form(self, name: str) -> str | None:
        """One field of a form body."""
        return _first(self.body.decode("latin-1"), name)


def _first(encoded: str, name: str) -> str | None:
    return parse_qs(encoded).get(name, [None])[0]


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back, how much of it, and what it makes true."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    commit: Callable[[], None] = nothing
    delivery: Delivery = "whole"


class Refused(Exception):
    """An endpoint says no."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def encode(body: Any) -> bytes:  # noqa: ANN401  # any JSON
    """JSON as the server writes it: without blanks."""
    return json.dumps(body, separators=(",", ":")).encode()


def answer(body: Any, commit: Callable[[], None] = nothing) -> Reply:  # noqa: ANN401  # any JSON
    """200 with a JSON body."""
    return Reply(200, encode(body), commit=commit)


def error(status: int, message: str, fields: dict[str, list[str]] | None = None) -> Reply:
    """The API's error body."""
    body = {
        "message": message,
        "validationErrors": fields,
        "exceptionMessage": None,
        "exceptionStackTrace": None,
        "innerExceptionMessage": None,
        "object": "error",
    }
    return Reply(status, encode(body))


def not_found() -> Refused:
    """Unknown, deleted and forbidden all look like this."""
    return Refused(error(404, "Resource not found."))


def invalid(fields: dict[str, list[str]]) -> Refused:
    """400 that names the fields."""
    return Refused(error(400, "The model state is invalid.", fields))
