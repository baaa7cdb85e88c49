"""Mistakes that the campaign has to find, each the breach of one rule in the product's real code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from credential_rotation import password_work, promotion
from credential_rotation.errors import ApplyUnknown
from credential_rotation.journal import Journal
from credential_rotation.look import Look
from credential_rotation.model import Record, Secret
from credential_rotation.protocols import Session
from credential_rotation.turn import Turn


def _no_record() -> None:
    """The target is changed before the value is written down anywhere (rule 1)."""

    def keep(self: Journal, *, epoch: int, attempt: str, written: datetime, secret: Secret) -> Record:
        return Record("-", epoch, attempt, written, written, secret, self.credential.target.host)

    Journal.record = keep  # type: ignore[method-assign]


def _dropped() -> None:
    """A version whose apply got no answer is given up, as if that had been a no (rule 3)."""
    real = promotion.apply

    def apply(turn: Turn, look: Look, session: Session, record: Record) -> None:
        try:
            real(turn, look, session, record)
        except ApplyUnknown:
            turn.vault.delete((record.id,))
            raise

    vars(password_work)["apply"] = apply


ACCIDENTS: Mapping[str, Callable[[], None]] = {
    "no record before apply": _no_record,
    "drop on apply error": _dropped,
}
