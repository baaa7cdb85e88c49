"""The inventory: what is to be rotated, read from `include/`, with all its mistakes at once.

Rules this file keeps:
- A bad file or entry does not stop the good ones; it is a problem with file and line.
- The order is file name, then position: neither the folder's order nor the hash seed shows.
- Only what cannot mean anything at all raises, and then it is BadInput.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from credential_rotation.by_hand import BY_HAND, how_to_close, no_tool
from credential_rotation.errors import BadInput
from credential_rotation.inventory.claims import Found, claimed_twice
from credential_rotation.inventory.entry import Entry, credential_from, own_mistakes
from credential_rotation.inventory.files import Folder, open_folder
from credential_rotation.inventory.links import waits_for_broken, wrong_links
from credential_rotation.inventory.policies import Policies, read_policies
from credential_rotation.inventory.schemas import CREDENTIALS, refusals
from credential_rotation.inventory.words import in_words, nearest
from credential_rotation.inventory.yaml_text import Document, Mistake
from credential_rotation.model import USUAL_LIMITS, Credential, Limits


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, where it is, and which entry does not rotate because of it."""

    file: str
    line: int
    name: str
    """The entry's name, or "" where the mistake is in none or it has no name."""
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (f"{self.file}:{self.line}", self.name, self.message) if part)


@dataclass(frozen=True, slots=True)
class Inventory:
    """All credentials that can be rotated, those that only people can change, and all that is wrong."""

    credentials: tuple[Credential, ...]
    problems: tuple[Problem, ...]
    limits: Limits = USUAL_LIMITS
    manual: tuple[Credential, ...] = ()
    """Kept apart, so that nothing that logs in, rotates or retires ever meets one."""

    @property
    def all(self) -> tuple[Credential, ...]:
        """Everything that falls due."""
        return (*self.credentials, *self.manual)


def load_inventory(include: Path) -> Inventory:
    """Read everything below `include`. Raises: BadInput (there is no such folder)."""
    folder = open_folder(include)
    return _examine(folder, folder.files, whole=True)


def load_limits(include: Path) -> Limits:
    """How much one run may begin, and when it stops. Raises: BadInput (there is no such folder)."""
    return read_policies(open_folder(include).policies()).limits


def load_entry(include: Path, name: str, *, by_hand: bool = False) -> Credential:
    """Read one entry, and as little as possible of the others; `by_hand`: also what only people can change.

    Only files that mention the entry, its principal or its secret are read: enough to see that nobody
    else claims them. Links to other entries are looked at by `load_inventory`.
    Raises: BadInput (no such folder, no such entry, or the entry has mistakes).
    """
    folder = open_folder(include)
    near = folder.mentioning([name])
    inventory = _examine(folder, near, whole=False)
    found = _named(inventory, name, by_hand=by_hand)
    if found is not None:
        claims = [name, *found.principals, found.vault.key or "", found.vault.id or ""]
        wider = folder.mentioning(claims)
        if wider != near:
            inventory = _examine(folder, wider, whole=False)
            found = _named(inventory, name, by_hand=by_hand)
    if found is None and not _about(inventory, name):
        inventory = load_inventory(include)  # the name may be written in a way that a search does not see
        found = _named(inventory, name, by_hand=by_hand)
    if found is None:
        raise _not_there(folder, inventory, name)
    return found


def _examine(folder: Folder, files: Sequence[Path], *, whole: bool) -> Inventory:
    policies = read_policies(folder.policies())
    documents = [folder.read(file) for file in files]
    listed = [(document, _entries(document)) for document in documents]
    entries = [entry for _, own in listed for entry in own]
    found: dict[Entry, list[Mistake]] = {entry: [] for entry in entries}
    loose = [(policies.file, mistake) for mistake in policies.mistakes]
    for document, own in listed:
        loose += [(document.file, mistake) for mistake in _written_wrong(document, own, found)]
    for entry in entries:
        found[entry] += own_mistakes(entry, policies)
    _add(found, claimed_twice(entries))
    if whole:
        loose += [(folder.shown(stray), Mistake((), 1, why)) for stray, why in folder.strays]
        unread = [document.file for document in documents if not document.readable]
        _add(found, wrong_links(entries, unread))
        _add(found, waits_for_broken(entries, {entry for entry in entries if found[entry]}))
    good = _good(entries, found, policies)
    rotated = tuple(one for one in good if one.engine != BY_HAND)
    manual = tuple(one for one in good if one.engine == BY_HAND)
    return Inventory(rotated, _problems(loose, found), policies.limits, manual)


def _good(
    entries: Iterable[Entry], found: dict[Entry, list[Mistake]], policies: Policies
) -> tuple[Credential, ...]:
    return tuple(credential_from(entry, policies) for entry in entries if not found[entry])


def _entries(document: Document) -> list[Entry]:
    listed = document.value.get("credentials") if isinstance(document.value, dict) else None
    items = listed if isinstance(listed, list) else []
    return [Entry(document, place, raw if isinstance(raw, dict) else {}) for place, raw in enumerate(items)]


def _written_wrong(
    document: Document, entries: Sequence[Entry], found: dict[Entry, list[Mistake]]
) -> list[Mistake]:
    """Give each mistake of form to its entry, and return those that belong to none."""
    mistakes = list(document.mistakes)
    if document.value is not None:
        mistakes += in_words(document, refusals(CREDENTIALS, document.value))
    loose: list[Mistake] = []
    for mistake in mistakes:
        entry = _owner(mistake, entries)
        (found[entry] if entry else loose).append(mistake)
    return loose


def _owner(mistake: Mistake, entries: Sequence[Entry]) -> Entry | None:
    index = mistake.path[1] if len(mistake.path) > 1 and mistake.path[0] == "credentials" else None
    # a list that is there twice has mistakes at places that the last one lacks
    return entries[index] if isinstance(index, int) and index < len(entries) else None


def _add(found: dict[Entry, list[Mistake]], more: Iterable[Found]) -> None:
    for entry, mistake in list(more):
        found[entry].append(mistake)


def _problems(loose: Iterable[tuple[str, Mistake]], found: dict[Entry, list[Mistake]]) -> tuple[Problem, ...]:
    problems = [Problem(file, mistake.line, "", mistake.message) for file, mistake in loose]
    for entry, mistakes in found.items():
        name = entry.name if entry.name.isprintable() else ""
        problems += [Problem(entry.document.file, m.line, name, m.message) for m in mistakes]
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda problem: (problem.file, problem.line)))


def _named(inventory: Inventory, name: str, *, by_hand: bool) -> Credential | None:
    listed = inventory.all if by_hand else inventory.credentials
    return next((credential for credential in listed if credential.name == name), None)


def _about(inventory: Inventory, name: str) -> list[str]:
    return [str(problem) for problem in inventory.problems if problem.name == name]


def _not_there(folder: Folder, inventory: Inventory, name: str) -> BadInput:
    if any(one.name == name for one in inventory.manual):
        return BadInput(no_tool(name), next_step=how_to_close(name))
    about = _about(inventory, name)
    if about:
        return BadInput(
            f"{name}: its entry has mistakes: {'; '.join(about)}",
            next_step="Mend the entry, then run again. `python -m credential_rotation check` shows all.",
        )
    names = [credential.name for credential in inventory.credentials]
    hint = nearest(name, names) or f"; it has {len(names)} entries"
    return BadInput(
        f"there is no credential {name[:100]!r} in {folder.shown(folder.credentials)}{hint}",
        next_step="Check the spelling; an entry that was removed or renamed is no longer rotated under its "
        "old name. `python -m credential_rotation check` shows files that cannot be read.",
    )
