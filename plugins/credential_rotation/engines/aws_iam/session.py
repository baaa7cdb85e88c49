"""The locked session on IAM: one user's keys, made, made inactive and deleted.

Rules this file keeps:
- The whole life of a key is proved before the first one is made: who can make keys and not end them leaves
  a second key behind that nobody can delete.
- Nothing is sent after the hold has run out. Each change is one request.
- A key that is active is never deleted, and no key ends itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from credential_rotation.engines.aws_iam.calls import DENIED, STRANGER, AwsCalls, NoAnswer, Refused
from credential_rotation.engines.aws_iam.complaints import Asker
from credential_rotation.engines.aws_iam.evidence import agent_of, is_made_by
from credential_rotation.engines.aws_iam.youth import YoungKeys
from credential_rotation.engines.mutex import Hold
from credential_rotation.model import Intent, Key, Secret

NOBODYS = "AKIA0000000000000000"
"""No key has this id: AWS's ids are written in base 32, which has neither 0 nor 1."""
GONE = "NoSuchEntity"


@dataclass(slots=True)
class IamKeySession:
    """Implements `protocols.KeySession`."""

    asker: Asker
    calls: AwsCalls
    hold: Hold
    young: YoungKeys
    _minted: Secret | None = field(default=None, init=False)
    _inactive: set[str] = field(default_factory=set, init=False)
    """Made inactive here: IAM's lists may be late."""

    def keys(self) -> tuple[Key, ...]:
        """All keys, oldest first, with their last use as far as it can be told."""
        with self._question("iam:ListAccessKeys"):
            found = self.calls.keys(self.asker.user)
        return tuple(replace(key, last_used=self._last_used(key)) for key in found)

    def mint(self, intent: Intent) -> Secret:
        """One request, which carries the attempt. Raises: TargetRefused, ApplyUnknown."""
        with self._change("iam:CreateAccessKey", self.calls):
            made = self.calls.create_key(self.asker.user, agent=agent_of(intent.attempt))
        self.young.add(made.login)
        self._minted = made
        return made

    def is_ours(self, key: Key, intent: Intent) -> bool | None:
        """What CloudTrail says. Raises: TargetUnknown."""
        try:
            return is_made_by(self.calls, key, intent.attempt)
        except NoAnswer as error:
            raise self.asker.not_asked("cloudtrail:LookupEvents", error) from None
        except Refused as refused:
            unanswered = NoAnswer(f"refused ({refused.code})", may_have_happened=False)
            raise self.asker.not_asked("cloudtrail:LookupEvents", unanswered) from None

    def deactivate(self, login: str) -> None:
        """Already so, or gone, is success. Raises: TargetRefused, ApplyUnknown."""
        calls = self._other_than(login)
        with self._change("iam:UpdateAccessKey", calls, gone_is_fine=True):
            calls.set_status(self.asker.user, login, active=False)
        self._inactive.add(login)
        self.young.forget(login)

    def activate(self, login: str) -> None:
        """Already so is success; it is as young as a new one. Raises: TargetRefused, ApplyUnknown."""
        with self._change("iam:UpdateAccessKey", self.calls):
            self.calls.set_status(self.asker.user, login, active=True)
        self._inactive.discard(login)
        self.young.add(login)

    def remove(self, login: str) -> None:
        """Only if inactive; gone already is success. Raises: TargetRefused, ApplyUnknown."""
        calls = self._other_than(login)
        if login not in self._inactive:
            with self._change("iam:ListAccessKeys", calls):
                listed = calls.keys(self.asker.user)
            if any(key.login == login and key.is_active for key in listed):
                raise self.asker.still_active(login)
        with self._change("iam:DeleteAccessKey", calls, gone_is_fine=True):
            calls.delete_key(self.asker.user, login)
        self.young.forget(login)

    def prove_whole_life(self) -> None:
        """List for real, change and delete what does not exist. Raises: TargetRefused, TargetUnknown.

        CreateAccessKey alone cannot be tried. It is the first that changes anything, so that its refusal
        leaves nothing behind at AWS.
        """
        user = self.asker.user
        with self._question("iam:ListAccessKeys"):
            there = self.calls.keys(user)
        self._prove("iam:UpdateAccessKey", lambda: self.calls.set_status(user, NOBODYS, active=False))
        self._prove("iam:DeleteAccessKey", lambda: self.calls.delete_key(user, NOBODYS))
        if there:  # of a key that does not exist AWS may say AccessDenied to everybody
            with self._question("iam:GetAccessKeyLastUsed"):
                self.calls.last_use_in_words(there[0].login)

    # --- how it is asked -------------------------------------------------------------------------------

    def _prove(self, action: str, attempt: Callable[[], None]) -> None:
        with self._question(action):
            try:
                attempt()
            except Refused as refused:
                if refused.code != GONE:
                    raise

    def _last_used(self, key: Key) -> str:
        try:
            return self.calls.last_use_in_words(key.login)
        except (NoAnswer, Refused):
            return ""  # for people only; a key that was deleted meanwhile has none

    def _other_than(self, login: str) -> AwsCalls:
        """Ask with another key than the one that ends."""
        if login != self.calls.key.login:
            return self.calls
        if self._minted is None or self._minted.login == login:
            raise self.asker.own_branch(login)
        return replace(self.calls, key=self._minted)

    @contextmanager
    def _question(self, action: str) -> Iterator[None]:
        try:
            yield
        except NoAnswer as error:
            raise self.asker.not_asked(action, error) from None
        except Refused as refused:
            if refused.code in STRANGER and _is_known_to_sts(self.calls):
                raise self.asker.too_young() from None
            raise self.asker.refused(action, refused) from None

    @contextmanager
    def _change(self, action: str, calls: AwsCalls, *, gone_is_fine: bool = False) -> Iterator[None]:
        if not self.hold.still_held():
            raise self.asker.hold_is_over()
        try:
            yield
        except NoAnswer as error:
            raise self.asker.not_done(action, error) from None
        except Refused as refused:
            if gone_is_fine and refused.code == GONE:
                return
            if refused.code in STRANGER and _is_known_to_sts(calls):
                raise self.asker.pending(action) from None
            raise self.asker.refused(action, refused) from None


def _is_known_to_sts(calls: AwsCalls) -> bool:
    """Whether a key that IAM refuses is merely not known there yet."""
    try:
        calls.whoami()
    except NoAnswer:
        return False
    except Refused as refused:
        return refused.code in DENIED
    return True
