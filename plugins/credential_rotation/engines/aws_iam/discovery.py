"""Which users of an AWS account have access keys, and when each was last used.

Rules this file keeps:
- Only looks; the rights that it needs are `include/iam/discover.json`.
- What is missing is named by its action.
"""

from __future__ import annotations

from credential_rotation.discovered import Login
from credential_rotation.engines.aws_iam.calls import DENIED, AwsCalls, NoAnswer, Refused
from credential_rotation.errors import TargetRefused, TargetUnknown
from credential_rotation.model import Credential, Secret

POLICY = "include/iam/discover.json"


def logins(credential: Credential, admin: Secret) -> list[Login]:
    """All keys of all users. Raises: TargetRefused (a right is missing), TargetUnknown."""
    calls = AwsCalls(admin, credential.target.settings["region"])
    try:
        account = calls.whoami().split(":")[4]
        return [
            Login(
                engine="aws_iam",
                where=account,
                principal=user,
                login=key.login,
                is_active=key.is_active,
                created=key.created,
                last_used=used[0] if used else None,
                used_by=used[1] if used else "",
                knows_use=True,
            )
            for user in calls.users()
            for key in calls.keys(user)
            for used in [calls.last_use(key.login)]
        ]
    except Refused as no:
        right = "a right is missing" if no.code in DENIED else f"AWS said {no.code}"
        raise TargetRefused(
            f"the account's keys could not be listed: {right}",
            next_step=f"Give the admin of {credential.name} {POLICY}: iam:ListUsers, iam:ListAccessKeys and "
            "iam:GetAccessKeyLastUsed on all users.",
        ) from None
    except NoAnswer as wrong:
        raise TargetUnknown(
            f"the account's keys could not be listed: {wrong.why}", next_step="Run it again."
        ) from None
