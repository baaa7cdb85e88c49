"""Which secret a name means: keys are labels that may repeat, so none, one and several are three answers.

Rules this file keeps:
- Only the configured projects count, by id or by name; without any, all that the account can read.
- An id that is configured is found wrong only where nothing is found: for that, projects have to be listed.
- A name is never guessed at: two secrets of one name are an error that tells their ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bitwarden_vault.access_token import UUID
from bitwarden_vault.errors import Ambiguous, Misconfigured
from bitwarden_vault.untyped import Any

Listed = Sequence[dict[str, Any]]


@dataclass(slots=True, eq=False)
class Listing:
    """An answer to a list, and when its request was begun."""

    found: Listed
    begun_at: float


def needs_project_names(projects: Sequence[str]) -> bool:
    """Whether some project is configured by its name."""
    return any(UUID.fullmatch(one) is None for one in projects)


def project_ids(projects: Sequence[str], known: Listed) -> frozenset[str]:
    """The ids of the configured projects. Raises: Misconfigured (no such project, or several)."""
    ids, wrong = set(), []
    for project in projects:
        if UUID.fullmatch(project):
            ids.add(project.lower())
            continue
        named = [str(one["id"]).lower() for one in known if one["name"] == project]
        ids.update(named)
        if len(named) > 1:
            wrong.append(f"{project!r} is the name of {len(named)} projects: configure its id")
        if not named:
            wrong.append(_unseen(project, known))
    if wrong:
        raise Misconfigured("; ".join(wrong))
    return frozenset(ids)


def insist_on_seen(projects: Sequence[str], known: Listed, secrets: Listed) -> None:
    """Raises: Misconfigured (an id that is no project's of which this account sees anything)."""
    seen = {str(one["id"]).lower() for one in known}
    if all(one.lower() in seen for one in projects if UUID.fullmatch(one)):
        return
    seen.update(str(one["project_id"]).lower() for one in secrets)  # some see secrets, and not their project
    wrong = [one for one in projects if UUID.fullmatch(one) and one.lower() not in seen]
    if wrong:
        raise Misconfigured("; ".join(_unseen(one, known) for one in wrong))


def _unseen(project: str, known: Listed) -> str:
    names = ", ".join(sorted(repr(str(one["name"])) for one in known)) or "none"
    return f"no project {project!r} that this machine account can see (it sees: {names})"


def secret_id(key: str, projects: frozenset[str] | None, listed: Listed) -> str | None:
    """The id of the secret with this key, or None. Raises: Ambiguous."""
    matches = [
        one
        for one in listed
        if one["key"] == key and (projects is None or str(one["project_id"]).lower() in projects)
    ]
    if len(matches) > 1:
        places = ", ".join(f"{one['id']} (project {one['project_id']})" for one in matches[:5])
        raise Ambiguous(
            f"{len(matches)} secrets have the key {key!r}: {places}. Delete or rename all but one, or narrow "
            "the configured projects",
        )
    return str(matches[0]["id"]) if matches else None
