"""The attempt's own errors, in the words that a tired person reads at night.

Each says what was found, on which credential, and what to do next. No value is ever part of one.
"""

from __future__ import annotations

from credential_rotation.errors import (
    BadInput,
    Busy,
    NoStoredValueWorks,
    NotOurs,
    RotationError,
    TargetRefused,
    TargetUnknown,
    VaultUnknown,
)
from credential_rotation.model import Credential, Intent, Key, Probe, Record, Stamp


def could_not_ask(credential: Credential, probe: Probe) -> TargetUnknown:
    """The target did not answer, so nothing follows."""
    return TargetUnknown(
        f"{credential.name}: {probe.where} could not tell whether a value logs in ({probe.why})",
        next_step=probe.next_step
        or "Nothing was changed. The next run tries again; see that the target can be reached.",
    )


def overtaken(credential: Credential) -> Busy:
    """Between our look and the lock another attempt has replaced the value that we were to log in with."""
    return Busy(
        f"{credential.name}: another run has changed it a moment ago",
        next_step="Nothing was changed by this one. The next run looks again.",
    )


def edited_meanwhile(credential: Credential) -> Busy:
    """A person has put another value into CURRENT while a new version was on its way."""
    return Busy(
        f"{credential.name}: somebody has changed CURRENT while this run worked; it was left as it is",
        next_step="The next run takes over what is there now, if it works.",
    )


def nothing_stored(credential: Credential) -> NoStoredValueWorks:
    """A role that changes itself has nothing to start from."""
    place = credential.vault.key or credential.vault.id
    return NoStoredValueWorks(
        f"{credential.name}: nothing is stored yet, and who changes itself starts from a value that works",
        next_step=f"Put the working password into Bitwarden as `{place}` in project "
        f"{credential.vault.project}; or take it from an Airflow connection: adopt {credential.name} "
        "--from-connection CONN_ID; or give the entry an admin.",
    )


def admin_not_stored(admin: Credential) -> NoStoredValueWorks:
    """The entry that is another's admin has no CURRENT."""
    place = admin.vault.key or admin.vault.id
    return NoStoredValueWorks(
        f"the admin {admin.name} cannot log in: its password is not stored",
        next_step=f"Nothing was changed. Put the working password of {admin.principals[0]} into Bitwarden as "
        f"`{place}` in project {admin.vault.project}.",
    )


def nothing_works(credential: Credential, current: Probe | None) -> NoStoredValueWorks:
    """Neither CURRENT nor any record logs in; `current` is what the target answered to CURRENT."""
    told = f" ({current.why})" if current is not None and current.why else ""
    return NoStoredValueWorks(
        f"{credential.name}: the target refuses CURRENT and every record{told}; most likely the password was "
        "changed by hand",
        next_step="Put the working password into CURRENT in Bitwarden, and the next run takes it over; "
        f"or, where the entry has an admin, set a new one: rotate {credential.name} --force --reason '…'.",
    )


def changed_since(credential: Credential, record: Record) -> TargetRefused:
    """The target's stamp says that a version was set, and it is refused: somebody set another value since."""
    return TargetRefused(
        f"{credential.name}: version {record.epoch} was set for {record.secret.principal} and is refused: "
        "the role has expired (VALID UNTIL), or somebody has changed its password since; it is not set "
        "again, as it may have been taken away on purpose",
        next_step="Find out who changed it and why. Whoever reads CURRENT can log in. To give "
        f"{record.secret.principal} a new password: rotate {credential.name} --force --reason '…'.",
    )


def changed_meanwhile(credential: Credential) -> TargetRefused:
    """CURRENT logged in, the open sessions were ended, and now it does not."""
    return TargetRefused(
        f"{credential.name}: somebody whose session was open has changed the password before it was ended; "
        "the target refuses CURRENT",
        next_step=f"Ask again at once: revoke {credential.name} --reason '…'. If it happens again, take the "
        "role's right to log in away (ALTER ROLE … NOLOGIN) until you know who it is.",
    )


