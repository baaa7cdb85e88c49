"""Counts a process's network calls, and makes one of them go wrong.

A call is a request to the vault's agent, a login at a database, a statement there, or a request to AWS: what
the engines reach the world by. The calls are counted, not listed, so that a new one is covered by itself; a
new way to reach the world (`ENGINES_USE` is a test) needs one entry in `plant`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from bitwarden_vault import client
from bitwarden_vault.errors import NoAnswerInTime, OutcomeUnknown, Unreachable
from bitwarden_vault.operations import WRITES
from credential_rotation.engines.postgres import connection as postgres_connection
from credential_rotation.engines.postgres import login as postgres_login
from credential_rotation.engines.postgres import rotator as postgres
from credential_rotation.engines.postgres.connection import Connection, Lost, NoLogin, Refused

FAULTS = {
    "kill": "kill -9 before it is sent",
    "error": "it fails, and for certain nothing was done",
    "lost": "it is done, and the answer is lost",
    "hang": "it is not done, and nobody answers",
}
ENGINES_USE = frozenset({"psycopg", "boto3", "botocore"})

Call = Callable[..., Any]
_DEFERRED = "55000"  # any SQLSTATE that means "no" and nothing in particular


@dataclass
class Calls:
    """The calls of one case; `at` is 0 where nothing goes wrong."""

    at: int
    fault: str
    tell: Callable[[str], None]
    names: list[str] = field(default_factory=list)

    def plant(self) -> None:
        """Count from now on, in this process."""
        self._wrap(client, "ask", lambda given: f"vault {given[1]['operation']}", _Vault)
        for module in (postgres, postgres_login):
            self._wrap(module, "connect", lambda _: "database login", _Login)
        self._wrap(postgres_connection.Connection, "ask", _statement, _Statement)
        self._wrap(BaseClient, "_make_api_call", lambda given: f"aws {given[1]}", _Aws)

    def _wrap(
        self, owner: object, name: str, words: Callable[[tuple[Any, ...]], str], way: type[_Way]
    ) -> None:
        call: Call = getattr(owner, name)

        def counted(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the call takes and gives
            self.names.append(words(given))
            is_hit = len(self.names) == self.at
            if is_hit and self.fault == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            self.tell(self.names[-1])
            if not is_hit:
                return call(*given, **named)
            hurt = way(lambda: call(*given, **named), given)
            return {"error": hurt.error, "lost": hurt.lost, "hang": hurt.hang}[self.fault]()

        setattr(owner, name, counted)


def _statement(given: tuple[Any, ...]) -> str:
    """The statement's first two words; what stands in brackets differs from case to case."""
    words = given[1].as_string(None).partition("(")[0].split()
    return f"database {' '.join(words[:2])}"


@dataclass
class _Way:
    """How a call goes wrong, in the words of the library that makes it."""

    call: Callable[[], Any]
    given: tuple[Any, ...]

    def error(self) -> Any:  # noqa: ANN401 - as the call
        """For certain not done."""
        raise NotImplementedError

    def lost(self) -> Any:  # noqa: ANN401 - as the call
        """Done, and nobody is told."""
        self.call()
        return self.hang()

    def hang(self) -> Any:  # noqa: ANN401 - as the call
        """Whether it was done cannot be told."""
        raise NotImplementedError


class _Vault(_Way):
    def error(self) -> Any:  # noqa: ANN401 - as the call
        raise Unreachable("planted: not reached")

    def hang(self) -> Any:  # noqa: ANN401 - as the call
        is_write = self.given[1]["operation"] in WRITES
        raise (OutcomeUnknown if is_write else NoAnswerInTime)("planted: no answer")


class _Login(_Way):
    def error(self) -> Any:  # noqa: ANN401 - as the call
        raise NoLogin("planted: not reached")

    def lost(self) -> Any:  # noqa: ANN401 - as the call
        self.call().close()
        return self.error()

    hang = error


class _Statement(_Way):
    @property
    def _connection(self) -> Connection:
        connection: Connection = self.given[0]
        return connection

    def error(self) -> Any:  # noqa: ANN401 - as the call
        raise Refused(_DEFERRED)

    def hang(self) -> Any:  # noqa: ANN401 - as the call
        self._connection.close()
        raise Lost("planted: no answer")


class _Aws(_Way):
    def error(self) -> Any:  # noqa: ANN401 - as the call
        raise EndpointConnectionError(endpoint_url="https://planted.example")

    def hang(self) -> Any:  # noqa: ANN401 - as the call
        raise ReadTimeoutError(endpoint_url="https://planted.example")
