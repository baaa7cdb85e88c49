"""Another secrets backend behind ours: Airflow has one slot, and many have filled it already.

It is made on first use and asked as Airflow would ask it, teams included.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from bitwarden_vault.errors import Misconfigured


class NextBackend:
    """The wrapped backend."""

    def __init__(self, path: str, kwargs: Mapping[str, Any]) -> None:
        self.path, self._kwargs = path, kwargs
        self._made: Any = None

    def ask(self, method: str, name: str, team_name: str | None, connection_class: type | None) -> Any:  # noqa: ANN401 - any backend
        """Its answer. Raises: Misconfigured, and whatever it raises."""
        if self._made is None:
            self._made = self._make()
        if connection_class is not None and hasattr(self._made, "_set_connection_class"):
            self._made._set_connection_class(connection_class)  # noqa: SLF001 - Airflow's own way, since 3.2
        call = getattr(self._made, method)
        if method == "get_config" or not _takes_team(call):
            return call(name)
        return call(name, team_name=team_name)

    def _make(self) -> Any:  # noqa: ANN401 - any backend
        module, _, name = self.path.rpartition(".")
        try:
            backend_class = getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as wrong:
            raise Misconfigured(
                f"next_backend {self.path!r} cannot be imported: {type(wrong).__name__}"
            ) from None
        try:
            return backend_class(**self._kwargs)
        except (ImportError, AttributeError, ValueError) as wrong:
            raise Misconfigured(
                f"next_backend {self.path!r} is there and cannot be made: {type(wrong).__name__}; look at "
                "its next_backend_kwargs, and at what it needs to be installed"
            ) from None
        except TypeError as wrong:
            raise Misconfigured(
                f"next_backend {self.path!r} does not take its next_backend_kwargs"
            ) from wrong


def _takes_team(call: Callable[..., Any]) -> bool:
    """Backends from before Airflow 3.2 know no teams."""
    parameters = inspect.signature(call).parameters.values()
    return any(one.name == "team_name" or one.kind is one.VAR_KEYWORD for one in parameters)