def stored_already(credential: Credential) -> BadInput:
    """There is a value, and nobody may put another one in its place unproved."""
    return BadInput(
        f"{credential.name}: a value is stored already, as CURRENT or in the journal",
        next_step=f"`adopt {credential.name}` without a connection takes what is in Bitwarden; `retire "
        f"{credential.name}` finishes what was begun.",
    )


def brought_value_refused(credential: Credential, probe: Probe) -> TargetRefused:
    """What somebody wants adopted does not log in."""
    return TargetRefused(
        f"{credential.name}: {probe.where} refuses the value that was to be adopted",
        next_step="Nothing was written. Mend the connection"
        + (", or let the first rotation set a new value." if credential.admin else ": it has to log in."),
    )


def foreign_stamp(credential: Credential, stamp: Stamp) -> NotOurs:
    """Somebody else's journal rotates this principal."""
    return NotOurs(
        f"{credential.name}: the target carries the stamp of another journal ({stamp.journal})",
        next_step="Another deployment rotates this principal, or the database was cloned from one that is "
        f"rotated. If nobody else does: python -m credential_rotation adopt {credential.name} --take-over.",
    )


def refused_after_apply(credential: Credential, record: Record) -> TargetRefused:
    """The change went through, and the value does not log in all the same."""
    return TargetRefused(
        f"{credential.name}: version {record.epoch} was set, and the target refuses it all the same",
        next_step="CURRENT was left alone. See that the role may log in and has not expired (VALID UNTIL), "
        "then run again: the same version is tried.",
    )


def refused_by_endpoint(credential: Credential, record: Record, probe: Probe) -> TargetRefused:
    """An endpoint does not take the new value, and the old one still works: CURRENT stays."""
    return TargetRefused(
        f"{credential.name}: {probe.where} does not accept version {record.epoch} as role "
        f"{record.secret.principal} ({probe.answer.value}: {probe.why}); CURRENT was left as it is",
        next_step=f"The value in use still works everywhere. Make role {record.secret.principal} known at "
        f"{probe.where} (a pooler or proxy may have its own list), or rotate one role with strategy "
        "in_place. The next run tries the same version again.",
    )


def unlike_twins(credential: Credential, principal: str, differences: tuple[str, ...]) -> TargetRefused:
    """The role that would take over may not do what the one in use may."""
    return TargetRefused(
        f"{credential.name}: role {principal} cannot take over, it lacks what the other one has: "
        f"{'; '.join(differences)}",
        next_step="Nothing was changed. Make the two roles alike (best: give both the same owner role and "
        "nothing of their own), then run again.",
    )


def no_slot_beside(credential: Credential, keys: tuple[Key, ...]) -> TargetRefused:
    """All keys that the target allows are there, each is recorded, and none may be ended."""
    return TargetRefused(
        f"{credential.name}: {credential.principals[0]} has no room for a new key beside "
        f"{', '.join(map(_told, keys))}; both are recorded",
        next_step=f"Nothing was changed. `retire {credential.name}` puts the newest one that works into "
        "CURRENT; then ask for this again. Where neither works, make one inactive in the account first.",
    )


def no_slot(credential: Credential, keys: tuple[Key, ...]) -> TargetRefused:
    """All keys that the target allows are there, and not all of them are known to us."""
    return TargetRefused(
        f"{credential.name}: {credential.principals[0]} has no room for a new key; nobody recorded "
        f"{', '.join(map(_told, keys))}",
        next_step="Nothing was changed, and no key is deleted by guess. Find out who uses it (see its last "
        f"use), then: python -m credential_rotation resolve {credential.name} --key {keys[0].login}.",
    )


