"""The life of every access key, as each service has heard of it so far.

1. A key turns alive (created, activated) or dead (made inactive, deleted) at one moment; a service hears of
   it after its own lag, as it was set at that moment. Setting lag later moves nothing that has happened.
2. For `flapping` seconds after a service with a lag has heard, its answers alternate, the new one first.
3. A deleted key is remembered: a service that has not heard yet still knows its secret.
4. Use becomes visible `last_used_delay` seconds later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds by service; one that is not named hears at once."""

    new: Mapping[str, float] = field(default_factory=dict)
    dead: Mapping[str, float] = field(default_factory=dict)
    flapping: float = 0.0


@dataclass(slots=True)
class Turn:
    """A key turned alive or dead."""

    alive: bool
    at: float
    lag: Lag

    def heard_at(self, service: str) -> float:
        """When the service knows."""
        return self.at + self._lag_of(service)

    def flaps_until(self, service: str) -> float:
        """When the service begins to stay with what it knows."""
        return self.heard_at(service) + (self.lag.flapping if self._lag_of(service) else 0)

    def _lag_of(self, service: str) -> float:
        return (self.lag.new if self.alive else self.lag.dead).get(service, 0.0)


@dataclass(slots=True)
class Use:
    """One request that succeeded."""

    at: float
    service: str
    region: str


@dataclass(slots=True)
class KnownKey:
    """One access key, dead or alive."""

    id: str
    user: str
    secret: str = field(repr=False)
    turns: list[Turn] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    asked: dict[tuple[str, int], int] = field(default_factory=dict)

    def works(self, service: str, now: float, *, counted: bool) -> bool:
        """What the service answers; `counted` answers move the alternation on."""
        heard = [turn for turn in self.turns if turn.heard_at(service) <= now]
        if not heard:
            return False
        last = heard[-1]
        if now >= last.flaps_until(service):
            return last.alive
        place = (service, self.turns.index(last))
        turn = self.asked.get(place, 0)
        if counted:
            self.asked[place] = turn + 1
        return last.alive if turn % 2 == 0 else not last.alive

    def last_use(self, until: float) -> Use | None:
        """The latest use that is visible."""
        return max((use for use in self.uses if use.at <= until), key=lambda use: use.at, default=None)

    def age(self, seconds: float) -> None:
        """Let it have lived that much longer."""
        for turn in self.turns:
            turn.at -= seconds
        for use in self.uses:
            use.at -= seconds


class Keyring:
    """Every key that ever was."""

    def __init__(self) -> None:
        self.keys: dict[str, KnownKey] = {}
        self.lag = Lag()
        self.last_used_delay = 0.0

    def add(self, key_id: str, user: str, secret: str, now: float) -> None:
        """A key was created."""
        self.keys[key_id] = KnownKey(key_id, user, secret, [Turn(alive=True, at=now, lag=self.lag)])

    def turn(self, key_id: str, now: float, *, alive: bool) -> None:
        """A key was made active or inactive, or deleted; the same again is nothing new."""
        turns = self.keys[key_id].turns
        if turns[-1].alive != alive:
            turns.append(Turn(alive=alive, at=now, lag=self.lag))

    def settle(self, key_id: str) -> None:
        """Every service has heard all there is about this key."""
        for turn in self.keys[key_id].turns:
            turn.lag = Lag()

    def used(self, key_id: str, use: Use) -> None:
        """A request of this key succeeded."""
        if key_id in self.keys:
            self.keys[key_id].uses.append(use)

    def last_use(self, key_id: str, now: float) -> Use | None:
        """The latest use that is visible now."""
        return self.keys[key_id].last_use(now - self.last_used_delay)
