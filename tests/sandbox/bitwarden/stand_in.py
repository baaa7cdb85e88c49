"""The controlling side: a person with the web vault open, and a hand on the cables.

Keys, seeds and plaintext live here and nowhere else. Accounts are meant by name, projects by name or id.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

from sandbox.bitwarden.encryption import AccessToken, SymmetricKey
from sandbox.bitwarden.faults import Fault
from sandbox.bitwarden.request_log import LogLine
from sandbox.bitwarden.server import Server
from sandbox.bitwarden.store import Level
from sandbox.tls import LocalCertificates

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret as it is in the vault now, decrypted; `project` is a name, or None for an orphan."""

    id: str
    key: str
    value: str
    note: str
    project: str | None
    revision_date: datetime
    deleted: bool


class BitwardenStandIn:
    """One organisation on one server of its own."""

    def __init__(self, directory: Path) -> None:
        """Nothing runs before `start()`; `directory` is made if need be, and closed to others."""
        self.directory = directory
        self.organization_id = str(uuid4())
        self.ca_file = directory / "ca.pem"
        self._key = SymmetricKey.generate()
        self._accounts: dict[str, str] = {}
        self._projects: set[str] = set()
        """Ids of those that were made here; machine accounts make others."""
        self._running: Server | None = None
        self.clock_is_ahead = 0.0
        """Seconds by which the server lives later than this machine."""

    def __enter__(self) -> "BitwardenStandIn":  # noqa: PYI034  # typing.Self is 3.11
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns once clients can connect."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        certificates = LocalCertificates(
            self.directory, "vault.bitwarden.eu"
        )  # as who comes by a proxy calls it
        log = self.directory / "server.log"
        self._running = Server(self.organization_id, certificates.certificate_file, log)

    def stop(self) -> None:
        """End the server and forget what it held; again is fine."""
        if self._running is not None:
            self._running.stop()
            self._running = None
            self._accounts.clear()

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._server.pid

    @property
    def api_url(self) -> str:
        """For the SDK's settings."""
        return f"https://localhost:{self._server.port}/api"

    @property
    def identity_url(self) -> str:
        """For the SDK's settings."""
        return f"https://localhost:{self._server.port}/identity"

    # People, projects and machine accounts

    def create_project(self, name: str) -> str:
        """A project; its id."""
        made = str(self._server.ask("create_project", name=self._key.encrypt(name)))
        self._projects.add(made)
        return made

    def create_machine_account(self, name: str, grants: Mapping[str, Level]) -> str:
        """A machine account with these grants by project; the text of its first access token."""
        if name in self._accounts:
            raise ValueError(f"there is a machine account {name!r} already")
        self._accounts[name] = self._server.ask("create_account")
        for project, level in grants.items():
            self.grant(name, project, level)
        return self.create_token(name)

    def create_token(self, account: str) -> str:
        """One more access token for an account."""
        token = AccessToken.generate()
        self._server.ask(
            "add_token",
            account=self._accounts[account],
            client_id=token.client_id,
            secret_hash=token.secret_hash,
            encrypted_payload=token.wrap(self._key),
        )
        return token.text

    def revoke_token(self, token: str) -> None:
        """The token buys no more bearers; those it bought live on."""
        self._server.ask("revoke_token", client_id=token.split(".")[1])

    def grant(self, account: str, project: str, level: Level | None) -> None:
        """Give, change or take (None) what an account may do in a project; works at once."""
        self._server.ask(
            "grant", account=self._accounts[account], project=self._project_id(project), level=level
        )

    # Secrets, as a person in the web vault

    def put_secret(self, *, project: str, key: str, value: str, note: str = "") -> str:
        """A new secret; its id."""
        fields = {
            name: self._key.encrypt(text) for name, text in (("key", key), ("value", value), ("note", note))
        }
        return str(self._server.ask("put_secret", project=self._project_id(project), **fields))

    def edit_secret(
        self, secret_id: str, *, key: str | None = None, value: str | None = None, note: str | None = None
    ) -> None:
        """Change what is given, leave the rest."""
        given = {
            name: text for name, text in (("key", key), ("value", value), ("note", note)) if text is not None
        }
        fields = {name: self._key.encrypt(text) for name, text in given.items()}
        self._server.ask("edit_secret", secret_id=secret_id, **fields)

    def trash(self, secret_id: str) -> None:
        """Move to the trash."""
        self._server.ask("trash", secret_id=secret_id, deleted=True)

    def restore(self, secret_id: str) -> None:
        """Take out of the trash, which only people can."""
        self._server.ask("trash", secret_id=secret_id, deleted=False)

    def secrets(self, *projects: str) -> list[StoredSecret]:
        """All secrets, those in the trash too, of these projects or of the organisation, oldest first."""
        found = self._server.ask("secrets", projects=[self._project_id(one) for one in projects])
        names = {project: self._key.decrypt(name) for project, name in found["names"].items()}
        return [self._decrypted(row, names) for row in found["secrets"]]

    # What the server saw, and what it stores

    def requests(self) -> list[LogLine]:
        """Every request since the last clearing, oldest first, with accounts by name."""
        names = {account: name for name, account in self._accounts.items()}
        lines = [LogLine(**line) for line in self._server.ask("requests")]
        return [replace(line, account=names.get(line.account or "")) for line in lines]

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self._server.ask("clear_requests")

    def ciphertext_dump(self) -> bytes:
        """Everything the server stores, its log included."""
        kept = [self._server.ask("everything"), self._server.ask("requests")]
        return json.dumps(kept, ensure_ascii=False).encode()

    # What can go wrong

    def fault(self, fault: Fault) -> None:
        """Switch a fault on, after those that are on already."""
        self._server.ask("fault", **asdict(fault))

    def clear_faults(self) -> None:
        """Switch all faults off; a late commit under way still lands."""
        self._server.ask("clear_faults")

    def rate_limits(self, on: bool) -> None:  # noqa: FBT001  # reads as a switch
        """The cloud's limits, or none as on a self-hosted server; every window starts anew."""
        self._server.ask("rate_limits", on=on)

    def bearer_lifetime(self, seconds: float) -> None:
        """For bearers issued from now on; the API tolerates 300 s more, as the real one does."""
        self._server.ask("bearer_lifetime", seconds=seconds)

    def advance_clock(self, seconds: float) -> None:
        """Let the server live that much later: bearers, rate windows and dates; the client's clock stays."""
        self._server.ask("advance_clock", seconds=seconds)
        self.clock_is_ahead += seconds

    @property
    def _server(self) -> Server:
        if self._running is None:
            raise RuntimeError("the stand-in is not running: call start() or use it in a with statement")
        return self._running

    def _project_id(self, project: str) -> str:
        if project in self._projects:
            return project
        rows = self._server.ask("projects")
        found = [row["id"] for row in rows if project == row["id"]]
        found = found or [row["id"] for row in rows if project == self._key.decrypt(row["name"])]
        if len(found) != 1:
            raise LookupError(f"{len(found)} projects are called {project!r}")
        return str(found[0])

    def _decrypted(self, row: dict[str, Any], names: Mapping[str, str]) -> StoredSecret:
        return StoredSecret(
            id=row["id"],
            key=self._key.decrypt(row["key"]),
            value=self._key.decrypt(row["value"]),
            note=self._key.decrypt(row["note"]),
            project=names.get(row["project"]),
            revision_date=_EPOCH + timedelta(microseconds=row["revised"] // 10),
            deleted=row["deleted"],
        )
