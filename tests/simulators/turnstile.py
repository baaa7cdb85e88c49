"""Lets runners go one call at a time, in the order that a test decides.

Rules this file keeps:
- One runner moves at a time; it stops before the call that its share no longer covers, so that a schedule
  says for certain what happens in which order. Runners are greenlets: nothing else could switch between them.
- A runner that is never let go again is a process that was killed where it stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from greenlet import getcurrent, greenlet

from credential_rotation.outcome import Outcome
from simulators.world import Crash, World

T = TypeVar("T")
Act = Callable[[], object]


class _Runner:
    def __init__(self, name: str, act: Act) -> None:
        self.name, self._act = name, act
        self.place = greenlet(self._run)
        self.said: object = None
        self.failure: BaseException | None = None

    @property
    def is_over(self) -> bool:
        return self.place.dead

    def _run(self) -> None:
        try:
            self.said = self._act()
        except Crash:
            pass
        except BaseException as failure:  # noqa: BLE001 - raised again by whoever let it go
            self.failure = failure


class Turnstile:
    """Stands before every call of the world."""

    def __init__(self, world: World, acts: Mapping[str, Act]) -> None:
        self._runners = {name: _Runner(name, act) for name, act in acts.items()}
        self.calls = world.calls
        self._call = world.do
        self._test = getcurrent()
        self._left: int | None = None
        self._moving = ""
        self._is_closed = False

    def let(self, name: str, calls: int | None = None) -> bool:
        """Let one go on for so many calls, or to its end; whether it has ended. Raises: what it raised."""
        runner = self._runners[name]
        if runner.is_over:
            return True
        self._moving, self._left = name, calls
        runner.place.switch()
        if runner.failure is not None:
            raise runner.failure
        return runner.is_over

    def said(self, name: str) -> Outcome | None:
        """How one ended; None while it has not."""
        said = self._runners[name].said
        return said if isinstance(said, Outcome) else None

    def do(self, name: str, commit: Callable[[], T]) -> T:
        """A call of the runner that moves: it stops before it where its share is used up."""
        runner = self._runners[self._moving]
        if self._left == 0:
            self._test.switch()
        if self._is_closed:
            raise Crash
        if self._left is not None:
            self._left -= 1
        return self._call(f"{runner.name}: {name}", commit)

    def close(self) -> None:
        """Whoever still stands somewhere is killed there."""
        self._is_closed = True
        for runner in self._runners.values():
            if runner.place:  # begun, and not over
                self._moving = runner.name
                runner.place.switch()


@contextmanager
def turnstile(world: World, acts: Mapping[str, Act]) -> Iterator[Turnstile]:
    """From here to the end of the block every call passes it."""
    stands = Turnstile(world, acts)
    world.do = stands.do  # type: ignore[method-assign]  # stops, and passes on
    try:
        yield stands
    finally:
        stands.close()
        del world.do
