"""The rotator for PostgreSQL: one role whose password is changed, or a pair of roles that take turns.

Rules this file keeps:
- The role is changed by its admin, or, where the entry has none, by itself on a session opened with a value
  that works. Either way one session of the primary holds the lock and makes the change.
- The admin's secret is asked for only when the lock is taken.
- What the entry may say is checked when the rotator is made, before anything is connected to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from credential_rotation.engines.postgres import complaints
from credential_rotation.engines.postgres.connection import Connection, Lost, NoLogin, Refused, connect
from credential_rotation.engines.postgres.elsewhere import Elsewhere
from credential_rotation.engines.postgres.expiry import expiry, extends
from credential_rotation.engines.postgres.hashing import announced, sends_password
from credential_rotation.engines.postgres.in_use import sessions, would_end
from credential_rotation.engines.postgres.login import ask, ask_for_end, ask_for_news, not_in
from credential_rotation.engines.postgres.session import LockSession
from credential_rotation.engines.postgres.target import LONGEST_NAME, Place, is_cut_off, place
from credential_rotation.errors import BadInput, RotationError, TargetRefused
from credential_rotation.model import Answer, Credential, Probe, Secret, Strategy
from credential_rotation.passwords import rule_from

PRINCIPALS = {Strategy.IN_PLACE: 1, Strategy.ALTERNATING: 2}
LOOKS, BETWEEN_LOOKS = 3, 1.0
"""How often, and every how many seconds, it is looked whether a refused admin has a new value by now."""
OPTIONS = {
    "password_hashing": ("scram", "server"),
    "stamp": ("auto", "none"),
    "valid_until": ("keep", "extend"),
}


class PostgresRotator:
    """Implements `protocols.Rotator`; `admin` gives the admin's secret, None lets the role change itself."""

    def __init__(self, credential: Credential, *, admin: Callable[[], Secret] | None) -> None:
        _check(credential, has_admin=admin is not None)
        self.credential = credential
        self.admin = admin
        self.rule = rule_from(credential.options)
        self.place = place(credential.target, credential.source)
        if sends_password(credential) and self.place.sslmode == "require":
            raise _bad(credential, "password_hashing server needs a server that proves its name: verify-full")
        self.further = tuple(place(endpoint, credential.source) for endpoint in credential.endpoints)

    @property
    def changes_itself(self) -> bool:
        """Without an admin, the lock session is the principal's own."""
        return self.admin is None

    def mint(self, principal: str) -> Secret:
        """A new value for the role."""
        return Secret(principal, self.rule.generate())

    def probe(self, secret: Secret) -> Probe:
        """Ask the primary whether this value logs in."""
        if secret.principal not in self.credential.principals:
            return Probe(Answer.UNKNOWN, str(self.place), "the value is for none of the entry's principals")
        return ask(self.place, secret, primary=True)

    def endpoints(self, secret: Secret) -> tuple[Probe, ...]:
        """Ask every further endpoint; replicas and poolers are welcome here."""
        return tuple(ask(endpoint, secret, primary=False) for endpoint in self.further)

    def known_at_endpoints(self, secret: Secret) -> tuple[Probe, ...]:
        """As `endpoints`, of a value that was just set; where a wrong login may cost the role, at once."""
        if self.credential.max_wrong_logins is not None:
            return self.endpoints(secret)
        return tuple(ask_for_news(endpoint, secret) for endpoint in self.further)

    def ended_at_endpoints(self, secret: Secret, *, current: Secret) -> tuple[Probe, ...]:
        """Ask every further endpoint whether a value that the primary refuses is dead there."""
        return tuple(ask_for_end(endpoint, secret, current=current) for endpoint in self.further)

    @contextmanager
    def lock(self, login: Secret | None, *, changing: str) -> Iterator[LockSession]:
        """Log in, take the lock and make sure that the change would go through."""
        with self._session(login) as session:
            session.take()
            try:
                session.rehearse(changing)
                yield session
            finally:
                session.release()

    def check_privileges(self, login: Secret | None) -> None:
        """Make the change under the lock and roll it back: what `check` proves.

        Raises: Busy, TargetUnknown, TargetRefused (with the GRANT to run).
        """
        for principal in self.credential.principals:
            with self.lock(login, changing=principal):
                pass

    def remarks(
        self, login: Secret | None, *, in_use: str | None, due: datetime | None, now: datetime
    ) -> tuple[str, ...]:
        """What `check` tells beside yes and no. Raises: TargetUnknown, TargetRefused."""
        with self._session(login) as session:
            try:
                ends = expiry(session.connection, self.credential, in_use=in_use, due=due, now=now)
                kinds = announced(session.connection, self.credential)
                return (*ends, *kinds, *sessions(session.connection, self.credential))
            except (Lost, Refused):
                raise complaints.session_lost(self.credential.name, self.place) from None

    def open_sessions(self, login: Secret | None) -> tuple[str, ...]:
        """Who is connected as the entry's roles. Raises: TargetUnknown, TargetRefused."""
        with self._session(login) as session:
            try:
                told = [would_end(session.connection, one) for one in self.credential.principals]
            except (Lost, Refused):
                raise complaints.session_lost(self.credential.name, self.place) from None
        further = (text for endpoint in self.further for text in self._elsewhere(endpoint, login).seen())
        return (*filter(None, told), *further)

    def disconnect_at_endpoints(self, login: Secret | None) -> Iterator[tuple[str, int | RotationError]]:
        """End the roles' open sessions at every further endpoint that has its own."""
        for endpoint in self.further:
            try:
                ended = self._elsewhere(endpoint, login).end()
            except RotationError as error:
                yield str(endpoint), error
            else:
                if ended is not None:
                    yield str(endpoint), ended

    def _elsewhere(self, endpoint: Place, login: Secret | None) -> Elsewhere:
        return Elsewhere(self.credential, endpoint, self._who(login), itself=self.admin is None)

    def _who(self, login: Secret | None) -> Secret:
        """Who changes the role. Raises: TargetRefused, and what getting the admin's secret raises."""
        who = self.admin() if self.admin is not None else login
        if who is None:
            raise TargetRefused(
                f"{self.credential.name}: the role changes itself, and no value that works is known",
                next_step="Put the working password into CURRENT in Bitwarden, or give the entry an admin.",
            )
        return who

    @contextmanager
    def _session(self, login: Secret | None) -> Iterator[LockSession]:
        """A session as the admin, or as the role itself."""
        who = self._who(login)
        admin = who.principal if self.admin is not None else None
        try:
            connection = self._connected(who)
        except NoLogin as error:
            label = f"role {who.principal}" if admin is None else f"admin {admin}"
            raise complaints.not_logged_in(self.credential.name, label, not_in(self.place, error)) from None
        with connection:
            yield LockSession(connection, self.credential, self.place, admin=admin)

    def _connected(self, who: Secret) -> Connection:
        """Logged in; as an admin that is being rotated itself, with its new value. Raises: NoLogin."""
        try:
            return connect(self.place, who)
        except NoLogin as error:
            if self.admin is None or not_in(self.place, error).answer is not Answer.REFUSED:
                raise
            for _ in range(LOOKS):
                time.sleep(BETWEEN_LOOKS)
                now = self.admin()
                if now != who:
                    return connect(self.place, now)
            raise


