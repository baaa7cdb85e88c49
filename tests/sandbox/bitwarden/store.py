"""The tables: rows of ciphertext, who may reach them, and the stamps that `sync` compares.

A row is written whole. Whoever writes computed it from an earlier look; the last write wins, also over a
deletion that came between. That is the real server's behaviour, not an oversight.
"""

from dataclasses import asdict, dataclass, replace
from typing import Literal

Level = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class SecretRow:
    """One secret; key, value and note are EncStrings, dates are ticks."""

    id: str
    key: str
    value: str
    note: str
    project: str | None
    created: int
    revised: int
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """One project; its name is an EncString."""

    id: str
    name: str
    created: int
    revised: int


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One access token, as much of it as a server may know."""

    client_id: str
    account: str
    secret_hash: str
    encrypted_payload: str
    revoked: bool = False


class Store:
    """Everything one organisation has, in memory only."""

    def __init__(self, organization_id: str) -> None:
        self.organization_id = organization_id
        self.secrets: dict[str, SecretRow] = {}
        self.projects: dict[str, ProjectRow] = {}
        self.tokens: dict[str, TokenRow] = {}
        self.accounts: dict[str, int] = {}
        self.grants: dict[tuple[str, str], Level] = {}

    def live(self, secret_id: str) -> SecretRow | None:
        """A secret that is not in the trash."""
        row = self.secrets.get(secret_id)
        return row if row and not row.deleted else None

    def write_secret(self, row: SecretRow) -> None:
        """Insert or overwrite the whole row; a project that is gone by now leaves an orphan."""
        before = self.secrets.get(row.id)
        kept = row if row.project in self.projects else replace(row, project=None)
        self.secrets[row.id] = kept
        for project in {kept.project, before.project if before else None}:
            self._stamp_accounts(project, row.revised)

    def trash(self, secret_id: str, now: int, *, deleted: bool = True) -> None:
        """Move a secret to the trash, or back."""
        self.write_secret(replace(self.secrets[secret_id], deleted=deleted, revised=now))

    def remove_project(self, project_id: str, now: int) -> None:
        """Delete for good: grants go with it, its secrets stay as orphans."""
        self._stamp_accounts(project_id, now)
        del self.projects[project_id]
        self.grants = {pair: level for pair, level in self.grants.items() if pair[1] != project_id}
        for row in list(self.secrets.values()):
            if row.project == project_id:
                self.secrets[row.id] = replace(row, project=None)

    def grant(self, account: str, project: str, level: Level | None, now: int) -> None:
        """Give, change or take (None) what an account may do in a project; works at once."""
        self.grants.pop((account, project), None)
        if level is not None:
            self.grants[account, project] = level
        self.accounts[account] = now

    def secrets_in(self, projects: frozenset[str]) -> dict[str, object]:
        """Rows of these projects (none: of all), and the encrypted names of theirs."""
        rows = [row for row in self.secrets.values() if not projects or row.project in projects]
        used = {row.project for row in rows if row.project is not None}
        names = {project: self.projects[project].name for project in used}
        return {"secrets": [asdict(row) for row in rows], "names": names}

    def everything(self) -> dict[str, object]:
        """All rows, for whoever looks for leaks."""
        return {
            "organization": self.organization_id,
            "secrets": [asdict(row) for row in self.secrets.values()],
            "projects": [asdict(row) for row in self.projects.values()],
            "tokens": [asdict(row) for row in self.tokens.values()],
            "accounts": self.accounts,
            "grants": [[*pair, level] for pair, level in self.grants.items()],
        }

    def _stamp_accounts(self, project: str | None, now: int) -> None:
        for account, granted in self.grants:
            if granted == project:
                self.accounts[account] = now
