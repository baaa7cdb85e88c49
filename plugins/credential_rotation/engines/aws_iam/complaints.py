"""What AWS's answers mean to the person who has to act.

Rules this file keeps:
- A missing permission comes with its name and the file that holds the whole policy.
- An error code is told, a text of AWS's never.
"""

from __future__ import annotations

from dataclasses import dataclass

from credential_rotation.engines.aws_iam.calls import DENIED, STRANGER, NoAnswer, Refused
from credential_rotation.errors import ApplyUnknown, BadInput, TargetRefused, TargetUnknown
from credential_rotation.model import Credential

ADMINS_POLICY, OWN_POLICY = "include/iam/admin.json", "include/iam/self-rotating-user.json"
NOTHING_CHANGED = "Nothing was changed."
AGAIN = "The next run tries again."


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks AWS about whose keys."""

    credential: Credential
    name: str
    """The admin's user, or the entry's own."""
    is_admin: bool

    @property
    def user(self) -> str:
        """Whose keys they are."""
        return self.credential.principals[0]

    @property
    def policy(self) -> str:
        """The file with all that the asker needs."""
        return ADMINS_POLICY if self.is_admin else OWN_POLICY

    def refused(self, action: str, error: Refused) -> TargetRefused:
        """AWS said no to this action."""
        what, advice = self._meaning(action, error.code)
        return TargetRefused(f"{self.credential.name}: {what} ({error.code})", next_step=advice)

    def not_asked(self, action: str, error: NoAnswer) -> TargetUnknown:
        """A question has no answer."""
        return TargetUnknown(
            f"{self.credential.name}: {action} as {self.name}: {error.why}",
            next_step=f"{NOTHING_CHANGED} See that AWS can be reached from here; {AGAIN.lower()}",
        )

    def not_done(self, action: str, error: NoAnswer) -> ApplyUnknown | TargetRefused:
        """A change has no answer."""
        what = f"{self.credential.name}: {action} as {self.name}: {error.why}"
        if error.may_have_happened:
            return ApplyUnknown(f"{what}; it may have happened", next_step="Run again: it looks first.")
        return TargetRefused(what, next_step=f"{NOTHING_CHANGED} {AGAIN}")

    def too_young(self) -> TargetUnknown:
        """IAM refuses a key that STS takes."""
        return TargetUnknown(
            f"{self.credential.name}: IAM does not know the key of {self.name} yet, and STS does",
            next_step=f"{NOTHING_CHANGED} A new key takes seconds to be known everywhere. {AGAIN}",
        )

    def pending(self, action: str) -> TargetRefused:
        """IAM refuses a change by a key that STS takes."""
        return TargetRefused(
            f"{self.credential.name}: {action} has to wait: IAM does not know the new key of {self.name} yet",
            next_step=f"{NOTHING_CHANGED} Both keys live on until the next run, which tries again.",
        )

    def hold_is_over(self) -> TargetRefused:
        """Somebody else may have the credential by now."""
        return TargetRefused(
            f"{self.credential.name}: the claim on this credential has run out; nothing more is sent",
            next_step=AGAIN,
        )

    def still_active(self, key_id: str) -> TargetRefused:
        """Only what is inactive is deleted."""
        return TargetRefused(
            f"{self.credential.name}: key {key_id} is active, and an active key is never deleted",
            next_step=f"{NOTHING_CHANGED} If somebody made it active again, find out who needs it.",
        )

    def own_branch(self, key_id: str) -> TargetRefused:
        """The key that asks is the one that would end."""
        return TargetRefused(
            f"{self.credential.name}: key {key_id} cannot end itself",
            next_step=f"{NOTHING_CHANGED} The next run logs in with the new key and ends this one.",
        )

    def _meaning(self, action: str, code: str) -> tuple[str, str]:
        if code in DENIED:
            advice = (
                f"{NOTHING_CHANGED} Allow {action} on user {self.user} for {self.name}: {self.policy} is the "
                "whole policy. AWS accepts a misspelt action, and it grants nothing."
            )
            return f"AWS does not let {self.name} call {action} on user {self.user}", advice
        if code in STRANGER:
            return (
                f"AWS refuses the key of {self.name}",
                f"{NOTHING_CHANGED} See that the stored key of {self.name} is right and active.",
            )
        if code == "NoSuchEntity" and action == "iam:UpdateAccessKey":
            return (
                f"user {self.user} has no such key any more",
                f"{NOTHING_CHANGED} A deleted key stays gone.",
            )
        if code == "NoSuchEntity":
            return (
                f"IAM has no user {self.user} in the account of {self.name}",
                f"{NOTHING_CHANGED} Mend the principal at {self.credential.source}, or create the user.",
            )
        if code == "LimitExceeded":
            return (
                f"user {self.user} has as many keys as AWS allows",
                f"{NOTHING_CHANGED} Find out who uses which, and delete the one that nobody needs.",
            )
        return f"AWS refuses {action} as {self.name}", f"{NOTHING_CHANGED} Look the code up, then run again."


def no_value(credential: Credential) -> TargetRefused:
    """A user that changes itself needs a key that works."""
    return TargetRefused(
        f"{credential.name}: the user rotates its own keys, and no key that works is known",
        next_step="Put a working key into CURRENT in Bitwarden, or give the entry an admin.",
    )


def bad_entry(credential: Credential, what: str) -> BadInput:
    """What this engine cannot do or does not know."""
    return BadInput(f"{credential.name}: {what}", next_step=f"Mend the entry at {credential.source}.")
