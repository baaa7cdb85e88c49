"""What only one entry may have: a name, a principal, a secret.

Rules this file keeps:
- Where two entries claim one thing, neither is rotated until a person has chosen: each locks the other out.
- A principal belongs to a server, not to a database: two databases of one server share it.
- An endpoint of one entry may be the target of another: the same principal there is the same one.
- What has no host is told apart by its account, and an IAM user belongs to all regions: where one entry does
  not say its account, it may be anybody's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from credential_rotation.inventory.entry import Entry
from credential_rotation.inventory.yaml_text import Mistake, Path
from credential_rotation.model import Target

Found = tuple[Entry, Mistake]
Claim = tuple[str, ...]
ACCOUNT, NO_ACCOUNT = "AWS account ", "AWS (no target.account)"
Claims = dict[Claim, list[tuple[Entry, Path, str]]]


def claimed_twice(entries: Sequence[Entry]) -> Iterator[Found]:
    """Every entry that claims what another one claims too, told where the other one is."""
    claims: Claims = defaultdict(list)
    vague = {name for entry in entries for server, name in _principals(entry) if server == NO_ACCOUNT}
    for entry in entries:
        for claim, path, what in _claims(entry, vague):
            claims[claim].append((entry, path, what))
    for claimants in claims.values():
        yield from _told(claimants)
    for entry in entries:
        yield from _at_an_endpoint(entry, claims)


def _told(claimants: list[tuple[Entry, Path, str]]) -> Iterator[Found]:
    first = claimants[0][0]
    other = next((entry for entry, _, _ in claimants if entry is not first), None)
    if other is None:
        return
    told: set[Entry] = set()
    for entry, path, what in claimants:
        if entry in told:
            continue
        told.add(entry)
        against = other if entry is first else first
        yield entry, entry.mistake(path, f"{what} belongs to {_called(against)} too; keep one")


def _at_an_endpoint(entry: Entry, claims: Claims) -> Iterator[Found]:
    for path, endpoint in entry.targets()[1:]:
        for principal in entry.texts("principal") if endpoint.host else ():
            for other, theirs, what in claims.get((entry.engine, _server(endpoint), principal), ()):
                if other is not entry:
                    yield entry, entry.mistake(path, f"{what} is rotated by {_called(other)}; keep one")
                    yield other, other.mistake(theirs, f"{what} is an endpoint of {_called(entry)}; keep one")


def _claims(entry: Entry, vague: Collection[str]) -> Iterator[tuple[Claim, Path, str]]:
    if entry.name:
        yield ("name", entry.name), ("name",), f"name {entry.name!r}"
    project, key, secret_id = (entry.text("vault", part) for part in ("project", "key", "id"))
    if key and project:
        yield ("key", project, key), ("vault", "key"), f"secret {key!r} in project {project!r}"
    if secret_id:
        yield ("id", secret_id.lower()), ("vault", "id"), f"secret {secret_id}"
    for server, principal in _principals(entry):
        shared = NO_ACCOUNT if server.startswith(ACCOUNT) and principal in vague else server
        yield (entry.engine, shared, principal), ("principal",), f"principal {principal!r} on {server}"


def _principals(entry: Entry) -> Iterator[tuple[str, str]]:
    """Each principal, with what it belongs to."""
    targets = entry.targets()
    server = _server(targets[0][1]) if targets else ""
    for principal in entry.texts("principal") if server else ():
        yield server, principal


def _server(target: Target) -> str:
    """What a principal belongs to; "" where the entry does not say enough."""
    if "region" in target.settings:
        account = target.settings.get("account")
        return f"{ACCOUNT}{account}" if account else NO_ACCOUNT
    if not target.host:
        return ""
    return f"{target.host.lower().rstrip('.')}:{target.settings.get('port', '')}"


def _called(entry: Entry) -> str:
    return f"the entry at {entry.place}" + (f" ({entry.name})" if entry.name else "")
