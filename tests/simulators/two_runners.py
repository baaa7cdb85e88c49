"""Explores two runners that take turns call by call: every place for two switches, then drawn schedules.

Rules this file keeps:
- The promises are those of one runner (`exploration`), looked at after every call of either.
- What stops counts as asleep: what becomes of its lock meanwhile is the case's `asleep`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count, pairwise
from random import Random

from simulators.exploration import Broken, Pass, first_broken
from simulators.scene import Scene
from simulators.turnstile import Turnstile, turnstile

FIRST, SECOND = "A", "B"
Let = Callable[[str, "int | None"], bool]
Schedule = Callable[[Let], None]
"""Lets the two go on, by name and number of calls, until neither has anything left to do."""


@dataclass(frozen=True)
class Two:
    """Two passes over one credential at once."""

    of: Pass
    """The scene, the first's pass, and what is promised."""
    second: Callable[[Scene], object]
    asleep: Callable[[Scene], None] = lambda _: None
    """What becomes of the lock of one that has stopped while it held it."""
    both_sleep: bool = True
    """Or only the first one does."""
    is_interrupted: bool = True
    """Whether the first goes on before the second has ended."""
    after: Callable[[Scene, Turnstile], None] = lambda *_: None
    """What has to hold when both have ended, before anything else runs."""

    def as_pass(self, schedule: Schedule) -> Pass:
        """Both, in this order of calls."""

        def act(scene: Scene) -> None:
            acts = {FIRST: lambda: self.of.act(scene), SECOND: lambda: self.second(scene)}
            with turnstile(scene.world, acts) as stands:

                def let(name: str, calls: int | None) -> bool:
                    is_over = stands.let(name, calls)
                    if not is_over and (self.both_sleep or name == FIRST):
                        self.asleep(scene)
                    return is_over

                schedule(let)
            self.after(scene, stands)

        return replace(self.of, act=act, requests=2)


def two_switches(two: Two) -> Iterator[tuple[str, str | None]]:
    """Each way to come between the first's calls and to be interrupted there once: what was broken by it."""
    for before in count():
        for between in count(1) if two.is_interrupted else (None,):
            once = _Between(before, between)
            yield (
                f"{before} calls of A, {between or 'all'} of B",
                first_broken(two.as_pass(once.play), (None,)),
            )
            if once.second_is_over:
                break
        if once.first_is_over:
            return


@dataclass
class _Between:
    """So many calls of the first, so many of the second, then each to its end."""

    before: int
    between: int | None
    first_is_over: bool = False
    second_is_over: bool = False

    def play(self, let: Let) -> None:
        self.first_is_over = let(FIRST, self.before)
        self.second_is_over = let(SECOND, self.between)
        let(FIRST, None)
        let(SECOND, None)


def drawn(two: Two, seed: int) -> tuple[str, str | None]:
    """Turns of a few calls each, drawn by a seed."""

    def schedule(let: Let) -> None:
        draw = Random(seed)  # noqa: S311 - no secret
        left = {FIRST, SECOND}
        while left:
            name = draw.choice(sorted(left))
            if let(name, draw.randint(1, 5)):
                left.discard(name)

    return f"seed {seed}", first_broken(two.as_pass(schedule), (None,))


# --- what becomes of a lock ------------------------------------------------------------------------------


def lost(two: Two, asleep: Callable[[Scene], None], **more: object) -> Two:
    """The same, where whoever stops loses the lock."""
    of = replace(two.of, alone=False, readers=False, may_page="made inactive")
    return replace(two, of=of, asleep=asleep, **more)  # type: ignore[arg-type]  # fields of Two


def end_session(scene: Scene) -> None:
    """With the session that holds it."""
    scene.target.end_session()


def forget_lock(scene: Scene) -> None:
    """Without it."""
    scene.target.forget_lock()


def asleep(how_long: timedelta) -> Callable[[Scene], None]:
    """A claim ends by itself."""

    def sleep(scene: Scene) -> None:
        if scene.account.holder is not None:
            scene.world.pass_time(how_long)

    return sleep


# --- what holds when both have ended ---------------------------------------------------------------------


def current_logs_in(scene: Scene, _: Turnstile) -> None:
    """At once, without any further run."""
    if scene.current is not None and not scene.readers_can_log_in:
        raise Broken("CURRENT does not log in when both have ended")


def nobody_is_called(_: Scene, stands: Turnstile) -> None:
    """Two at once are no trouble: at most a wish is refused, and nothing is left to see to."""
    for name in (FIRST, SECOND):
        said = stands.said(name)
        if said is not None and not (said.is_done or said.heals_by_itself or said.outcome == "refused"):
            raise Broken(f"{name} calls a person: {said.outcome}, {said.reason}")


def said_done_unread(_: Scene, stands: Turnstile) -> None:
    """Who says rotated has read CURRENT after the write: another one, right behind it, would be seen."""
    said = stands.said(FIRST)
    behind = any(
        before.endswith("write CURRENT") and after.startswith(SECOND) and "write CURRENT" in after
        for before, after in pairwise(stands.calls)
    )
    if behind and said is not None and said.outcome == "rotated":
        raise Broken("rotated was said of a CURRENT that was not read back")
