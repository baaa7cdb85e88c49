"""CURRENT works and a person wrote it: it gets a record, and is itself left alone.

Rewriting CURRENT just to adopt it could erase a person's edit by a write that lands late.
"""

from __future__ import annotations

from credential_rotation.attempt.look import Look
from credential_rotation.attempt.turn import Turn
from credential_rotation.model import UNMANAGED_EPOCH


def adopt(turn: Turn, look: Look) -> None:
    """CURRENT works and has no record, or an older version's: give it one, and leave CURRENT itself alone."""
    current, own, is_put_back = look.stored.current, look.own, look.is_put_back and not turn.revokes
    if current is None or not (own is None or is_put_back) or not look.works(current.secret):
        return
    newest = look.newest_epoch
    record = turn.vault.record(
        epoch=UNMANAGED_EPOCH if newest is None else newest + 1,
        attempt=turn.id,
        written=current.revised,
        secret=current.secret,
    )
    look.add(record)
    if own is not None:
        turn.account.put_back(record, own)
    else:
        turn.account.adopted(record)
