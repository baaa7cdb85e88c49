"""The nouns of a rotation, all frozen.

Rules this file keeps:
- Secret material lives in `Secret.password`, and of CURRENT in its text as Bitwarden has it, `Current.value`
  and `Current.note` (where people write what they want); no repr shows them.
- PENDING and PREVIOUS are not places but comparisons: a record is newer or older than CURRENT's own.
- Moments are aware UTC datetimes, durations are timedeltas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

UNMANAGED_EPOCH = 0
"""The epoch of a value that was there before us: known, recorded, and due to be replaced."""


class Strategy(str, Enum):
    """How a new version takes over from the old one."""

    IN_PLACE = "in_place"
    ALTERNATING = "alternating"
    OVERLAPPING = "overlapping"
    BY_HAND = "by_hand"
    """No tool can do it: a person does, and says so."""


class Answer(str, Enum):
    """What a probe found out. `UNKNOWN` is never taken for a no."""

    WORKS = "works"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Secret:
    """What logs a principal in: a role and its password, or a key id and its secret."""

    principal: str
    password: str = field(repr=False)
    login: str = ""
    """What is sent as user name where that is not the principal (an access key id)."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The answer of one place to one value, and why."""

    answer: Answer
    where: str
    why: str = ""
    next_step: str = ""
    """Where the answer itself tells what a person has to do."""
    awaits_person: bool = False
    """Nobody can be asked but a person, who has not given their word yet."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Our version mark on the target."""

    epoch: int
    attempt: str
    journal: str


@dataclass(frozen=True, slots=True)
class Record:
    """One version's secret in the journal: written once, deleted only after it is proved dead."""

    id: str
    epoch: int
    attempt: str
    written: datetime
    """When the version was minted, from the record's key."""
    revised: datetime
    """Bitwarden's own date of the record, the base for settling."""
    secret: Secret
    revokes: bool = field(default=False, kw_only=True)
    """Made in compromise mode: what was before it may be in wrong hands."""

    @property
    def order(self) -> tuple[int, datetime, str]:
        """Newer versions compare greater; ties of epoch (two runners) are broken the same way by all."""
        return (self.epoch, self.written, self.attempt)


@dataclass(frozen=True, slots=True)
class Intent:
    """Written before the target is asked to make a value: what is there now is not ours to judge later."""

    id: str
    epoch: int
    attempt: str
    written: datetime
    revised: datetime
    there: tuple[str, ...]
    """The logins (key ids) that the principal had."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Written before a replaced key is made inactive: its soak counts from here.

    Of a password: behind a revocation, once the sessions that were opened with it are ended.
    """

    id: str
    epoch: int
    attempt: str
    """Of the version that is being ended."""
    written: datetime


@dataclass(frozen=True, slots=True)
class Key:
    """A login of the principal, as the target lists it."""

    login: str
    is_active: bool
    created: datetime
    last_used: str = ""
    """For people: when and by which service, as far as the target tells."""


@dataclass(frozen=True, slots=True)
class Current:
    """The secret that consumers read, as found in the vault."""

    id: str
    key: str
    """The secret's name in Bitwarden, which every write repeats."""
    secret: Secret
    revised: datetime
    epoch: int | None
    """From our block in its note; None where we never wrote it."""
    attempt: str | None
    value: str = field(repr=False)
    note: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stored:
    """All that the vault holds on one credential, records newest first."""

    current: Current | None
    records: tuple[Record, ...]
    duplicates: tuple[Current, ...] = ()
    """Further secrets of ours with CURRENT's key and value, left by a create whose answer was lost."""
    intents: tuple[Intent, ...] = ()
    """Newest first; only of strategies whose target makes the values."""
    endings: tuple[Ending, ...] = ()

    @property
    def own(self) -> Record | None:
        """CURRENT's own record: the newest one that holds its value."""
        if self.current is None:
            return None
        return next((record for record in self.records if record.secret == self.current.secret), None)

    def is_overtaken_by(self, now: Stored) -> bool:
        """Whether somebody has written a version, or another CURRENT, between this view and a later one."""
        return self.current != now.current or {one.id for one in self.records} != {
            one.id for one in now.records
        }


