"""`check`: everything that would keep rotations from working, told before the first one.

Rules this file keeps:
- CURRENT is read and never written. Write access to a project is proved by one permanent secret of ours,
  `rotation/check`; privileges on a target by making the change and rolling it back.
- One mistake does not hide the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from credential_rotation import settings as ours
from credential_rotation.attempt.complaints import could_not_ask
from credential_rotation.attempt.inspection import HEAL
from credential_rotation.attempt.look import Look
from credential_rotation.checks.approval_remarks import airflow_here, remarks_on_approval
from credential_rotation.checks.people_remarks import remarks_on_people
from credential_rotation.checks.pool_remarks import remarks_on_pools
from credential_rotation.checks.reader_remarks import remarks_on_readers
from credential_rotation.checks.setting_mistakes import remarks_on_telling, setting_mistakes
from credential_rotation.checks.slot_remarks import remarks_on_slots
from credential_rotation.engines.registry import CheckedRotator, Remarking
from credential_rotation.errors import NoStoredValueWorks, RotationError
from credential_rotation.inventory.inventory import Inventory, Problem
from credential_rotation.journal.vault_complaints import in_rotation_words
from credential_rotation.model import Answer, Credential, Secret
from credential_rotation.outcome import Outcome, told
from credential_rotation.passwords import SYMBOLS_OPTION, rule_from
from credential_rotation.planning.orphans import orphans
from credential_rotation.probes.consumers import cannot_be_asked
from credential_rotation.times.durations import write_duration
from credential_rotation.times.schedule import falls_due
from credential_rotation.wiring import Deployment

UNASKED = "not checked: Bitwarden could not be used (see 'wrong:' above)"
CHECK_KEY = "rotation/check"
CHECK_VALUE = "written by `python -m credential_rotation check` to prove write access; keep it"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong, by where it is to be mended."""

    outcomes: tuple[Outcome, ...]
    problems: tuple[Problem, ...]
    mistakes: tuple[RotationError, ...]
    """Settings and access to Bitwarden."""
    warnings: tuple[str, ...]


def check_deployment(
    deployment: Deployment, inventory: Inventory, chosen: Sequence[Credential], *, tell: Tell
) -> Report:
    """Check settings, vault and these entries."""
    mistakes: list[RotationError] = [*setting_mistakes(deployment.environ, deployment.settings.include)]
    tell("checking access to Bitwarden")
    try:
        journal = deployment.bitwarden.journal_project()
    except RotationError as error:
        unasked = tuple(told(one, "failed", UNASKED) for one in chosen)
        return Report(
            unasked, inventory.problems, (error, *mistakes), tuple(_warnings(deployment, inventory))
        )
    mistakes += _vault_mistakes(deployment, journal, chosen)
    outcomes = []
    remarks: list[str] = []
    for position, credential in enumerate(chosen, 1):
        tell(f"[{position}/{len(chosen)}] checking {credential.name}")
        outcomes.append(_checked(deployment, credential, remarks))
    remarks += deployment.bitwarden.remarks_on_tokens(good_too=True)
    warnings = (*_warnings(deployment, inventory), *_orphans(deployment, inventory), *remarks)
    return Report(tuple(outcomes), inventory.problems, tuple(mistakes), warnings)


def _vault_mistakes(
    deployment: Deployment, journal: str, chosen: Sequence[Credential]
) -> list[RotationError]:
    mistakes = []
    names = dict.fromkeys(one.vault.project for one in chosen)
    for project, what in [(journal, ours.JOURNAL), *((name, f"project {name!r}") for name in names)]:
        try:
            _prove_write(deployment, deployment.bitwarden.projects.id_of(project, what=what), what)
        except RotationError as error:
            mistakes.append(error)
    return mistakes


def _prove_write(deployment: Deployment, project_id: str, what: str) -> None:
    client = deployment.bitwarden.client
    note = f"last proved {deployment.clock():%Y-%m-%d %H:%M} UTC"
    names = deployment.bitwarden.names()
    ours_there = [name for name in names if name.key == CHECK_KEY and name.project_id == project_id]
    with in_rotation_words(what):
        if ours_there:
            client.update_secret(
                ours_there[0].id, key=CHECK_KEY, value=CHECK_VALUE, note=note, project_id=project_id
            )
        else:
            client.create_secret(key=CHECK_KEY, value=CHECK_VALUE, note=note, project_id=project_id)


