"""Explores one pass: every call x every way to fail; after every call the promises, from the truth.

Rules this file keeps:
- What is asserted is read from the simulators, never from what the attempt says of itself.
- The answer is the first broken promise, so that a planted accident can be asked for it too.
- Not asserted, because no protocol can give it (docs/protocol.md): what an old write of CURRENT that lands
  late does to readers; it is repaired from the record, so that here too some stored value logs in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from credential_rotation.model import Record, Secret
from simulators.scene import SETTLE, Scene
from simulators.world import Crash, Fault

MINUTE = timedelta(minutes=1)
KINDS = ("crash before", "crash after", "answer lost")
CHANGING = (
    *("create record", "create intent", "create ending", "write CURRENT", "delete"),
    *("apply", "kill", "mint", "deactivate", "activate", "remove"),
)


class Broken(BaseException):
    """A promise is broken."""


@dataclass(frozen=True)
class Pass:
    """One kind of pass: the scene that it finds, what it does, and what a person does before and after."""

    make: Callable[[], Scene]
    act: Callable[[Scene], object]
    meddle: Callable[[Scene], None] = lambda _: None
    """A person, after the pass that went wrong."""
    readers: bool = True
    """Whether readers may always log in; compromise mode kills what they read."""
    foreign: frozenset[str] = frozenset()
    """Keys that a person made and nobody recorded."""
    theirs: Secret | None = None
    """A value that a person set on the target and that nobody stored: never overwritten."""
    may_page: str = ""
    """What ordinary runs may stop at, with a page, where an effect lands late; readers still log in."""
    ends: bool = True
    """Whether ordinary runs end clean; they do not where only a person can go on."""


class Watch:
    """Looks after every call."""

    def __init__(self, scene: Scene, of: Pass) -> None:
        self.scene, self.of = scene, of
        self.known = set(scene.vault.values())
        self.begun = scene.somebody_can_log_in
        self.readers = of.readers and scene.readers_can_log_in and (scene.pair or scene.keys)
        self._record = scene.vault.record
        scene.vault.record = self.record  # type: ignore[method-assign]  # looks, and passes on
        scene.world.after_each = self.look

    def record(self, **fields: object) -> Record:
        """A version is begun: none may be open."""
        if self._open() - {fields["secret"]}:
            raise Broken("a second version was begun while one was open")
        return self._record(**fields)  # type: ignore[arg-type]  # passed on as it came

    def _open(self) -> set[Secret]:
        records = list(self.scene.vault.records.values())
        own = [one for one in records if one.secret == self.scene.current]
        newest = max((one.order for one in own), default=None)
        return {one.secret for one in records if newest is not None and one.order > newest}

    def look(self) -> None:
        for promise in self.broken():
            raise Broken(promise)

    def broken(self) -> Iterator[str]:
        """The promises that do not hold at this moment."""
        scene = self.scene
        stored = scene.vault.values()
        self.known |= stored
        self.begun = self.begun or scene.somebody_can_log_in
        if self.begun and not scene.somebody_can_log_in:
            yield "no stored value logs in"
        if self.readers and not scene.readers_can_log_in:
            yield "readers are refused"
        if scene.account.asked_for_a_third:
            yield "a third key was asked for"
        if scene.target.applied != sorted(scene.target.applied):
            yield "an older version was applied over a newer one"
        yield from self._touched()
        if any(scene.accepts(one) for one in self.known - stored):
            yield "a living value was forgotten"
        if not scene.keys and self._unstored_password(stored):
            yield "the target knows a value that the vault does not"
        retired = scene.world.calls and scene.world.calls[-1].endswith(("kill", "deactivate"))
        if retired and not scene.readers_can_log_in:
            yield "something was retired while CURRENT does not log in"

    def _touched(self) -> Iterator[str]:
        """What a person made and we changed."""
        scene, of = self.scene, self.of
        if any(login not in scene.account.keys for login in of.foreign):
            yield "a person's key was deleted"
        if any(not scene.account.keys[login].is_active for login in of.foreign):
            yield "a person's key was made inactive"
        if of.theirs is not None and not scene.accepts(of.theirs):
            yield "a person's value was overwritten by guess"

    def _unstored_password(self, stored: set[Secret]) -> bool:
        live = {Secret(name, word) for name, word in self.scene.target.passwords.items() if word}
        return bool(self.begun and live - stored - {self.of.theirs})


def faults(one: Pass) -> list[Fault]:
    """Every call x every way to fail; what is late lands at each of the calls that follow."""
    scene = one.make()
    scene.world.calls.clear()
    one.act(scene)
    calls = list(enumerate(scene.world.calls, start=1))
    late = [at for at, call in calls if call.endswith(CHANGING)]
    found = [Fault(at, kind) for at, _ in calls for kind in KINDS]
    return found + [Fault(at, "late", lands) for at in late for lands in range(1, 2 * len(calls))]


def first_broken(one: Pass, planned: tuple[Fault | None, ...] | None = None) -> str | None:
    """The first broken promise of all ways for this pass to go wrong (or of those planned), or None."""
    for fault in (None, *faults(one)) if planned is None else planned:
        scene = one.make()
        try:
            _go(scene, one, fault)
        except (Broken, AssertionError) as broken:
            return f"{broken}: {fault}, {scene.world.calls}"
    return None


def _go(scene: Scene, one: Pass, fault: Fault | None) -> None:
    scene.world.calls.clear()
    watch = Watch(scene, one)
    scene.world.fault = fault
    with suppress(Crash):
        one.act(scene)
    one.meddle(scene)
    watch.look()
    scene.run()
    for _ in range(5):
        scene.run()
        scene.world.pass_time(SETTLE + MINUTE)
    watch.look()
    if not one.ends:
        return
    last = [scene.run(), scene.run()][-1]
    is_late = fault is not None and fault.kind == "late"
    if one.may_page and is_late and one.may_page in last.reason and scene.readers_can_log_in:
        return
    if last.outcome != "unchanged" or scene.vault.intents or scene.vault.endings or len(scene.epochs) != 1:
        raise Broken(f"ordinary runs do not end clean: {last.outcome}, {last.reason}")
    if not scene.readers_can_log_in:
        raise Broken("CURRENT does not log in after ordinary runs")
    if scene.keys and len(scene.account.keys) > 1 + len(one.foreign):
        raise Broken("a key is left over")
    scene.world.pass_time(timedelta(days=91))
    if not one.foreign and scene.tick().outcome != "rotated":
        raise Broken("the next rotation does not succeed")
