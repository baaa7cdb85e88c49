"""One entry as it was written, and the credential that it means.

Rules this file keeps:
- The checks read what is there and pass over what the schema has refused already, so that all mistakes
  of an entry are told at once.
- A credential is made only of an entry without mistakes.
- TLS is never downgraded: below `verify-full` somebody wrote it down, below `require` it is this host.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from credential_rotation.by_hand import BY_HAND
from credential_rotation.inventory.policies import Policies, impossible_policy, own_policy, policy_from
from credential_rotation.inventory.promises import impossible
from credential_rotation.inventory.schemas import OPTIONS, default_settings, default_strategy, engines
from credential_rotation.inventory.words import nearest
from credential_rotation.inventory.yaml_text import Document, Mistake, Path, Value
from credential_rotation.model import (
    ConnectionAdmin,
    Consumer,
    Credential,
    EntryAdmin,
    Policy,
    Strategy,
    Target,
    VaultPlace,
)

PAIR = 2
LONGEST_POSTGRES_NAME = 63
"""Bytes; a schema counts characters. PostgreSQL cuts longer names off, and so takes another one's."""
_SELF = {"admin": "leave admin out, and the principal changes itself", "after": "leave it out"}
_CONSUMER_KINDS = ("airflow_connection", "dag", "manual", "s3_bucket")


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One item below `credentials:`, right or wrong."""

    document: Document
    index: int
    raw: Mapping[str, Value]

    @property
    def name(self) -> str:
        """Its name, or "" where it has none that can be read."""
        return self.text("name")

    @property
    def engine(self) -> str:
        """Its engine, or "" where this version has no such engine."""
        engine = self.text("engine")
        return engine if engine in engines() else ""

    @property
    def place(self) -> str:
        """File and line of the entry."""
        return f"{self.document.file}:{self.document.line(('credentials', self.index))}"

    @property
    def admin_entry(self) -> str:
        """The entry that administers this one, or ""."""
        return self.text("admin")

    def text(self, *path: str) -> str:
        """A text of the entry; "" where it is missing or no text."""
        value: Value = dict(self.raw)
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> tuple[str, ...]:
        """A key that takes one text or several."""
        value = self.raw.get(key)
        items = value if isinstance(value, list) else [value]
        return tuple(item for item in items if isinstance(item, str))

    def targets(self) -> tuple[tuple[Path, Target], ...]:
        """The target, then the endpoints, each with all its settings; what cannot be read is left out."""
        if not self.engine or not isinstance(self.raw.get("target"), dict):
            return ()
        target = {**default_settings(self.engine), **_plain(self.raw["target"])}
        found: list[tuple[Path, Target]] = [(("target",), _target(target))]
        endpoints = self.raw.get("endpoints")
        for place, endpoint in enumerate(endpoints if isinstance(endpoints, list) else ()):
            if isinstance(endpoint, dict):
                found.append((("endpoints", place), _target({**target, **_plain(endpoint)})))
        return tuple(found)

    def mistake(self, path: Path, message: str) -> Mistake:
        """A mistake in this entry, with its line."""
        whole: Path = ("credentials", self.index, *path)
        return Mistake(whole, self.document.line(whole), message)


def own_mistakes(entry: Entry, policies: Policies) -> Iterator[Mistake]:
    """What a schema cannot say about one entry alone."""
    yield from _policy_mistakes(entry, policies)
    if entry.engine == BY_HAND:
        yield from _never_reminded(entry, policies)
        return
    strategy = _strategy(entry)
    principals = entry.texts("principal")
    if strategy == Strategy.IN_PLACE.value and len(principals) > 1:
        yield entry.mistake(
            ("principal",),
            f"strategy in_place changes one principal, and {len(principals)} are named; "
            "two take turns with strategy: alternating",
        )
    if strategy == Strategy.ALTERNATING.value:
        yield from _pair_mistakes(entry, principals)
    elif "owner_role" in entry.raw:
        yield entry.mistake(("owner_role",), "owner_role is what a pair has in common: strategy alternating")
    if entry.text("valid_until") == "extend" and "admin" not in entry.raw:
        yield entry.mistake(("valid_until",), "extend needs an admin: no role may move its own VALID UNTIL")
    yield from _login_mistakes(entry)
    yield from _same_people(entry)
    yield from _cut_off_names(entry)
    for path, target in entry.targets():
        if target.settings.get("sslmode") == "disable" and target.host and not _is_this_host(target.host):
            yield entry.mistake(
                (*path, "sslmode"),
                f"sslmode disable sends everything in the clear, and {path[0]} is another host; "
                "write verify-full (or verify-ca, or require)",
            )
    for key in ("admin", "after"):
        if entry.name and entry.name in entry.texts(key):
            yield entry.mistake((key,), f"{key} names the entry itself; {_SELF[key]}")


def _never_reminded(entry: Entry, policies: Policies) -> Iterator[Mistake]:
    raw = entry.raw.get("policy")
    policy = policies.named.get(raw) if isinstance(raw, str) else policy_from("", raw)
    if policy is not None and not policy.is_scheduled:
        yield entry.mistake(
            ("policy",), "says no max_age and no cron: nobody would ever be reminded of it; give it one"
        )


def _login_mistakes(entry: Entry) -> Iterator[Mistake]:
    """What is concluded without a login is concluded from the stamp, which only an admin leaves."""
    is_strict = "max_wrong_logins" in entry.raw
    if is_strict and entry.text("prove_dead") not in {"catalog", "off"}:
        yield entry.mistake(
            ("max_wrong_logins",),
            "the proof that an old value is dead is a wrong login; say prove_dead: catalog",
        )
    by_catalog = entry.text("prove_dead") == "catalog"
    key = "max_wrong_logins" if is_strict else "prove_dead"
    if (is_strict or by_catalog) and ("admin" not in entry.raw or entry.text("stamp") == "none"):
        yield entry.mistake((key,), "needs an admin that leaves a stamp: the stamp says what was set last")


def _same_people(entry: Entry) -> Iterator[Mistake]:
    """A word about one of two who are called the same would count for both."""
    listed = entry.raw.get("consumers")
    seen: set[str] = set()
    for place, item in enumerate(listed if isinstance(listed, list) else ()):
        name = item.get(BY_HAND) if isinstance(item, dict) else None
        if isinstance(name, str) and name in seen:
            path: Path = ("consumers", place)
            yield entry.mistake(path, f"another consumer is called {name[:40]!r}; rename one")
        if isinstance(name, str):
            seen.add(name)


def _cut_off_names(entry: Entry) -> Iterator[Mistake]:
    if entry.engine != "postgres":
        return
    names: list[tuple[Path, str]] = [(("principal",), name) for name in entry.texts("principal")]
    names += [(("owner_role",), entry.text("owner_role"))]
    names = [(path, name) for path, name in names if len(name) <= LONGEST_POSTGRES_NAME]  # else told already
    names += [((*path, "dbname"), target.settings.get("dbname", "")) for path, target in entry.targets()]
    for path, name in names:
        size = len(name.encode())
        if size > LONGEST_POSTGRES_NAME:
            yield entry.mistake(
                path, f"has {size} bytes; PostgreSQL takes {LONGEST_POSTGRES_NAME} and cuts off the rest"
            )


def _pair_mistakes(entry: Entry, principals: tuple[str, ...]) -> Iterator[Mistake]:
    if principals and len(principals) != PAIR:
        yield entry.mistake(
            ("principal",), f"strategy alternating has two principals, and the entry names {len(principals)}"
        )
    if "admin" not in entry.raw:
        yield entry.mistake(("strategy",), "strategy alternating needs an admin: neither changes the other")
    if entry.text("vault", "format") == "password":
        yield entry.mistake(
            ("vault", "format"),
            "a bare password does not say whose it is; alternating needs a format with the user name",
        )


def credential_from(entry: Entry, policies: Policies) -> Credential:
    """The credential that an entry without mistakes means."""
    targets = [target for _, target in entry.targets()]
    return Credential(
        name=entry.name,
        engine=entry.engine,
        strategy=Strategy(entry.text("strategy") or default_strategy(entry.engine)),
        principals=entry.texts("principal"),
        target=targets[0] if targets else Target("", {}),
        vault=VaultPlace(
            project=entry.text("vault", "project"),
            format=entry.text("vault", "format"),
            key=entry.text("vault", "key") or None,
            id=entry.text("vault", "id").lower() or None,
        ),
        policy=_policy(entry, policies),
        owner=entry.text("owner"),
        source=entry.place,
        endpoints=tuple(targets[1:]),
        admin=_admin(entry),
        consumers=_consumers(entry.raw.get("consumers")),
        tags=entry.texts("tags"),
        after=entry.texts("after"),
        queue=entry.text("queue") or None,
        pool=entry.text("pool") or None,
        prove_dead=entry.text("prove_dead") or "login",
        max_wrong_logins=_whole_number(entry.raw.get("max_wrong_logins")),
        options={name: entry.text(name) for name in OPTIONS if name in entry.raw},
    )


def _policy_mistakes(entry: Entry, policies: Policies) -> Iterator[Mistake]:
    raw, soaks = entry.raw.get("policy"), _strategy(entry) == Strategy.OVERLAPPING.value
    for message in impossible_policy(raw, soaks=soaks):
        yield entry.mistake(("policy",), message)
    if not isinstance(raw, str) or not raw:
        return
    if raw in policies.named:
        for message in impossible(policies.named[raw], soaks=True) if soaks else ():
            yield entry.mistake(("policy",), f"policy {raw!r}: {message}")
        return
    if raw in policies.broken or not policies.readable:
        yield entry.mistake(("policy",), f"policy {raw!r} cannot be read: see {policies.file}")
    else:
        has = ", ".join(sorted(policies.named))
        meant = nearest(raw, policies.named) or f"; {policies.file} has: {has}"
        yield entry.mistake(("policy",), f"unknown policy {raw[:40]!r}{meant}")


def _policy(entry: Entry, policies: Policies) -> Policy:
    raw = entry.raw["policy"]
    policy = policies.named[raw] if isinstance(raw, str) else policy_from(f"of {entry.name}", raw)
    assert policy is not None  # noqa: S101  # the entry has no mistakes
    return own_policy(policy, entry.name)


def _strategy(entry: Entry) -> str:
    return entry.text("strategy") or (default_strategy(entry.engine) if entry.engine else "")


def _admin(entry: Entry) -> EntryAdmin | ConnectionAdmin | None:
    if entry.admin_entry:
        return EntryAdmin(entry.admin_entry)
    connection = entry.text("admin", "airflow_connection")
    return ConnectionAdmin(connection) if connection else None


def _consumers(raw: Value) -> tuple[Consumer, ...]:
    return tuple(
        Consumer(kind=kind, name=str(item[kind]), owner=str(item["owner"]) if "owner" in item else None)
        for item in (raw if isinstance(raw, list) else ())
        if isinstance(item, dict)
        for kind in _CONSUMER_KINDS
        if kind in item
    )


def _plain(raw: Value) -> dict[str, str]:
    pairs = raw.items() if isinstance(raw, dict) else ()
    return {key: str(value) for key, value in pairs if isinstance(value, (str, int))}


def _whole_number(raw: Value) -> int | None:
    return raw if isinstance(raw, int) else None


def _target(settings: Mapping[str, str]) -> Target:
    return Target(
        host=settings.get("host", ""),
        settings={name: settings[name] for name in sorted(settings) if name != "host"},
    )


def _is_this_host(host: str) -> bool:
    name = host.lower().rstrip(".")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
