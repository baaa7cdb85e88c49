"""One case of the campaign: prepare, let one call go wrong, look at the wreck, recover, and look again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from credential_rotation.outcome import Outcome
from sandbox.places import PLUGINS, TESTS
from scenes.campaign.kinds import Kind, Value
from scenes.campaign.passes import OVER, PASSES, SETTLED, UNCLAIMED, Pass, run

RECOVERIES = {"rerun": "rotate", "retire": "repair"}
"""The same request again, or what the hourly `retire_credentials` does."""
WHEN = (timedelta(0), SETTLED, 2 * SETTLED, OVER, 2 * OVER, 2 * OVER + SETTLED, 3 * OVER, 4 * OVER)
"""Clocks of the recovering runs: at once, settled, past grace, past soak, and once more past each."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one case; `wrong` is empty where every promise held."""

    kind: str
    what: str
    at: int
    call: str
    fault: str
    recovery: str
    ended: str = ""
    """The outcome's word of the last recovering run."""
    wrong: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """For people: which point."""
        return f"{self.kind}, {self.what}: {self.fault} at call {self.at}, {self.call}; then {self.recovery}"


@dataclass
class Driver:
    """The process that forks for each run that goes wrong."""

    process: subprocess.Popen[str]
    accident: str = ""

    def run(self, kind: Kind, what: Pass, *, asked: datetime, at: int = 0, fault: str = "") -> dict[str, Any]:
        """The calls that were made, and how it ended."""
        case = {
            "what": what.run,
            "name": kind.name,
            "environ": kind.site.environ,
            "asked": asked.isoformat(),
            "later": what.later.total_seconds(),
            "at": at,
            "fault": fault,
            "accident": self.accident,
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(case) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def driver() -> Iterator[Driver]:
    """Ended with the block."""
    paths = f"{PLUGINS}:{TESTS}"
    with subprocess.Popen(
        [sys.executable, "-m", "scenes.campaign.driver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PYTHONPATH": paths},
    ) as process:
        yield Driver(process)
        assert process.stdin is not None
        process.stdin.close()


def prepared(kind: Kind, what: Pass) -> None:
    """Run what has to have been run before, undisturbed; grace and soak are over where the pass wants it."""
    for number, step in enumerate(what.before):
        if step == "by hand":
            kind.changed_by_hand()
            continue
        if step == "end of grace":
            run("repair", kind.name, kind.site.environ, later=OVER)
            continue
        outcome = run(step, kind.name, kind.site.environ, later=timedelta(0))
        assert outcome.outcome == "rotated", outcome
        is_last = number == len(what.before) - 1 or what.before[number + 1] == "end of grace"
        if what.is_over_between or not is_last:
            for later in (OVER, 2 * OVER):
                run("repair", kind.name, kind.site.environ, later=later)


@dataclass
class Case:
    """One point, one fault, one way to recover."""

    kind: Kind
    label: str
    what: str
    at: int
    call: str
    fault: str
    recovery: str
    _ever: set[Value] = field(default_factory=set)

    def play(self, driver: Driver) -> Result:
        """All of it."""
        what = PASSES[self.what]
        prepared(self.kind, what)
        strangers, before = self.kind.strangers(), self._minted()
        asked = datetime.now(timezone.utc) + what.later
        ended = driver.run(self.kind, what, asked=asked, at=self.at, fault=self.fault)
        wrong = [] if self.fault != "kill" or ended["killed"] else ["it was not killed"]
        wrong += self._locked_out()
        outcome = self._recover(what, asked)
        wrong += self._locked_out() + self._unclean()
        minted = self._minted() - before
        if len(minted) > 1:
            wrong.append(f"{len(minted)} versions were minted for one request")
        if self.kind.strangers() != strangers:
            wrong.append("something foreign was touched")
        where = self.label, self.what, self.at, self.call, self.fault, self.recovery
        return Result(*where, outcome.outcome, tuple(f"{one} ({outcome.reason})" for one in wrong))

    def _recover(self, what: Pass, asked: datetime) -> Outcome:
        """The ordinary runs, until nothing is left to do."""
        bitwarden, ahead = self.kind.site.bitwarden, timedelta(0)
        for later in WHEN:
            outcome = run(
                RECOVERIES[self.recovery],
                self.kind.name,
                self.kind.site.environ,
                asked=asked,
                later=what.later + later,
            )
            if outcome.outcome == "unchanged" and not self._unclean():
                break
            if outcome.outcome == "busy" and not ahead:  # a dead run's claim, which Bitwarden's clock ends
                ahead = UNCLAIMED
                bitwarden.advance_clock(ahead.total_seconds())
        bitwarden.advance_clock(-ahead.total_seconds())
        return outcome

    # --- the promises ----------------------------------------------------------------------------------

    def _locked_out(self) -> list[str]:
        """Some value stored in Bitwarden logs in."""
        if any(map(self.kind.logs_in, self._stored())) or self.kind.works_unstored():
            return []
        return ["LOCKED OUT: no stored value logs in"]

    def _unclean(self) -> list[str]:
        """CURRENT logs in and nothing else does; the journal holds CURRENT's record alone."""
        found = []
        current = next((value_in(one.value) for one in self._of_ours() if one.key == self.kind.key), None)
        if current is None:
            return [] if self.kind.works_unstored() and not self._stored() else ["there is no CURRENT"]
        if not self.kind.logs_in(current):
            found.append("CURRENT does not log in")
        alive = [value for value in self._ever | self._stored() if value != current]
        if any(map(self.kind.logs_in, alive)):
            found.append("an old value still logs in")
        records = [one for one in self._of_ours() if one.key.startswith("rotation/")]
        if len(records) > 1 or any(value_in(one.value) != current for one in records):
            found.append(f"the journal holds {[one.key for one in records]}")
        others = self.kind.beside(current) if self._epoch() else ""
        if others:
            found.append(f"on the target: {others}")
        return found

    def _of_ours(self) -> list[Any]:
        prefix = f"rotation/{self.kind.name}/"
        kept = [
            one for one in self.kind.site.secrets() if one.key == self.kind.key or one.key.startswith(prefix)
        ]
        self._ever |= {value for one in kept if (value := value_in(one.value)) is not None}
        return [one for one in kept if not one.deleted]

    def _stored(self) -> set[Value]:
        return {value for one in self._of_ours() if (value := value_in(one.value)) is not None}

    def _minted(self) -> set[Value]:
        """Every value that was ever stored, those in the trash too."""
        self._of_ours()
        return set(self._ever)

    def _epoch(self) -> int:
        keys = [one.key.split("/") for one in self._of_ours() if one.key.startswith("rotation/")]
        return max((int(key[2]) for key in keys), default=0)


def value_in(text: str) -> Value | None:
    """Who logs in and with what, in CURRENT's value or in a record's; None in what has no value."""
    if not text.startswith("{"):  # an ending's
        return None
    fields = json.loads(text)
    who = next((fields[one] for one in ("login", "username", "aws_access_key_id") if fields.get(one)), None)
    secret = fields.get("password") or fields.get("aws_secret_access_key")
    return (who or fields.get("principal"), secret) if secret else None
