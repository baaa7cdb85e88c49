"""Which engine drives an entry: a table, so that a further engine is one more line.

Drivers are imported only when an entry needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Protocol, cast

from credential_rotation.errors import BadInput
from credential_rotation.model import Credential, Secret
from credential_rotation.protocols import Rotator

AdminSecret = Callable[[], Secret]


class CheckedRotator(Rotator, Protocol):
    """A rotator that can also prove its privileges without using them."""

    def check_privileges(self, login: Secret | None) -> None:
        """Make the change and take it back. Raises: Busy, TargetUnknown, TargetRefused."""


DATABASES = ("postgres",)
"""Engines of `rotate_database_credentials`."""

_ROTATORS: Mapping[str, tuple[str, str]] = {
    "postgres": ("credential_rotation.engines.postgres", "PostgresRotator"),
}


ALL = tuple(_ROTATORS)


def rotator_for(credential: Credential, *, admin: AdminSecret | None) -> CheckedRotator:
    """The rotator of this entry. Raises: BadInput (no such engine, or what the engine refuses)."""
    if credential.engine not in _ROTATORS:
        raise BadInput(
            f"{credential.name}: unknown engine {credential.engine!r}",
            next_step=f"Known are {', '.join(sorted(_ROTATORS))}. Mend the entry at {credential.source}.",
        )
    module, name = _ROTATORS[credential.engine]
    made = getattr(import_module(module), name)(credential, admin=admin)
    return cast("CheckedRotator", made)
