"""Which engine drives an entry: a table, so that a further engine is one more line.

Drivers are imported only when an entry needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import import_module
from typing import Protocol, TypeAlias, cast, runtime_checkable

from credential_rotation.engines.mutex import Mutex
from credential_rotation.errors import BadInput
from credential_rotation.model import Credential, Secret
from credential_rotation.protocols import KeyRotator, Rotator

AdminSecret = Callable[[], Secret]


class Checked(Protocol):
    """A rotator that can also prove its privileges without using them."""

    def check_privileges(self, login: Secret | None) -> None:
        """Make the change and take it back. Raises: Busy, TargetUnknown, TargetRefused."""


@runtime_checkable
class Remarking(Protocol):
    """A rotator that sees more than yes and no."""

    def remarks(
        self, login: Secret | None, *, in_use: str | None, due: datetime | None, now: datetime
    ) -> tuple[str, ...]:
        """What will go wrong later, or for others; `due` is when the value of `in_use` is replaced.

        Raises: TargetUnknown, TargetRefused.
        """


class CheckedPasswordRotator(Checked, Rotator, Protocol):
    """Of an engine to which we bring the values."""


class CheckedKeyRotator(Checked, KeyRotator, Protocol):
    """Of an engine that makes the values itself."""


CheckedRotator: TypeAlias = CheckedPasswordRotator | CheckedKeyRotator

DATABASES = ("postgres",)
"""Engines of `rotate_database_credentials`."""
CLOUD = ("aws_iam",)
"""Engines of `rotate_cloud_credentials`: their targets have no locks, so that they need a mutex."""

_ROTATORS: Mapping[str, tuple[str, str]] = {
    "postgres": ("credential_rotation.engines.postgres.rotator", "PostgresRotator"),
    "aws_iam": ("credential_rotation.engines.aws_iam.rotator", "AwsIamRotator"),
}


ALL = tuple(_ROTATORS)


def rotator_for(
    credential: Credential, *, admin: AdminSecret | None, mutex: Mutex | None = None
) -> CheckedRotator:
    """The rotator of this entry; `mutex` is for engines in CLOUD.

    Raises: BadInput (no such engine, or what the engine refuses).
    """
    if credential.engine not in _ROTATORS:
        raise BadInput(
            f"{credential.name}: unknown engine {credential.engine!r}",
            next_step=f"Known are {', '.join(sorted(_ROTATORS))}. Mend the entry at {credential.source}.",
        )
    module, name = _ROTATORS[credential.engine]
    further = {"mutex": mutex} if credential.engine in CLOUD else {}
    if None in further.values():
        raise TypeError(f"{credential.engine} needs a mutex: its target has no lock")
    made = getattr(import_module(module), name)(credential, admin=admin, **further)
    return cast("CheckedRotator", made)
