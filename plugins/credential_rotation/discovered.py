"""Logins on targets that no entry manages, and what would be better than a password or key there.

Rules this file keeps:
- Pure: what engines listed, the inventory, the exceptions and the time decide.
- A use that the target does not know is told as not known, never as "never".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from credential_rotation.inventory.exceptions import LetBe, place_of
from credential_rotation.model import Credential

LONG_UNUSED = timedelta(days=90)
_PIPELINE = re.compile(
    r"(?i)(^|[-_.])(ci|cd|github|gitlab|actions|jenkins|circleci|terraform|deploy)($|[-_.])"
)
_POSTGRES_INSTEAD = (
    "On RDS, Aurora, Cloud SQL or Azure IAM or Entra logins need no stored password; elsewhere a client "
    "certificate (`cert`) or Kerberos (`gss`) does for people and hosts."
)


@dataclass(frozen=True, slots=True)
class Login:
    """One login as a target lists it."""

    engine: str
    where: str
    principal: str
    login: str = ""
    """A key's id, where that is not the principal."""
    is_active: bool = True
    has_password: bool | None = True
    """None: this admin may not see it."""
    is_superuser: bool = False
    created: datetime | None = None
    last_used: datetime | None = None
    used_by: str = ""
    knows_use: bool = False
    """Whether the target keeps when a login was last used."""
    valid_until: str = ""
    connections: int | None = None


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """A login that no entry manages."""

    login: Login
    use: str
    instead: str
    expired: LetBe | None = None
    """An exception that held once."""


@dataclass(frozen=True, slots=True)
class Unasked:
    """A target that could not be listed, and what would be needed."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Discovered:
    """What discovery found of logins that no entry manages, and where it could not look."""

    unmanaged: tuple[Unmanaged, ...] = ()
    let_be: tuple[tuple[Login, LetBe], ...] = ()
    unasked: tuple[Unasked, ...] = field(default_factory=tuple)


def sort_out(
    logins: Iterable[Login],
    credentials: Iterable[Credential],
    exceptions: Iterable[LetBe],
    now: datetime,
    *,
    unasked: Iterable[Unasked] = (),
) -> Discovered:
    """What is nobody's, what is let be, each login once."""
    managed = {(one.engine, place_of(one), principal) for one in credentials for principal in one.principals}
    exceptions = tuple(exceptions)
    unmanaged, let_be = [], []
    for login in dict.fromkeys(logins):
        if {(login.engine, place, login.principal) for place in (login.where, "")} & managed:
            continue
        covering = [one for one in exceptions if one.covers(login.engine, login.principal, login.where)]
        holding = next((one for one in covering if not one.has_expired(now)), None)
        if holding is not None:
            let_be.append((login, holding))
        else:
            expired = covering[0] if covering else None
            unmanaged.append(Unmanaged(login, use(login, now), instead(login, now), expired))
    return Discovered(tuple(unmanaged), tuple(let_be), tuple(unasked))


def _counted(connections: int) -> str:
    return f"{connections} connection" if connections == 1 else f"{connections} connections"


def use(login: Login, now: datetime) -> str:
    """When it was last used, as far as the target knows."""
    if not login.knows_use:
        seen = "" if login.connections is None else f"; {_counted(login.connections)} open now"
        until = f"; valid until {login.valid_until}" if login.valid_until else ""
        return f"last use not known to the target{seen}{until}"
    if login.last_used is None:
        return "never used" if login.is_active else "never used, inactive"
    days = (now - login.last_used).days
    state = "" if login.is_active else ", inactive"
    return f"last used {login.last_used:%Y-%m-%d} by {login.used_by or 'a service'} ({days} days ago){state}"


def instead(login: Login, now: datetime) -> str:
    """What to do about it."""
    if login.engine == "postgres":
        return _instead_of_password(login)
    if not login.is_active:
        return "Inactive already: delete it."
    if login.last_used is None or now - login.last_used > LONG_UNUSED:
        return f"Not used for {LONG_UNUSED.days} days: make it inactive, and delete it later."
    if _PIPELINE.search(login.principal):
        return "A pipeline, by its name: an OIDC provider and a role to assume need no key."
    return (
        "On EC2, ECS, EKS or Lambda a role (instance profile, task role, Pod Identity) needs no key, on "
        "hosts elsewhere IAM Roles Anywhere; for people IAM Identity Center. Else an entry rotates it."
    )


def _instead_of_password(login: Login) -> str:
    if login.is_superuser:
        return "A superuser: keep it for break-glass, or let an entry rotate it. Daily work needs less."
    if login.connections == 0 and login.has_password is None:
        return f"Nobody is connected now. Is it needed? {_POSTGRES_INSTEAD}"
    return f"Let an entry rotate it. {_POSTGRES_INSTEAD}"
