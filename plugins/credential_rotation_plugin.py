"""What Airflow registers of this bundle: the page "Credentials", and what makes its tasks quick.

A task is forked from the scheduler (LocalExecutor) or from a Celery worker, and imports anew what these have
not: psycopg and this bundle cost half a second of a core, five times a rotation. So these processes load both
once, for all their tasks; after an upgrade they have to be restarted, as for any plugin of Airflow's.

Rules this file keeps:
- No I/O, and no error where a package is missing.
- The page's app imports its framework at the first request, which only the api-server gets.
- Nothing is loaded ahead in the api-server, the dag-processor or a command.
"""

from __future__ import annotations

import importlib.util
import sys

from airflow.plugins_manager import AirflowPlugin

from credential_rotation.ui.lazy import CredentialsApp

LOADED_AHEAD = (
    "psycopg",
    "bitwarden_vault.backend.connections",
    "bitwarden_vault.start",
    "credential_rotation.tasks.mapped",
    "credential_rotation.engines.postgres.rotator",
)
VERSIONS = {"bitwarden_vault.build": "build", "credential_rotation.inventory.kept": "code"}
_FORKS_TASKS = (["scheduler"], ["celery", "worker"])


def _forks_tasks(words: list[str]) -> bool:
    """Whether `airflow <words>` is a process that tasks are forked from."""
    return any(words[: len(known)] == known for known in _FORKS_TASKS)


def load_ahead() -> None:
    """What is installed of it."""
    for name in LOADED_AHEAD:
        if importlib.util.find_spec(name.partition(".")[0]) is not None:
            importlib.import_module(name)
    if "credential_rotation.tasks.asset_events" in sys.modules:
        importlib.import_module("credential_rotation.tasks.asset_events").load_handlers()
    for name, version in VERSIONS.items():  # of the code that tasks inherit
        if name in sys.modules:
            getattr(importlib.import_module(name), version)()


class CredentialRotationPlugin(AirflowPlugin):
    """The page, in a frame of Airflow's own; addresses are relative, so that a base path does not matter."""

    name = "credential_rotation"
    fastapi_apps = [  # noqa: RUF012 - as Airflow declares it
        {"app": CredentialsApp(), "url_prefix": "/credential_rotation", "name": "Credentials"}
    ]
    external_views = [  # noqa: RUF012 - as Airflow declares it
        {
            "name": "Credentials",
            "href": "credential_rotation/",
            "destination": "nav",
            "url_route": "credentials",
            "icon": "credential_rotation/static/key.svg",
            "icon_dark_mode": "credential_rotation/static/key-dark.svg",
            "nav_top_level": True,
        }
    ]


if _forks_tasks(sys.argv[1:]):
    load_ahead()
