"""What can keep an attempt from its end.

Rules this file keeps:
- A message says what happened and to which credential; `next_step` says what to do about it.
- Neither ever holds secret material, nor text that a server echoed without being looked at.
- The class decides the outcome that people read; nobody matches message text.
"""

from __future__ import annotations

from typing import ClassVar

AGAIN = "The next run tries again by itself."


class RotationError(Exception):
    """Base of everything that this package raises on purpose.

    `besides`: of what the next run mends by itself, what may help besides; None where a person acts first.
    """

    outcome: ClassVar[str] = "failed"

    def __init__(self, what: str, *, next_step: str, besides: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step
        self.besides = besides


class BadInput(RotationError):
    """The inventory, a setting or a request cannot mean anything; nothing was touched."""

    outcome = "refused"


class NotConfigured(BadInput):
    """A fresh drop-in: nothing has been filled in yet, so there is nothing to do."""


class Busy(RotationError):
    """Somebody else holds this credential's lock and will finish."""

    outcome = "busy"


class TargetUnknown(RotationError):
    """The target could not be asked (down, DNS, TLS, too many connections): nothing was concluded."""


class TargetRefused(RotationError):
    """The target said no, for certain: what was asked for did not happen."""


class OnlyByHand(TargetRefused):
    """What is left can be done by a person alone, and nobody can see from here that it was."""


class ApplyUnknown(RotationError):
    """The change was sent and its answer lost: it may have happened, or may still happen."""


class NoStoredValueWorks(RotationError):
    """Neither CURRENT nor any record logs in; going on by guess could lock everybody out."""


class NotOurs(RotationError):
    """What was found belongs to somebody else: another journal's stamp, a foreign principal or host."""

    outcome = "refused"


class VaultTrouble(RotationError):
    """Bitwarden could not be read or written, for certain: nothing was changed there."""


class StateTrouble(RotationError):
    """The state folder could not be read or written: what a person said is not kept."""


class VaultUnknown(RotationError):
    """A write to Bitwarden was sent and what came of it could not be found out."""