def _checked(deployment: Deployment, credential: Credential, remarks: list[str]) -> Outcome:
    try:
        rotator = deployment.rotator(credential)
        look = Look(credential, deployment.vault(credential).look(), rotator)
        current = look.stored.current
        login = look.login() if rotator.changes_itself else None
        remarks += _remarks(look, rotator, login, deployment.clock())
        rotator.check_privileges(login)
        probe = look.ask(current.secret) if current is not None else None
    except NoStoredValueWorks as error:
        return told(credential, "broken", error.what, next_step=error.next_step)
    except RotationError as error:
        return told(credential, error.outcome, error.what, next_step=error.next_step)
    if probe is None:
        return told(credential, "ok", "nothing is stored yet; the admin may set a first password")
    if probe.answer is Answer.WORKS:
        return told(credential, "ok", "CURRENT logs in, and its password may be changed")
    if probe.answer is Answer.REFUSED:
        return told(credential, "broken", f"{probe.where} refuses CURRENT: {probe.why}", next_step=HEAL)
    unknown = could_not_ask(credential, probe)
    return told(credential, unknown.outcome, unknown.what, next_step=unknown.next_step)


def _remarks(look: Look, rotator: CheckedRotator, login: Secret | None, now: datetime) -> Iterable[str]:
    """What the engine sees beside yes and no; where it cannot look, the privileges' check says why."""
    current, own = look.stored.current, look.own
    if isinstance(rotator, Remarking):
        in_use = current.secret.principal if current else None
        due = falls_due(look.credential.policy, own.written) if own else now
        with suppress(RotationError):
            for remark in rotator.remarks(login, in_use=in_use, due=due, now=now):
                yield f"{look.credential.name}: {remark}"


def _warnings(deployment: Deployment, inventory: Inventory) -> Iterable[str]:
    yield from remarks_on_slots(deployment.environ, deployment.settings.token_ends)
    if deployment.settings.settle < ours.SETTLES_SURELY:
        yield (
            f"{ours.SETTLE} is {_written(deployment.settings.settle)}: a write whose answer is lost may land "
            f"later than that. Shorter than {write_duration(ours.SETTLES_SURELY)} is for trying things out."
        )
    unasked = [(one.name, who) for one in inventory.credentials for who in cannot_be_asked(one)]
    if unasked:
        named = ", ".join(f"{name} ({who.kind.replace('_', ' ')} {who.name})" for name, who in unasked)
        yield f"no probe can ask these consumers: {named}; their entries end `unproved` at each rotation"
    yield from remarks_on_telling(deployment.environ)
    yield from remarks_on_readers(deployment.environ, inventory.credentials)
    yield from remarks_on_people(deployment.environ, inventory.all)
    for one in inventory.credentials:
        yield from _spoilt(one)
    yield from remarks_on_approval(inventory.credentials, airflow_here())
    yield from remarks_on_pools(inventory.credentials, deployment.environ)


def _spoilt(credential: Credential) -> Iterable[str]:
    """Symbols that a value's format or its readers do not bear."""
    with suppress(RotationError):  # a rule that means nothing is told where the rotator is made
        for hurt in rule_from(credential.options).hurts(credential.vault.format):
            yield f"{credential.name}: {SYMBOLS_OPTION}: {hurt}. Left out, nothing has to be encoded."


def _orphans(deployment: Deployment, inventory: Inventory) -> Iterable[str]:
    """Records of names that no entry has: renamed, removed, or misspelled."""
    try:
        records = deployment.bitwarden.records(deployment.bitwarden.names())
    except RotationError:
        return  # told among the mistakes already
    yield from orphans(records, inventory)


def _written(settle: timedelta) -> str:
    seconds = int(settle.total_seconds())
    return f"{seconds}s" if seconds % 60 else write_duration(settle)
