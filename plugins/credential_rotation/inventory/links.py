"""What one entry says of another: who administers it, and what goes first.

Rules this file keeps:
- An entry whose admin or predecessor has mistakes waits with it: out of order is worse than late.
- An admin is rotated after those it administers, so an entry that goes after its own admin never would.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from credential_rotation.by_hand import BY_HAND
from credential_rotation.inventory.claims import Found
from credential_rotation.inventory.entry import Entry
from credential_rotation.inventory.words import nearest

Names = Mapping[str, Entry]
Graph = dict[str, list[str]]


def wrong_links(entries: Sequence[Entry], unread: Sequence[str]) -> Iterator[Found]:
    """Links to nothing, to the wrong engine, and round in circles; `unread` are files nobody could read."""
    names = {entry.name: entry for entry in reversed(entries) if entry.name}
    for entry in entries:
        yield from _dangling(entry, names, unread)
        yield from _foreign_admin(entry, names)
    yield from _circles(names, _admins(names), "admin", "administers itself in the end")
    yield from _circles(names, _order(names), "after", "none of them could ever go first")


def waits_for_broken(entries: Sequence[Entry], broken: Collection[Entry]) -> Iterator[Found]:
    """Entries without mistakes of their own whose admin or predecessor has some, to the end of the chain."""
    names = {entry.name: entry for entry in entries}
    bad = {entry.name for entry in broken}
    waiting = [entry for entry in entries if entry not in broken]
    found = True
    while found:
        found = False
        for entry in list(waiting):
            link = next((link for link in _links(entry) if link[1] in bad), None)
            if link is not None:
                key, name = link
                yield entry, entry.mistake((key,), f"{key} {name!r} has mistakes: see {names[name].place}")
                bad.add(entry.name)
                waiting.remove(entry)
                found = True


def _links(entry: Entry) -> list[tuple[str, str]]:
    admin = [("admin", entry.admin_entry)] if entry.admin_entry else []
    return admin + [("after", name) for name in entry.texts("after")]


def _dangling(entry: Entry, names: Names, unread: Sequence[str]) -> Iterator[Found]:
    for key, name in _links(entry):
        if name not in names:
            hint = nearest(name, names) or "; there is no such entry"
            if unread:
                hint += f" (unless it is in a file that cannot be read: {', '.join(unread)})"
            yield entry, entry.mistake((key,), f"unknown entry {name[:40]!r} in {key}{hint}")
        elif key == "after" and names[name].engine == BY_HAND:
            why = f"{name!r} is changed by a person (engine {BY_HAND}), and no run waits for people"
            yield entry, entry.mistake((key,), f"{why}; leave it out")


def _foreign_admin(entry: Entry, names: Names) -> Iterator[Found]:
    admin = names.get(entry.admin_entry)
    if admin is not None and admin.engine and entry.engine and admin.engine != entry.engine:
        message = f"admin {admin.name!r} has engine {admin.engine}, and this entry has {entry.engine}"
        yield entry, entry.mistake(("admin",), message)


def _admins(names: Names) -> Graph:
    return {
        name: [entry.admin_entry]
        for name, entry in names.items()
        if entry.admin_entry in names and entry.admin_entry != name
    }


def _order(names: Names) -> Graph:
    graph: Graph = {
        name: [first for first in entry.texts("after") if first in names and first != name]
        for name, entry in names.items()
    }
    for name, (admin,) in _admins(names).items():
        graph[admin].append(name)
    return graph


def _circles(names: Names, graph: Graph, key: str, why: str) -> Iterator[Found]:
    """One message for each entry of each circle; a circle of admins is told as one of those only."""
    circle = _circle(graph)
    while circle:
        told = [name for name in circle if key == "admin" or names[name].texts("after")]
        for name in told if not _only_admins(names, circle, key) else ():
            entry = names[name]
            yield entry, entry.mistake((key,), f"{' → '.join([*circle, circle[0]])}: {why}")
        for name in circle:
            graph.pop(name, None)
        circle = _circle(graph)


def _only_admins(names: Names, circle: Sequence[str], key: str) -> bool:
    return key == "after" and all(names[name].admin_entry in circle for name in circle)


def _circle(graph: Graph) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as wrong:
        found: list[str] = wrong.args[1][:-1]
        start = found.index(min(found))
        return found[start:] + found[:start]
    return []
