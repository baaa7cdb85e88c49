"""The end of a replaced version: its value is ended, seen to be refused, and its record deleted.

Rules this file keeps:
- Last of all: grace is over, CURRENT works wherever it is asked, no consumer is broken, nothing settles,
  nobody is known who still reads it, and whoever takes values by hand was said to have the new one.
- Never CURRENT's value, and only what a record names; CURRENT is read again right before.
- A record goes after its value was seen to be refused, not before, by the primary and then by every endpoint;
  with `prove_dead: catalog`, after the target's own marks were read that say so, and the evidence says that
  it was not tried.
- In a revocation it goes after sessions were ended, too: by it, later runs know that there is something left.
- Of one role the next version does not wait for endpoints: the primary has refused the old value by then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from credential_rotation.attempt.awaited import is_awaited
from credential_rotation.attempt.look import Look
from credential_rotation.attempt.promotion import prove
from credential_rotation.attempt.still_read import is_still_read, tell_broken
from credential_rotation.attempt.turn import Turn
from credential_rotation.errors import VaultTrouble, VaultUnknown
from credential_rotation.model import Answer, Current, Probe, Record


def sweep(turn: Turn, look: Look) -> None:
    """Delete what is left over, once its author can write no more: CURRENT created twice, stray endings."""
    extra, stray = look.stored.duplicates, look.stray_endings
    if (extra or stray) and not turn.is_settling:
        turn.vault.delete((*(one.id for one in extra), *(one.id for one in stray)))
        endings = tuple(one for one in look.stored.endings if one not in stray)
        look.stored = replace(look.stored, duplicates=(), endings=endings)
        turn.account.step("swept", f"{len(extra) + len(stray)} secrets that an earlier attempt left over")


def retire(
    turn: Turn,
    look: Look,
    end: Callable[[Record], bool],
    *,
    by_catalog: Callable[[Record], Probe] | None = None,
) -> None:
    """Prove the replaced versions dead, then delete their records.

    `end` ends the value of a record where it lives on, and says whether it may be asked for its death now.
    `by_catalog` tells its death by what is seen, for entries that say so; None where nothing can be seen.
    """
    current = look.stored.current
    if current is None or turn.nothing_works or not look.older:
        return
    if turn.is_settling:
        turn.account.retire_waits(turn.settles_at)
        return
    if turn.is_in_grace(look):
        turn.account.in_grace(look.older, look.rests_until)
        return
    if not look.works(current.secret):
        raise look.nothing_works()
    gone = tuple(record for record in look.older if _goes(turn, look, record, end, by_catalog))
    if turn.revokes:
        turn.over = gone
    elif gone:
        _forget_records(turn, look, gone)


def forget_over(turn: Turn, look: Look) -> None:
    """Of a revocation: sessions are ended, so that nothing is left for which a later run would need these."""
    if turn.over:
        _forget_records(turn, look, turn.over)
        turn.over = ()


def speaks_against_end(turn: Turn, look: Look, record: Record, *, is_alive: bool = True) -> bool:
    """Whether something keeps a replaced value from its end.

    Readers do while it works, people who take values by hand do until they have the new one, and a CURRENT
    that is not proved again everywhere, or is not what it was. In compromise mode nothing does; those whom
    it breaks are named.
    """
    current = look.stored.current
    if turn.revokes or current is None:
        if is_alive:
            tell_broken(turn, look)
        return False
    if any([is_alive and is_still_read(turn, look), is_awaited(turn, look)]):  # both, so that both are told
        return True
    return _is_unproved(turn, look, current, record)


def _is_unproved(turn: Turn, look: Look, current: Current, record: Record) -> bool:
    if not prove(turn, current, look.own):
        why = "lives on until CURRENT is proved everywhere"
    elif turn.vault.read_back(current.id).secret != current.secret:
        why = "lives on: somebody has changed CURRENT since this run looked"
    else:
        return False
    turn.account.routine("kept", f"version {record.epoch} {why}")
    return True


def _goes(
    turn: Turn,
    look: Look,
    record: Record,
    end: Callable[[Record], bool],
    by_catalog: Callable[[Record], Probe] | None,
) -> bool:
    """Whether a record can go; one that only repeats CURRENT's value goes, and the value stays."""
    if look.stored.current is not None and record.secret == look.stored.current.secret:
        return True
    if record in turn.over or record.id in turn.dead_at_primary:  # asked in this attempt already
        return record in turn.over
    return end(record) and _is_dead(turn, look, record, by_catalog)


def _is_dead(turn: Turn, look: Look, record: Record, by_catalog: Callable[[Record], Probe] | None) -> bool:
    """Whether a replaced value is refused by now."""
    if turn.credential.prove_dead == "off":
        turn.account.old_not_asked(record, "the entry says prove_dead: off")
        return True
    if turn.credential.prove_dead == "catalog" and by_catalog is not None:
        probe = by_catalog(record)
        turn.account.old_seen(record, probe)
        return probe.answer is Answer.REFUSED
    probe = look.ask(record.secret)
    turn.account.old_answered(record, probe)
    return probe.answer is Answer.REFUSED and _is_dead_elsewhere(turn, look, record)


def _is_dead_elsewhere(turn: Turn, look: Look, record: Record) -> bool:
    """Whether every endpoint refuses it too; where no wrong login is allowed, none is made there either."""
    current = look.stored.current
    if current is None or turn.credential.max_wrong_logins is not None:
        return True
    probes = turn.rotator.ended_at_endpoints(record.secret, current=current.secret)
    for probe in probes:
        turn.account.old_answered(record, probe)
    if all(probe.answer is Answer.REFUSED for probe in probes):
        return True
    turn.dead_at_primary.add(record.id)
    return False


def holds_up(turn: Turn, look: Look) -> bool:
    """Whether the next version waits for a replaced one."""
    can_wait = turn.is_overlapping and not turn.revokes
    left = (record for record in look.older if record not in turn.over)
    return any(can_wait or record.id not in turn.dead_at_primary for record in left)


def _forget_records(turn: Turn, look: Look, gone: tuple[Record, ...]) -> None:
    """Delete the records of dead versions; where that fails, the next pass finds and deletes them."""
    versions = {(record.epoch, record.attempt) for record in gone}
    endings = [one.id for one in look.stored.endings if (one.epoch, one.attempt) in versions]
    try:
        turn.vault.delete((*(record.id for record in gone), *endings))
    except (VaultTrouble, VaultUnknown) as error:
        turn.account.retire_failed(error)
        return
    look.remove(gone)
    turn.account.retired(gone)
