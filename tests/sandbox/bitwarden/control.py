"""What the controlling side may ask of the server: one JSON line in, one out, over stdin and stdout.

It speaks for "a person in the web vault" and for the test that wants something broken. Whatever is secret
arrives encrypted.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any
from uuid import uuid4

from sandbox.bitwarden.faults import Fault
from sandbox.bitwarden.fields import PROJECT_LIMITS, SECRET_LIMITS, enc_strings
from sandbox.bitwarden.messages import Refused
from sandbox.bitwarden.service import Service
from sandbox.bitwarden.store import Level, ProjectRow, SecretRow, TokenRow


class Control:
    """The requests by name; each method is one."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._store = service.store

    def obey(self, line: bytes) -> bytes:
        """Do what the line says and say how it went."""
        asked = json.loads(line)
        try:
            wish: Callable[..., object] = getattr(self, asked["do"])
            answer: dict[str, object] = {"ok": wish(**asked["with"])}
        except Refused as refused:
            answer = {"error": refused.reply.body.decode()}
        except (AttributeError, KeyError, TypeError, ValueError) as wrong:
            answer = {"error": f"{type(wrong).__name__}: {wrong}"}
        return json.dumps(answer).encode() + b"\n"

    def create_project(self, name: str) -> str:
        """A project that no machine account sees yet."""
        now = self._service.clock.ticks()
        row = ProjectRow(str(uuid4()), enc_strings({"name": name}, PROJECT_LIMITS)["name"], now, now)
        self._store.projects[row.id] = row
        return row.id

    def projects(self) -> list[dict[str, Any]]:
        """Ids and encrypted names."""
        return [asdict(row) for row in self._store.projects.values()]

    def create_account(self) -> str:
        """A machine account without grants."""
        account = str(uuid4())
        self._store.accounts[account] = self._service.clock.ticks()
        return account

    def add_token(self, **token: str) -> None:
        """An access token: id, hash and wrapped key."""
        row = TokenRow(**token)  # type: ignore[arg-type]  # `revoked` is never passed
        self._store.tokens[row.client_id] = row

    def revoke_token(self, client_id: str) -> None:
        """No new bearer for this token; the old ones live on."""
        self._store.tokens[client_id] = replace(self._store.tokens[client_id], revoked=True)

    def grant(self, account: str, project: str, level: Level | None) -> None:
        """Give or take; works at once."""
        if account not in self._store.accounts or project not in self._store.projects:
            raise KeyError(f"{account} or {project}")
        self._store.grant(account, project, level, self._service.clock.ticks())

    def put_secret(self, project: str, **fields: str) -> str:
        """A new secret, put there by a person."""
        if project not in self._store.projects:
            raise KeyError(project)
        now = self._service.clock.ticks()
        checked = enc_strings(fields, SECRET_LIMITS)
        row = SecretRow(str(uuid4()), checked["key"], checked["value"], checked["note"], project, now, now)
        self._store.write_secret(row)
        return row.id

    def edit_secret(self, secret_id: str, **fields: str) -> None:
        """Change some fields, as a person does."""
        before = self._store.secrets[secret_id]
        checked = enc_strings(fields, {name: SECRET_LIMITS[name] for name in fields})
        self._store.write_secret(replace(before, revised=self._service.clock.ticks(), **checked))  # type: ignore[arg-type]  # only key, value, note

    def trash(self, secret_id: str, deleted: bool) -> None:  # noqa: FBT001  # a JSON field
        """Into the trash, or out of it."""
        self._store.trash(secret_id, self._service.clock.ticks(), deleted=deleted)

    def secrets(self, projects: list[str]) -> dict[str, object]:
        """The secrets of these projects (none: of all), with the names of theirs."""
        return self._store.secrets_in(frozenset(projects))

    def everything(self) -> dict[str, object]:
        """All rows."""
        return self._store.everything()

    def requests(self) -> list[dict[str, Any]]:
        """The request log."""
        return [asdict(line) for line in self._service.log.lines]

    def clear_requests(self) -> None:
        """Forget the request log."""
        self._service.log.lines.clear()

    def fault(self, **fault: Any) -> None:  # noqa: ANN401  # the fields of a Fault
        """Switch a fault on."""
        self._service.faults.add(Fault(**fault))

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self._service.faults.clear()

    def rate_limits(self, on: bool) -> None:  # noqa: FBT001  # a JSON field
        """Switch the limiter."""
        self._service.limits.switch(on=on)

    def bearer_lifetime(self, seconds: float) -> None:
        """For bearers issued from now on."""
        self._service.bearers.lifetime = seconds

    def advance_clock(self, seconds: float) -> None:
        """Let the server live later."""
        self._service.clock.advance(seconds)
