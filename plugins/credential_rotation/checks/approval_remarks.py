"""Policies that want a second person's yes, at the command line: it cannot ask, and says who can."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from credential_rotation.approvers import WITH_APPROVAL
from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome, told
from credential_rotation.policy import ASK, UNAPPROVED

FIRST = (3, 3)
"""The Airflow that waits for people without a triggerer, and hands the answer to the task that asked."""


def remarks_on_approval(credentials: Iterable[Credential], airflow: str | None) -> Iterator[str]:
    """`airflow` is the version that is installed here; None tells nothing: Airflow may be elsewhere."""
    guarded = [one.name for one in credentials if one.policy.approval is not None]
    found = re.match(r"(\d+)\.(\d+)", airflow or "")
    if guarded and found and (int(found[1]), int(found[2])) < FIRST:
        yield (
            f"the policy of {', '.join(guarded)} wants a second person's yes, and Airflow {airflow} cannot "
            f"ask for it: {WITH_APPROVAL} refuses, and nothing begins there, until Airflow is 3.3 or later"
        )


def refused_in_a_shell(credential: Credential) -> Outcome | None:
    """What a command answers that would begin a new version; None where nobody has to say yes."""
    if credential.policy.approval is None:
        return None
    return told(credential, "refused", UNAPPROVED, next_step=ASK)


def airflow_here() -> str | None:
    """The Airflow that is installed beside this; importing it would take seconds."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - only `check` asks

    for name in ("apache-airflow-core", "apache-airflow"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None