def unknown_key(credential: Credential, key: Key, intent: Intent) -> NotOurs:
    """A run was killed between asking for a key and recording it, and nothing proves which key is its."""
    return NotOurs(
        f"{credential.name}: a run asked for a key at {intent.written:%Y-%m-%d %H:%M} UTC and was killed; "
        f"whether {_told(key)} is that key cannot be proved (yet)",
        next_step="The next runs look for proof again. If you know that nobody uses it: "
        f"python -m credential_rotation resolve {credential.name} --key {key.login}.",
    )


def inactive_key(credential: Credential, key: Key, record: Record) -> TargetRefused:
    """Somebody made a key inactive that was on its way to CURRENT, or was it."""
    return TargetRefused(
        f"{credential.name}: {_told(key)} of version {record.epoch} was made inactive by somebody else",
        next_step="CURRENT works with another key. Activate this one, and the next run makes it CURRENT; or "
        "delete it, and the next run forgets it.",
    )


def has_no_keys(credential: Credential) -> BadInput:
    """A person wanted a key resolved where the values are passwords."""
    return BadInput(
        f"{credential.name}: has no keys; it is a password of {credential.engine}",
        next_step="Give the entry whose key the message named. `status --json` tells every entry's engine.",
    )


def no_such_key(credential: Credential, login: str, keys: tuple[Key, ...]) -> BadInput:
    """A person named a key that is not there."""
    there = ", ".join(map(_told, keys)) or "no key"
    return BadInput(
        f"{credential.name}: there is no key {login[:40]!r}; there is {there}",
        next_step="Copy the id from the message that asked you, or from the account itself.",
    )


def key_is_known(credential: Credential, login: str) -> BadInput:
    """A person named a key that a record or CURRENT names."""
    return BadInput(
        f"{credential.name}: key {login} is recorded, and the rotation sees to it by itself",
        next_step="Only keys that no record names are resolved by hand. `status` tells what is open.",
    )


def only_forward(credential: Credential) -> BadInput:
    """Rollback behind a revocation that has not got to its end."""
    return BadInput(
        f"{credential.name}: its newest version was made in compromise mode; what was before it may be in "
        "wrong hands",
        next_step=f"There is no way back. `revoke {credential.name} --reason '…'` sees it through; where the "
        "new value does not work, rotate again.",
    )


def nothing_to_go_back_to(credential: Credential, newer: tuple[Record, ...]) -> BadInput:
    """Rollback without a value that lives, or while another version is open."""
    if newer:
        return BadInput(
            f"{credential.name}: version {newer[0].epoch} is open; CURRENT still holds the value before it",
            next_step="There is nothing to go back from. `retire` finishes what is open.",
        )
    return BadInput(
        f"{credential.name}: no value before CURRENT's still logs in",
        next_step="Of one role (in_place) the old value dies when it is replaced; of pairs and keys it lives "
        "until its grace is over. Rotate again instead.",
    )


def _told(key: Key) -> str:
    state = "active" if key.is_active else "inactive"
    used = f", last used {key.last_used}" if key.last_used else ""
    return f"key {key.login} ({state}, made {key.created:%Y-%m-%d %H:%M} UTC{used})"


def only_the_new_one_works(
    credential: Credential, version: int | None, error: RotationError
) -> tuple[str, str]:
    """The target has the new value and CURRENT has not: who reads it is locked out. What, and what next."""
    reason = error.what.removeprefix(f"{credential.name}: ")
    what = (
        f"version {version} is set at the target, and CURRENT still holds the old value, so that whoever "
        f"reads it cannot log in: {reason}"
    )
    trigger = (
        f"Trigger retire_credentials for {credential.name} (it also runs every hour): it goes on from the "
        "value that works, which is written down in the journal project."
    )
    if error.besides is None:
        return what, f"{error.next_step} {trigger}"
    return what, f"{trigger} {error.besides}".strip()


def another_value(credential: Credential) -> VaultUnknown:
    """CURRENT does not hold what was just written there."""
    return VaultUnknown(
        f"{credential.name}: Bitwarden answers another value than the one just written",
        next_step="Somebody else writes this secret. The record holds the value that works; run again.",
    )
