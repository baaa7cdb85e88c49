"""What is stored on a credential, what its target answered, and what follows from both.

Rules this file keeps:
- Each value is asked about at most once: a wrong login may count towards a lockout.
- A principal of strategy in_place has one password: when one value works, every other is refused.
  That is enough to decide by, but not a proof that an old value is dead.
- After an apply everything that was answered before is forgotten.
- With max_wrong_logins 0 a value is asked about only where something speaks for it: CURRENT while no
  version is open, what the target's stamp names, what was just applied.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from credential_rotation.attempt.complaints import could_not_ask, nothing_stored, nothing_works
from credential_rotation.errors import NoStoredValueWorks
from credential_rotation.model import (
    Answer,
    Credential,
    Ending,
    Intent,
    Probe,
    Record,
    Secret,
    Stored,
    Strategy,
)
from credential_rotation.protocols import Prober

NOT_TRIED = "not tried: nothing says that it is right, and the entry says max_wrong_logins: 0"
TRY_BY_HAND = (
    "Nothing was changed. Find out which stored value is right without trying, and "
    "put it into CURRENT in Bitwarden; or set a new one: rotate with --force and a reason."
)


class Look:
    """One view of a credential, in the vault and on its target."""

    def __init__(self, credential: Credential, stored: Stored, rotator: Prober) -> None:
        self.credential = credential
        self.stored = stored
        self._rotator = rotator
        self._answers: dict[Secret, Probe] = {}
        self._expected: set[Secret] = set()
        lives_on = credential.strategy is not Strategy.IN_PLACE
        if stored.current is not None and (lives_on or not self.heirs):
            self._expected.add(stored.current.secret)

    @property
    def own(self) -> Record | None:
        """CURRENT's own record: the newest one that holds its value."""
        return self.stored.own

    @property
    def newer(self) -> tuple[Record, ...]:
        """Versions on their way to become CURRENT, newest first.

        Where a person has deleted CURRENT, any record may be: but none from before an unfinished revocation.
        """
        own = self.own
        if self.stored.current is None:
            return self._not_revoked
        return tuple(r for r in self.stored.records if r.order > own.order) if own else ()

    @property
    def heirs(self) -> tuple[Record, ...]:
        """What may take the place of a refused CURRENT where nothing from before may; newest first."""
        return self._not_revoked if self.own is None and self.revoking else self.newer

    @property
    def _not_revoked(self) -> tuple[Record, ...]:
        revoking = self.revoking
        return tuple(r for r in self.stored.records if revoking is None or r.order >= revoking.order)

    @property
    def is_put_back(self) -> bool:
        """Whether a person has put an older version's value into CURRENT: its note names a newer one still.

        A write of ours that lands late brings its note with it.
        """
        current, own = self.stored.current, self.own
        if current is None or own is None or current.epoch is None or current.epoch <= own.epoch:
            return False
        return any(record.epoch == current.epoch for record in self.newer)

    @property
    def older(self) -> tuple[Record, ...]:
        """Versions that CURRENT has replaced, newest first."""
        own = self.own
        if self.stored.current is None or own is None:
            return ()
        return tuple(r for r in self.stored.records if r.order < own.order)

    @property
    def is_adopted(self) -> bool:
        """Whether CURRENT's value is a person's, and the newest record only says that we know it."""
        current, own = self.stored.current, self.own
        return current is not None and own is not None and not self.newer and current.epoch != own.epoch

    @property
    def revoking(self) -> Record | None:
        """The newest version of compromise mode, while anything older than it is on record."""
        return next((record for record in self.stored.records[:-1] if record.revokes), None)

    @property
    def idle(self) -> str:
        """The principal that the next version is for: of a pair, the one that CURRENT does not name."""
        names = self.credential.principals
        current = self.stored.current
        if self.credential.strategy is not Strategy.ALTERNATING or current is None:
            return names[0]
        return next(name for name in names if name != current.secret.principal)

    @property
    def rests_until(self) -> datetime | None:
        """Until when replaced values stay as they are: in grace beside CURRENT, then (keys) inactive in soak.

        None where a value died when it was replaced.
        """
        current, policy = self.stored.current, self.credential.policy
        if self.credential.strategy is Strategy.IN_PLACE or current is None or not self.older:
            return None
        in_grace = current.revised + policy.grace
        if self.credential.strategy is Strategy.ALTERNATING:
            return in_grace
        endings = [self.ending_of(record) for record in self.older if record.secret != current.secret]
        return max(
            [ending.written + policy.soak if ending else in_grace for ending in endings], default=in_grace
        )

    def ending_of(self, record: Record) -> Ending | None:
        """The note that a record's value was made inactive; the first counts where a crash left two."""
        mark = (record.epoch, record.attempt)
        found = [one for one in self.stored.endings if (one.epoch, one.attempt) == mark]
        return min(found, key=lambda one: one.written, default=None)

    @property
    def newest_epoch(self) -> int | None:
        """The highest epoch that anything in the vault names; None where nothing does."""
        epochs = [one.epoch for one in self.stored.records] + [one.epoch for one in self.stored.intents]
        if self.stored.current is not None and self.stored.current.epoch is not None:
            epochs.append(self.stored.current.epoch)
        return max(epochs, default=None)

    def settles_at(self, settle: timedelta) -> datetime | None:
        """When writes of an earlier attempt can no longer land; None when that one was seen to end."""
        dates = [one.revised for one in self.stored.records] + [one.revised for one in self.stored.intents]
        current = self.stored.current
        if not dates:
            return None
        is_last = bool(self.stored.records) and not self.stored.intents
        if is_last and current is not None and self.stored.records[0].attempt == current.attempt:
            return None
        if current is not None:
            dates.append(current.revised)
        return max(dates) + settle

    def known(self, secret: Secret | None) -> Probe | None:
        """What is known about a value without asking for it."""
        if secret is None:
            return None
        if secret in self._answers:
            return self._answers[secret]
        if self.credential.strategy is Strategy.IN_PLACE:
            for other, probe in self._answers.items():
                if probe.answer is Answer.WORKS and other.principal == secret.principal:
                    return Probe(Answer.REFUSED, probe.where, "another value works, and there is only one")
        return None

    def ask(self, secret: Secret) -> Probe:
        """Ask the target about a value, unless it has answered already."""
        if secret not in self._answers:
            if not self.may_try(secret):
                return Probe(Answer.UNKNOWN, self.credential.target.host, NOT_TRIED, TRY_BY_HAND)
            self._answers[secret] = self._rotator.probe(secret)
        return self._answers[secret]

    def may_try(self, secret: Secret) -> bool:
        """Whether asking about a value is allowed: with max_wrong_logins 0 only what is expected to work."""
        if self.credential.max_wrong_logins is None:
            return True
        return secret in self._expected or secret in self._answers

    def expect(self, secret: Secret) -> None:
        """Something speaks for this value: asking about it is no wrong login."""
        self._expected.add(secret)

    def rule_out(self, secret: Secret, why: str) -> None:
        """The target's own marks speak against this value: it is refused without being tried."""
        self._answers.setdefault(secret, Probe(Answer.REFUSED, self.credential.target.host, why))

    def works(self, secret: Secret) -> bool:
        """Whether a value logs in. Raises: TargetUnknown, because nothing may follow from not knowing."""
        probe = self.known(secret) or self.ask(secret)
        if probe.answer is Answer.UNKNOWN:
            raise could_not_ask(self.credential, probe)
        return probe.answer is Answer.WORKS

    def login(self) -> Secret:
        """A stored value that logs in, CURRENT's first. Raises: TargetUnknown, NoStoredValueWorks."""
        current = self.stored.current
        values = [current.secret] if current else []
        values += [record.secret for record in self.stored.records]
        for secret in dict.fromkeys(values):
            if self.works(secret):
                return secret
        raise self.nothing_works() if values else nothing_stored(self.credential)

    def nothing_works(self) -> NoStoredValueWorks:
        """To be raised where no stored value logs in; it tells what the target answered to CURRENT."""
        current = self.stored.current
        return nothing_works(self.credential, self.known(current.secret) if current else None)

    def add(self, record: Record) -> None:
        """A record was written."""
        records = sorted((*self.stored.records, record), key=lambda one: one.order, reverse=True)
        self.stored = replace(self.stored, records=tuple(records))

    def remove(self, gone: tuple[Record, ...]) -> None:
        """Records were deleted."""
        self.stored = replace(self.stored, records=tuple(r for r in self.stored.records if r not in gone))

    @property
    def stray_endings(self) -> tuple[Ending, ...]:
        """What is left of versions whose records are gone."""
        versions = {(record.epoch, record.attempt) for record in self.stored.records}
        return tuple(one for one in self.stored.endings if (one.epoch, one.attempt) not in versions)

    def add_ending(self, ending: Ending) -> None:
        """An ending was written."""
        self.stored = replace(self.stored, endings=(*self.stored.endings, ending))

    def forget_intent(self, intent: Intent) -> None:
        """An intent was deleted."""
        self.stored = replace(self.stored, intents=tuple(one for one in self.stored.intents if one != intent))

    def forget(self) -> None:
        """Something was applied: what was answered before no longer counts."""
        self._answers.clear()
        self._expected.clear()

    def carry_refusals(self, before: Look) -> None:
        """Keep refusals from an earlier look at the same store, so that no wrong login is made twice.

        What worked is asked again: another attempt may have ended it meanwhile.
        """
        if before.stored == self.stored:
            refused = {s: p for s, p in before._answers.items() if p.answer is Answer.REFUSED}
            self._answers.update(refused)
