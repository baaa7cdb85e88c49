"""Puts a deployment together: settings, inventory, vault and engines. Tasks and command line both start here.

Rules this file keeps:
- Nothing is asked of anybody before it is needed: making a deployment touches neither vault nor target.
- A fresh drop-in is `NotConfigured`; half a configuration is a mistake that is said.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from bitwarden_vault.nouns import Caller
from bitwarden_vault.state_folder import state_folder
from credential_rotation import settings as ours
from credential_rotation.airflow_connections import secret_of
from credential_rotation.attempt.attempt import attempt
from credential_rotation.attempt.by_person import resolve, rollback, take_under_management
from credential_rotation.attempt.complaints import admin_not_stored
from credential_rotation.attempt.inspection import foresee, verify
from credential_rotation.attempt.persevere import persevere
from credential_rotation.attempt.turn import Parties
from credential_rotation.bitwarden_access import BitwardenAccess
from credential_rotation.by_hand import BY_HAND
from credential_rotation.engines.registry import CLOUD, CheckedRotator, rotator_for
from credential_rotation.errors import NotConfigured, RotationError
from credential_rotation.inventory.inventory import Inventory
from credential_rotation.inventory.kept import read_entry, read_inventory
from credential_rotation.journal.claims import ClaimMutex
from credential_rotation.journal.journal import Journal
from credential_rotation.journal.records import RecordName
from credential_rotation.model import ConnectionAdmin, Credential, EntryAdmin, Secret
from credential_rotation.outcome import Outcome, told
from credential_rotation.planning.ordering import ordered
from credential_rotation.planning.orphans import orphans
from credential_rotation.planning.planning import Known, records_by_name, status
from credential_rotation.policy import Request
from credential_rotation.probes.consumers import EntryConsumers
from credential_rotation.state.closings import Closings
from credential_rotation.state.confirmations import Confirmations, with_people
from credential_rotation.state.readers import PublishedReaders, with_readers

log = logging.getLogger(__name__)

FILL_IN = (
    "To begin: copy include/credentials/warehouse.yaml.example to warehouse.yaml and make it yours; "
    "set BWS_ACCESS_TOKEN (or BWS_ACCESS_TOKEN_FILE), BWS_ORGANIZATION_ID and ROTATION_JOURNAL_PROJECT for "
    "the scheduler and all workers; then run `python -m credential_rotation check`."
)


def now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(timezone.utc)


@dataclass(slots=True)
class Deployment:
    """One process's way to the inventory, the vault and the targets."""

    settings: ours.Settings
    environ: Mapping[str, str] = field(repr=False)
    caller: Caller | None = None
    clock: Callable[[], datetime] = now
    bitwarden: BitwardenAccess = field(init=False)
    listed: tuple[RecordName, ...] = field(init=False, default=())
    """The records that `known` found last, those of no entry too."""

    def __post_init__(self) -> None:
        """Nobody is asked yet."""
        self.bitwarden = BitwardenAccess(self.environ, self.settings.journal_project, self.caller)

    # --- the inventory ---------------------------------------------------------------------------------

    def inventory(self, *, names_are_next: bool = False) -> Inventory:
        """All entries. Raises: NotConfigured (there are none), BadInput.

        `names_are_next`: where nothing has changed since they were read last, Bitwarden is asked meanwhile.
        """
        found = read_inventory(
            self.settings.include, meanwhile=self.bitwarden.ask_for_names if names_are_next else None
        )
        if not found.all and not found.problems:
            raise NotConfigured(
                f"there are no entries yet in {self.settings.include / 'credentials'}", next_step=FILL_IN
            )
        return found

    def entry(self, name: str) -> Credential:
        """One entry. Raises: BadInput (none of this name, or it has mistakes)."""
        return read_entry(self.settings.include, name)

    # --- what one list of names tells ------------------------------------------------------------------

    def known(self, credentials: Iterable[Credential]) -> Mapping[str, Known]:
        """As much as one list tells, by credential. Raises: VaultTrouble, BadInput."""
        credentials = tuple(credentials)
        found = {one.name: self.closings.known(one) for one in credentials if one.engine == BY_HAND}
        if len(found) == len(credentials):
            return found
        names = self.bitwarden.names()
        self.listed = self.bitwarden.records(names)
        records = records_by_name(self.listed)
        places = {(name.project_id, text) for name in names for text in (name.key, name.id)}
        confirmations = self.confirmations
        for one in credentials:
            if one.engine == BY_HAND:
                continue
            project = self.bitwarden.project_of(one)
            has_current = (project, one.vault.id or one.vault.key) in places
            known = Known(records.get(one.name, ()), has_current=has_current)
            found[one.name] = with_people(one, known, confirmations)
        return found

    def orphans(self, inventory: Inventory) -> tuple[str, ...]:
        """What the list that `known` asked for last has of no entry. Asks nobody."""
        return orphans(self.listed, inventory)

    def plan(
        self,
        inventory: Inventory,
        begin: Request | None,
        *,
        these: Collection[str],
        known: Mapping[str, Known] | None = None,
    ) -> tuple[Outcome, ...]:
        """What a run about `these` names would do, in its order, told by one list, or what that told before.

        Raises: VaultTrouble, BadInput.
        """
        if not these:
            return ()
        known = known or self.known(inventory.all)
        pairs = [(one, known[one.name]) for one in inventory.all]
        return ordered(pairs, begin=begin, now=self.clock(), limits=inventory.limits, these=these)

    def status(self, credentials: Iterable[Credential], begin: Request) -> tuple[Outcome, ...]:
        """Version, age, due date and readers of each, told by one list. Raises: VaultTrouble, BadInput."""
        credentials = tuple(credentials)
        known = self.known(credentials)
        told_by_names = [status(one, known[one.name], begin=begin, now=self.clock()) for one in credentials]
        return with_readers(
            self.readers, zip(credentials, told_by_names, strict=True), self.bitwarden.project_of
        )

    # --- what can be done to one -----------------------------------------------------------------------

    def rotate(self, credential: Credential, begin: Request | None) -> Outcome:
        """One attempt, and a few more at once where the credential may be locked out; None only repairs."""

        def once() -> Outcome:
            return attempt(
                credential,
                self.parties(credential),
                begin=begin,
                clock=self.clock,
                settle=self.settings.settle,
            )

        return _told(credential, lambda: persevere(once, note=_say_again))

    def verify(self, credential: Credential) -> Outcome:
        """Whether CURRENT works everywhere; changes nothing."""
        return _told(credential, lambda: verify(credential, self.parties(credential), clock=self.clock))

    def foresee(self, credential: Credential, begin: Request) -> Outcome:
        """A dry run."""
        return _told(
            credential,
            lambda: foresee(
                credential,
                self.parties(credential),
                begin=begin,
                clock=self.clock,
                settle=self.settings.settle,
            ),
        )

    def adopt(self, credential: Credential, *, take_over: bool) -> Outcome:
        """Take CURRENT under management without changing it, as a person decided."""
        return _told(
            credential,
            lambda: take_under_management(
                credential,
                self.parties(credential),
                take_over=take_over,
                clock=self.clock,
                settle=self.settings.settle,
            ),
        )

    def resolve(self, credential: Credential, key: str) -> Outcome:
        """Remove a key that no record names, as a person decided."""
        return _told(
            credential,
            lambda: resolve(
                credential,
                self.parties(credential),
                key=key,
                clock=self.clock,
                settle=self.settings.settle,
            ),
        )

    def rollback(self, credential: Credential, reason: str) -> Outcome:
        """Go back to the value before CURRENT's, while it lives."""
        return _told(
            credential,
            lambda: rollback(
                credential,
                self.parties(credential),
                reason=reason,
                clock=self.clock,
                settle=self.settings.settle,
            ),
        )

    # --- who takes part --------------------------------------------------------------------------------

    def parties(self, credential: Credential) -> Parties:
        """Vault, rotator, consumers and readers of an entry. Raises: BadInput, VaultTrouble."""
        consumers = EntryConsumers(credential, self.clock, self.confirmations)
        return Parties(self.vault(credential), self.rotator(credential), consumers, self.readers)

    @property
    def readers(self) -> PublishedReaders:
        """Who is known to use what."""
        return PublishedReaders(state_folder(self.environ), self.clock)

    @property
    def confirmations(self) -> Confirmations:
        """What people have said of consumers that take values by hand."""
        return Confirmations(state_folder(self.environ))

    @property
    def closings(self) -> Closings:
        """When people last changed what no tool can change."""
        return Closings(state_folder(self.environ))

    def rotator(self, credential: Credential) -> CheckedRotator:
        """The entry's rotator; its admin's secret is read when the lock is taken. Raises: BadInput."""
        admin = credential.admin
        secret = None if admin is None else (lambda: self.admins_secret(admin))
        mutex = self._mutex(credential) if credential.engine in CLOUD else None
        return rotator_for(credential, admin=secret, mutex=mutex)

    def vault(self, credential: Credential) -> Journal:
        """The entry's part of the vault. Raises: BadInput, VaultTrouble."""
        return self.bitwarden.journal(credential)

    def admins_secret(self, admin: EntryAdmin | ConnectionAdmin) -> Secret:
        """What an admin logs in with, read now. Raises: BadInput, VaultTrouble, NoStoredValueWorks."""
        if isinstance(admin, ConnectionAdmin):
            return secret_of(admin.conn_id)
        entry = self.entry(admin.name)
        current = self.vault(entry).look().current
        if current is None:
            raise admin_not_stored(entry)
        return current.secret

    def _mutex(self, credential: Credential) -> ClaimMutex:
        bitwarden = self.bitwarden
        return ClaimMutex(bitwarden.client, bitwarden.journal_project(), credential.name, self.clock)


def open_deployment(environ: Mapping[str, str], caller: Caller | None = None) -> Deployment:
    """The deployment that this environment describes. Raises: BadInput."""
    return Deployment(ours.read_settings(environ), environ, caller)


def _told(credential: Credential, run: Callable[[], Outcome]) -> Outcome:
    """An outcome also for what went wrong before there was an attempt."""
    try:
        return run()
    except RotationError as error:
        return told(credential, error.outcome, error.what, next_step=error.next_step)


def _say_again(outcome: Outcome) -> None:
    log.warning("%s: %s; it is tried again at once", outcome.name, outcome.reason)
