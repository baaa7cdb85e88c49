"""A cloud account in memory: one user, two slots for keys, and a trail of who asked for each."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from credential_rotation.errors import ApplyUnknown, Busy, TargetRefused, TargetUnknown
from credential_rotation.model import Answer, Intent, Key, Probe, Secret
from simulators.world import AnswerLostError, World

USER = "etl"
WHERE = "cloud.example"
SLOTS = 2
CLAIM = timedelta(minutes=10)
"""How long the claim on the user lasts: a mutex that ends by itself, and no fence."""


@dataclass
class SimKey:
    """A key as the account knows it."""

    login: str
    secret: str
    created: datetime
    made_by: str
    """The attempt that asked for it; "a person" for one made by hand."""
    is_active: bool = True
    made_in: object = None
    """The session that asked for it."""
    ended_in: object = None
    """The session that made it inactive last."""


class SimKeyTarget:
    """Implements `protocols.KeyRotator`.

    A crash gives the claim back at once, which is harder on who comes next than the time that it lasts.
    """

    changes_itself = False

    def __init__(self, world: World) -> None:
        self.world = world
        self.keys: dict[str, SimKey] = {}
        self.asked_for_a_third = False
        self.trail_tells = True
        self.holder: SimKeySession | None = None
        """Who has the claim on the user."""
        self.endpoint_answers: tuple[Probe, ...] = ()
        self.by_hand: set[str] = set()
        """Keys that persons made beside the first."""
        self._numbers = itertools.count(1)
        self.first = self._make("a person")

    def make_by_hand(self) -> Secret:
        """As a person would in the console."""
        made = self._make("a person")
        self.by_hand.add(made.login)
        return made

    def accepts(self, secret: Secret) -> bool:
        """The truth, asked by the test."""
        key = self.keys.get(secret.login)
        return key is not None and key.is_active and key.secret == secret.password

    def probe(self, secret: Secret) -> Probe:
        def ask() -> Probe:
            return Probe(Answer.WORKS if self.accepts(secret) else Answer.REFUSED, WHERE, "as it is")

        try:
            return self.world.do("target: probe", ask)
        except AnswerLostError:
            return Probe(Answer.UNKNOWN, WHERE, "no answer")

    def endpoints(self, secret: Secret) -> tuple[Probe, ...]:
        del secret
        return self.endpoint_answers

    def known_at_endpoints(self, secret: Secret) -> tuple[Probe, ...]:
        return self.endpoints(secret)

    def ended_at_endpoints(self, secret: Secret, *, current: Secret) -> tuple[Probe, ...]:
        del current
        return self.endpoints(secret)

    def wait_until_valid(self, secret: Secret) -> None:
        del secret

    def wait_until_dead(self, secret: Secret) -> None:
        del secret

    @contextmanager
    def lock(self, login: Secret | None, *, changing: str) -> Iterator[SimKeySession]:
        del login
        assert changing == USER
        session = SimKeySession(self, self.world.now + CLAIM)

        def claim() -> None:
            if self.holder is not None and self.holder.is_held:
                raise Busy("somebody else holds the claim", next_step="Wait.")
            self.holder = session

        try:
            self.world.do("target: lock", claim)
            yield session
        except AnswerLostError:
            raise TargetUnknown("no answer", next_step="Try again.") from None
        finally:
            if self.holder is session:
                self.holder = None

    def _make(self, attempt: str) -> Secret:
        number = next(self._numbers)
        key = SimKey(f"KEY{number}", f"minted-{number}", self.world.now, attempt)
        self.keys[key.login] = key
        return Secret(USER, key.secret, key.login)


@dataclass(frozen=True, eq=False)
class SimKeySession:
    """Implements `protocols.KeySession`."""

    target: SimKeyTarget
    ends: datetime

    @property
    def is_held(self) -> bool:
        return self.target.world.now < self.ends

    def keys(self) -> tuple[Key, ...]:
        def listed() -> tuple[Key, ...]:
            found = sorted(self.target.keys.values(), key=lambda key: key.login)
            return tuple(Key(key.login, key.is_active, key.created) for key in found)

        try:
            return self.target.world.do("target: list keys", listed)
        except AnswerLostError:
            raise TargetUnknown("no answer", next_step="Try again.") from None

    def mint(self, intent: Intent) -> Secret:
        def make() -> Secret:
            if len(self.target.keys) >= SLOTS:
                self.target.asked_for_a_third = True
                raise TargetRefused("LimitExceeded", next_step="Look.")
            made = self.target._make(intent.attempt)
            self.target.keys[made.login].made_in = self
            return made

        return self._change("mint", make)

    def is_ours(self, key: Key, intent: Intent) -> bool | None:
        if not self.target.trail_tells:
            return None
        return self.target.keys[key.login].made_by == intent.attempt

    def deactivate(self, login: str) -> None:
        def change() -> None:
            if login in self.target.keys:
                self.target.keys[login].is_active, self.target.keys[login].ended_in = False, self

        self._change("deactivate", change)

    def activate(self, login: str) -> None:
        def change() -> None:
            self.target.keys[login].is_active = True

        self._change("activate", change)

    def remove(self, login: str) -> None:
        def change() -> None:
            key = self.target.keys.get(login)
            assert key is None or not key.is_active, "an active key is never deleted"
            self.target.keys.pop(login, None)

        self._change("remove", change)

    def _change(self, name: str, commit: Callable[[], Secret | None]) -> Secret:
        world = self.target.world

        def send() -> Secret | None:
            if not self.is_held and not world.is_landing:
                raise TargetRefused("the claim has run out", next_step="Run again.")
            return commit()

        try:
            made = world.do(f"target: {name}", send)
        except AnswerLostError:
            raise ApplyUnknown("no answer to the change", next_step="Run again.") from None
        return made or Secret(USER, "")