@dataclass(frozen=True, slots=True)
class Target:
    """Where a principal logs in. The engine knows what the settings mean."""

    host: str
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class VaultPlace:
    """Where consumers read the credential, and in which form."""

    project: str
    format: str
    key: str | None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class EntryAdmin:
    """The admin is another entry of the inventory."""

    name: str


@dataclass(frozen=True, slots=True)
class ConnectionAdmin:
    """The admin is an Airflow connection."""

    conn_id: str


@dataclass(frozen=True, slots=True)
class Consumer:
    """Somebody who uses the credential, with a proof of their own."""

    kind: str
    name: str
    owner: str | None = None


class CatchUp(str, Enum):
    """What becomes of a version whose whole window went by with nobody there to rotate it."""

    NEXT_WINDOW = "next_window"
    AT_ONCE = "at_once"


@dataclass(frozen=True, slots=True)
class Window:
    """The hours in which new versions may begin, by the clock of one place."""

    opens: timedelta
    """Since midnight."""
    closes: timedelta
    """Since midnight; not later than `opens` means on the day after."""
    days: frozenset[int] = frozenset(range(7))
    """The weekdays on which it opens, Monday is 0."""
    timezone: str = "UTC"

    @property
    def length(self) -> timedelta:
        """By the wall clock; zero where it opens and closes at one time."""
        spans = self.closes - self.opens
        return spans if spans >= timedelta(0) else spans + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """New versions begin only when another person has said yes."""

    within: timedelta = timedelta(hours=8)
    """So long a request waits for its answer."""
    by: tuple[str, ...] = ()
    """Who may answer; empty: whoever Airflow lets answer, but never who asked."""
    again: timedelta = timedelta(days=1)
    """How long after a request without a yes the schedule asks again."""


@dataclass(frozen=True, slots=True)
class Policy:
    """When a credential is due, and how long the old value may live on.

    At most one of `max_age` and `cron`; with neither it is due only when asked (`manual`).
    """

    name: str
    max_age: timedelta | None = None
    """No version gets older than this, so that window and jitter begin early rather than late."""
    grace: timedelta = timedelta(0)
    pause: bool = False
    cron: str | None = None
    timezone: str = "UTC"
    """The clock that `cron` means."""
    window: Window | None = None
    jitter: timedelta = timedelta(0)
    share: timedelta = timedelta(0)
    """This credential's own part of the jitter, fixed by its name."""
    soak: timedelta = timedelta(days=1)
    """How long an old cloud key stays inactive before it is deleted."""
    catch_up: CatchUp = CatchUp.NEXT_WINDOW
    approval: ApprovalRule | None = None
    """None: nobody is asked."""

    @property
    def is_scheduled(self) -> bool:
        """It falls due by itself."""
        return self.max_age is not None or self.cron is not None


@dataclass(frozen=True, slots=True)
class Limits:
    """The brake: how much one run may do, and how much may go wrong in it."""

    per_tick: int = 20
    """New versions that one run begins."""
    stop_after_failures: int = 3
    """Failures in a row after which nothing new begins in that run."""


USUAL_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Credential:
    """One inventory entry."""

    name: str
    engine: str
    strategy: Strategy
    principals: tuple[str, ...]
    target: Target
    vault: VaultPlace
    policy: Policy
    owner: str
    source: str
    """File and line of the entry, for messages."""
    endpoints: tuple[Target, ...] = ()
    admin: EntryAdmin | ConnectionAdmin | None = None
    """None: the principal changes itself."""
    consumers: tuple[Consumer, ...] = ()
    tags: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    queue: str | None = None
    pool: str | None = None
    prove_dead: str = "login"
    max_wrong_logins: int | None = None
    """0: a value that may be wrong is not tried at the target; None: each once."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What only the engine understands (`password_hashing`, `stamp`, …)."""