def _check(credential: Credential, *, has_admin: bool) -> None:
    """Raises: BadInput for what this engine cannot do or does not know."""
    wanted = PRINCIPALS.get(credential.strategy)
    if wanted is None:
        raise _bad(credential, f"strategy {credential.strategy.value} is not for postgres")
    if len(set(credential.principals)) != wanted:
        raise _bad(credential, f"{credential.strategy.value} has exactly {wanted} principal(s)")
    if credential.strategy is Strategy.ALTERNATING and not has_admin:
        raise _bad(credential, "a pair needs an admin: neither role can change the other")
    if extends(credential) and not (has_admin and credential.policy.is_scheduled):
        raise _bad(credential, "valid_until extend needs an admin, and a policy with max_age or cron")
    if any(not name or "\0" in name for name in credential.principals):
        raise _bad(credential, "a principal is empty or holds a NUL")
    if any(map(is_cut_off, (*credential.principals, credential.options.get("owner_role", "")))):
        raise _bad(
            credential, f"a role's name has more than {LONGEST_NAME} bytes: it would be another role's"
        )
    for option, known in OPTIONS.items():
        given = credential.options.get(option)
        if given is not None and given not in known:
            raise _bad(credential, f"{option} {given!r} is not supported; known: {', '.join(known)}")


def _bad(credential: Credential, what: str) -> BadInput:
    return BadInput(f"{credential.name}: {what}", next_step=f"Mend the entry at {credential.source}.")
