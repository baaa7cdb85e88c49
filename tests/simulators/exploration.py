"""Explores one pass: every call x every way to fail; after every call the promises, from the truth.

Rules this file keeps:
- What is asserted is read from the simulators, never from what the attempt says of itself.
- The answer is the first broken promise, so that a planted accident can be asked for it too.
- What only a lock can give is not asserted where the case takes the lock away (`Pass.alone`).
- Not asserted, because no protocol can give it (docs/protocol.md): what an old write of CURRENT that lands
  late does to readers; it is repaired from the record, so that here too some stored value logs in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from credential_rotation.model import Record, Secret
from credential_rotation.outcome import Outcome
from simulators.scene import SETTLE, Scene
from simulators.world import Crash, Fault

MINUTE = timedelta(minutes=1)
KINDS = ("crash before", "crash after", "answer lost")
ENDS = ("kill", "deactivate")
LATE = ("late", "crash, late")
CHANGING = (
    *("create record", "create intent", "create ending", "write CURRENT", "delete"),
    *("apply", "kill", "mint", "deactivate", "activate", "remove", "restamp"),
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
    alone: bool = True
    """Whether locks hold, so that nobody begins while a version is open; the vault itself fences nobody."""
    theirs: Secret | None = None
    """A value that a person set on the target and that nobody stored: never overwritten."""
    brings: Secret | None = None
    """A value that a person sets on the target meanwhile: they know it, whatever becomes of CURRENT."""
    may_page: str = ""
    """What ordinary runs may stop at, with a page, in the cases of `Watch.may_page`."""
    again: Callable[[Scene, datetime], object] = lambda scene, _: scene.run()
    """The ordinary runs; they may repeat what was asked for at that time, which mints no second version."""
    requests: int = 1
    """How many ask for a new version, each for one."""
    ends: bool = True
    """Whether ordinary runs end clean; they do not where only a person can go on."""


class Watch:
    """Looks after every call."""

    def __init__(self, scene: Scene, of: Pass, fault: Fault | None) -> None:
        self.scene, self.of = scene, of
        self.fault = fault
        self.known = set(scene.vault.values())
        self.begun = scene.somebody_can_log_in
        self.readers = of.readers and scene.readers_can_log_in and (scene.pair or scene.keys)
        self._record = scene.vault.record
        scene.vault.record = self.record  # type: ignore[method-assign]  # looks, and passes on
        scene.world.after_each = self.look

    def record(self, **fields: object) -> Record:
        """A version is begun, unless CURRENT's own is written down: none may be open that could be seen."""
        calls = self.scene.world.calls
        is_seen = self.of.alone and not self._has_landed_unseen(len(calls))
        is_new = fields["secret"] != self.scene.current
        if is_seen and is_new and self._open() - {fields["secret"]}:
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
        is_known = any(map(scene.accepts, stored))
        self.begun = self.begun or is_known
        if self.begun and not is_known and not self._is_brought():
            yield "no stored value logs in"
        if self.readers and not scene.readers_can_log_in:
            yield "readers are refused"
        if scene.account.asked_for_a_third:
            yield "a third key was asked for"
        if scene.target.applied != sorted(scene.target.applied):
            yield "an older version was applied over a newer one"
        yield from self._touched()
        if any(scene.accepts(one) for one in self.known - stored - {self.of.brings}):
            yield "a living value was forgotten"
        if not scene.keys and self._unstored_password(stored):
            yield "the target knows a value that the vault does not"
        if scene.keys:
            yield from self._ended_by_guess()
        last = scene.world.calls[-1] if scene.world.calls else ""
        is_fenced = self.of.alone or not scene.keys
        is_ours = scene.current in {record.secret for record in scene.vault.records.values()}
        if last.endswith(ENDS) and is_fenced and is_ours and not scene.readers_can_log_in:
            yield "something was retired while CURRENT does not log in"

    def _is_brought(self) -> bool:
        return self.of.brings is not None and self.scene.accepts(self.of.brings)

    def _ended_by_guess(self) -> Iterator[str]:
        """Keys that were made inactive by somebody who neither made them nor may judge them."""
        scene, opened = self.scene, {one.login for one in self._open()}
        recorded = {one.login for one in self.known}
        if not scene.world.calls or not scene.world.calls[-1].endswith("deactivate"):
            return
        for login, key in scene.account.keys.items():
            if key.is_active or key.ended_in is key.made_in:
                continue
            if login in opened and not self.may_page():
                yield "the key of an open version was ended"
            if login not in recorded and scene.world.now - key.created < SETTLE:
                yield "a key was ended before its run could write it down"

    def may_page(self) -> bool:
        """Whether this is a case in which ordinary runs may stop with the page that the pass names.

        A lock was lost; or a record landed when a pass had looked already that then made its key inactive.
        """
        calls = self.scene.world.calls
        if not self.of.may_page or not self.of.alone:
            return not self.of.alone
        is_record = self.fault is not None and calls[self.fault.at - 1].endswith("create record")
        ended = next((at for at, call in enumerate(calls) if call.endswith("deactivate")), 0)
        return is_record and self._has_landed_unseen(ended)

    def _has_landed_unseen(self, before: int) -> bool:
        """Whether something late has landed when a pass had looked for the last time before this call."""
        calls = self.scene.world.calls[:before]
        looked = max((at for at, call in enumerate(calls) if call.endswith("look")), default=0)
        return any(at > looked + 1 for at in self.scene.world.landed)

    def _touched(self) -> Iterator[str]:
        """What a person made and we changed."""
        keys, of = self.scene.account.keys, self.of
        foreign = self.scene.account.by_hand
        if any(login not in keys for login in foreign):
            yield "a person's key was deleted"
        if any(not keys[login].is_active for login in foreign & set(keys)):
            yield "a person's key was made inactive"
        if of.theirs is not None and not self.scene.accepts(of.theirs):
            yield "a person's value was overwritten by guess"

    def _unstored_password(self, stored: set[Secret]) -> bool:
        live = {Secret(name, word) for name, word in self.scene.target.passwords.items() if word}
        return bool(self.begun and live - stored - {self.of.theirs, self.of.brings})


