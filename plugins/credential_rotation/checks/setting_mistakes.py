"""What `check` says of settings that no attempt reads: channels, heartbeat, state folder, exceptions.

Rules this file keeps:
- Nobody outside is asked: no Slack, no heartbeat, no object store.
- One mistake does not hide the others, and none repeats a secret.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from bitwarden_vault.state_settings import PATH
from credential_rotation.alerts.heartbeat import HEARTBEAT, insist_on_web_address
from credential_rotation.alerts.notifiers import NOTIFIERS, notifier_paths
from credential_rotation.alerts.slack_settings import CHANNEL, TOKEN, WEBHOOK, read_slack_settings
from credential_rotation.checks.approval_remarks import airflow_here
from credential_rotation.errors import BadInput
from credential_rotation.inventory.exceptions import FILE, load_exceptions

EVERYWHERE = "Mend it for the scheduler and all workers."


def setting_mistakes(environ: Mapping[str, str], include: Path) -> Iterator[BadInput]:
    """Each with the variable or file that it is about."""
    try:
        read_slack_settings(environ)
    except BadInput as wrong:
        yield wrong
    for path in notifier_paths(environ):
        why = _not_imported(path)
        if why and not _is_airflow_missing(why):
            yield BadInput(
                f"{NOTIFIERS}: {path!r} cannot be imported here ({why})",
                next_step="Mend the path, or put its folder on PYTHONPATH, for the tasks too.",
            )
    url = environ.get(HEARTBEAT, "").strip()
    try:
        if url:
            insist_on_web_address(url)
    except BadInput as wrong:
        yield wrong
    state = environ.get(PATH, "").strip()
    why = _not_usable(state) if state else ""
    if why:
        yield BadInput(f"{PATH} {state!r} cannot be used here: {why}", next_step=EVERYWHERE)
    yield from _exceptions(include)


def remarks_on_telling(environ: Mapping[str, str]) -> Iterator[str]:
    """Whether anybody is told, and who could not be looked at here."""
    paths = notifier_paths(environ)
    for path in paths:
        if _is_airflow_missing(_not_imported(path)):
            yield f"{NOTIFIERS}: {path!r} was not looked at: Airflow is not installed here"
    try:
        is_slack = read_slack_settings(environ) is not None
    except BadInput:
        return  # told among the mistakes
    if not is_slack and not paths:
        yield (
            "neither Slack nor a notifier is set: nobody is told when a person is needed. "
            f"Set {TOKEN} and {CHANNEL}, {WEBHOOK}, or {NOTIFIERS}."
        )


def _not_imported(path: str) -> str:
    """Why this is not there; an exception's text may hold a secret of the notifier's own settings."""
    module, _, name = path.replace(":", ".").rpartition(".")
    try:
        getattr(import_module(module), name)
    except ModuleNotFoundError as missing:
        return f"no module {missing.name}"
    except Exception as wrong:  # noqa: BLE001 - other people's code may raise anything
        return type(wrong).__name__
    return ""


def _is_airflow_missing(why: str) -> bool:
    return why.startswith("no module airflow") and airflow_here() is None


def _not_usable(path: str) -> str:
    """An address needs its library; a folder has to be one, or to be made by this user."""
    scheme, is_address, _ = path.partition("://")
    if is_address:
        try:
            import_module("fsspec").get_filesystem_class(scheme)  # comes with Airflow, and has no types
        except (ImportError, ValueError) as wrong:
            return f"{wrong}. It is read with fsspec, as Airflow reads such addresses"
        return ""
    there = Path(path)
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        return f"there is {there}, which is no folder"
    return "" if os.access(there, os.W_OK | os.X_OK) else f"this user may not write into {there}"


def _exceptions(include: Path) -> Iterator[BadInput]:
    try:
        mistakes = load_exceptions(include).mistakes
    except BadInput as wrong:
        yield wrong
        return
    for mistake in mistakes:
        yield BadInput(mistake, next_step=f"Mend {FILE}: until then `discover` refuses it.")
