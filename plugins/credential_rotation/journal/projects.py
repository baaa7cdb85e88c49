"""Bitwarden projects by the names that people give them: none, one and several are three answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from bitwarden_vault.client import VaultClient
from credential_rotation.errors import BadInput, VaultTrouble
from credential_rotation.journal.vault_complaints import in_rotation_words


@dataclass(slots=True)
class Projects:
    """The projects that the machine account can see, asked for once."""

    client: VaultClient = field(repr=False)
    _by_name: dict[str, list[str]] | None = field(default=None, init=False)
    _told: dict[str, str] = field(default_factory=dict, init=False)

    def id_of(self, project: str, *, what: str) -> str:
        """The id of the project with this name (an id is one already); `what` says whose it is.

        Raises: VaultTrouble (not to be seen), BadInput (the name is ambiguous).
        """
        if project not in self._told:
            self._told[project] = project.lower() if _is_id(project) else self._looked_up(project, what)
        return self._told[project]

    def _looked_up(self, project: str, what: str) -> str:
        if self._by_name is None:
            self._by_name = self._asked(what)
        found = self._by_name.get(project, [])
        if not found:
            visible = ", ".join(sorted(self._by_name)) or "none"
            raise VaultTrouble(
                f"{what}: this machine account sees no Bitwarden project {project!r} (it sees: {visible})",
                next_step="Give the machine account `Can read, write` on it, or mend the spelling.",
            )
        if len(found) > 1:
            raise BadInput(
                f"{what}: {len(found)} Bitwarden projects are called {project!r}: {', '.join(found)}",
                next_step="Rename one of them, or write the project's id instead of its name.",
            )
        return found[0]

    def _asked(self, what: str) -> dict[str, list[str]]:
        by_name: dict[str, list[str]] = {}
        with in_rotation_words(what):
            for project in self.client.list_projects():
                by_name.setdefault(project.name, []).append(project.id)
        return by_name


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