def faults(one: Pass) -> list[Fault]:
    """Every call x every way to fail; what is late lands at each of the calls that follow."""
    scene = one.make()
    scene.world.calls.clear()
    one.act(scene)
    calls = list(enumerate(scene.world.calls, start=1))
    late = [at for at, call in calls if call.endswith(CHANGING)]
    found = [Fault(at, kind) for at, _ in calls for kind in KINDS]
    found += [Fault(at, "late", lands) for at in late for lands in range(1, 2 * len(calls))]
    return found + [Fault(at, "crash, late", lands) for at in late for lands in range(1, len(calls))]


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
    asked, applied = scene.world.now, set(scene.target.applied)
    watch = Watch(scene, one, fault)
    scene.world.fault = fault
    with suppress(Crash):
        one.act(scene)
    one.meddle(scene)
    watch.look()
    scene.run()
    for _ in range(5):
        one.again(scene, asked)
        scene.world.pass_time(SETTLE + MINUTE)
    one.again(scene, asked)
    watch.look()
    is_late = fault is not None and fault.kind in LATE
    if one.alone and len(set(scene.target.applied) - applied) > one.requests + is_late:
        raise Broken("one request has made more than one version")
    if not one.ends:
        return
    last = [scene.run(), scene.run()][-1]
    if _may_page(scene, one, last, watch):
        return
    if last.outcome != "unchanged" or scene.vault.intents or scene.vault.endings or len(scene.epochs) != 1:
        raise Broken(f"ordinary runs do not end clean: {last.outcome}, {last.reason}")
    if not scene.readers_can_log_in:
        raise Broken("CURRENT does not log in after ordinary runs")
    if scene.keys and len(scene.account.keys) > 1:
        raise Broken("a key is left over")
    scene.world.pass_time(timedelta(days=91))
    if scene.tick().outcome != "rotated":
        raise Broken("the next rotation does not succeed")


def _may_page(scene: Scene, one: Pass, last: Outcome, watch: Watch) -> bool:
    """Whether stopping with a page is an end, too."""
    if last.outcome == "unchanged":
        return False
    if one.brings is not None and scene.accepts(one.brings):
        return "refuses CURRENT and every record" in last.reason
    is_named = bool(one.may_page) and one.may_page in last.reason
    return is_named and watch.may_page() and scene.readers_can_log_in
