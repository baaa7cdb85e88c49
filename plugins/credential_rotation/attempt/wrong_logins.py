"""What the target's own marks say of a value, for entries where a wrong login may lock the role out.

Rules this file keeps:
- Under the lock nothing is on its way, and password and stamp change in one transaction: the stamp names
  the version that was set last, and no stamp means that none was.
- What a person may have set has no stamp: nothing is concluded against it. What revokes was never a person's.
- A conclusion is told as one, never as an answer to a login.
"""

from __future__ import annotations

from credential_rotation.attempt.look import Look
from credential_rotation.model import UNMANAGED_EPOCH, Answer, Probe, Record, Stamp, Strategy

NEVER_SET = "not tried: the target's stamp says that this version was never set"
ENDED = "not tried: the target's stamp says that this version was ended"


def weigh(look: Look, principal: str, stamp: Stamp | None) -> None:
    """Expect what the stamp speaks for, and rule out what it speaks against."""
    if look.credential.max_wrong_logins is None:
        return
    current = look.stored.current
    newer = [record for record in look.heirs if record.secret.principal == principal]
    for record in newer:
        if is_named(record, stamp):
            look.expect(record.secret)
        elif current is not None or record.revokes or (stamp is None and record.epoch > UNMANAGED_EPOCH):
            look.rule_out(record.secret, NEVER_SET)
    if current is not None and not any(is_named(record, stamp) for record in newer):
        look.expect(current.secret)
    if look.credential.strategy is Strategy.ALTERNATING:
        _weigh_older(look, principal, stamp)


def _weigh_older(look: Look, principal: str, stamp: Stamp | None) -> None:
    """Of a pair, the replaced role's value lives on until the stamp of its end."""
    current = look.stored.current
    if current is None or principal == current.secret.principal:
        return
    for record in look.older:
        if record.secret.principal != principal:
            continue
        if stamp is None or is_named(record, stamp):
            look.expect(record.secret)
        elif has_moved_on(record, stamp):
            look.rule_out(record.secret, ENDED)


def dead_by_catalog(look: Look, record: Record, stamp: Stamp | None) -> Probe:
    """Whether the stamp proves that a replaced value is dead; CURRENT has just been seen to log in."""
    where, current = look.credential.target.host, look.stored.current
    if current is not None and record.secret.principal == current.secret.principal:
        own = look.own
        named = (
            "and the stamp that was committed with it names CURRENT's version"
            if own is not None and is_named(own, stamp)
            else "though the stamp does not name CURRENT's version"
        )
        why = f"not tried; a role has one password, CURRENT's logs in, {named}"
        return Probe(Answer.REFUSED, where, why)
    if stamp is not None and has_moved_on(record, stamp):
        why = "not tried; the stamp says that its password was taken away or replaced in the same transaction"
        return Probe(Answer.REFUSED, where, why)
    return Probe(Answer.UNKNOWN, where, "not tried; no stamp says that its password was taken away")


def is_named(record: Record, stamp: Stamp | None) -> bool:
    """Whether the stamp is the one that this version's apply left."""
    return stamp is not None and (record.epoch, record.attempt) == (stamp.epoch, stamp.attempt)


def has_moved_on(record: Record, stamp: Stamp) -> bool:
    """Whether the stamp is that of the version's end, or of what was set after it."""
    return stamp.epoch > record.epoch or (stamp.epoch == record.epoch and stamp.attempt != record.attempt)
