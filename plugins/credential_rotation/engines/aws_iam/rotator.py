"""The rotator for keys of an IAM user: AWS makes them, two live side by side until the old one is retired.

Rules this file keeps:
- The admin's secret is asked for when it is needed; without an admin the user rotates its own keys.
- `REFUSED` is AWS's own word about a key that IAM does not list as active; what IAM lists as active, or was
  made here a moment ago, is merely not known everywhere yet.
- A key that works for another user or account proves nothing about this entry.
- What the entry may say is checked when the rotator is made, before anything is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from credential_rotation.engines.aws_iam import complaints
from credential_rotation.engines.aws_iam.calls import STRANGER, WRONG_SECRET, AwsCalls, NoAnswer, Refused
from credential_rotation.engines.aws_iam.propagation import elsewhere, services, wait_for_run
from credential_rotation.engines.aws_iam.session import IamKeySession
from credential_rotation.engines.aws_iam.youth import YoungKeys
from credential_rotation.engines.mutex import Hold, Mutex
from credential_rotation.errors import RotationError
from credential_rotation.model import Answer, Credential, Probe, Secret, Strategy, Target

PATIENCE = timedelta(seconds=60)
_KEY_ID = re.compile(r"[A-Za-z0-9_]{16,128}")
_ARN = re.compile(r"arn:[a-z-]+:iam::(?P<account>\d{12}):user/(?:.*/)?(?P<user>[^/]+)")
_TEMPORARY = (
    "temporary credentials that were drawn with the key (STS) are not ended: they live until they expire, up "
    "to 36 hours; a policy that denies the user what it could do before now ends them sooner"
)


class AwsIamRotator:
    """Implements `protocols.KeyRotator`; `admin` gives the admin's key, None lets the user change itself.

    `mutex` is entered before anything is changed; it keeps out whoever else rotates this credential.
    """

    def __init__(
        self,
        credential: Credential,
        *,
        admin: Callable[[], Secret] | None,
        mutex: Mutex,
        patience: timedelta = PATIENCE,
    ) -> None:
        _check(credential)
        self.credential = credential
        self.admin = admin
        self.mutex = mutex
        self.patience = patience.total_seconds()
        self.region = credential.target.settings["region"]
        self.young = YoungKeys()
        self._last_that_worked: Secret | None = None

    @property
    def user(self) -> str:
        """Whose keys they are."""
        return self.credential.principals[0]

    @property
    def changes_itself(self) -> bool:
        """Without an admin, the user's own key asks."""
        return self.admin is None

    # --- asking ----------------------------------------------------------------------------------------

    def probe(self, secret: Secret) -> Probe:
        """Ask STS of the entry's region whose key this is."""
        probe = self._ask(secret, self.credential.target)
        if probe.answer is Answer.WORKS:
            self._last_that_worked = secret
        return probe

    def endpoints(self, secret: Secret) -> tuple[Probe, ...]:
        """The same in every further region of the entry."""
        return tuple(self._ask(secret, endpoint) for endpoint in self.credential.endpoints)

    def known_at_endpoints(self, secret: Secret) -> tuple[Probe, ...]:
        """As `endpoints`: `wait_until_valid` has waited for them."""
        return self.endpoints(secret)

    def ended_at_endpoints(self, secret: Secret, *, current: Secret) -> tuple[Probe, ...]:  # noqa: ARG002 - keys are known one by one
        """The same question; `wait_until_dead` has waited for these regions too."""
        return self.endpoints(secret)

    def wait_until_valid(self, secret: Secret) -> None:
        """Until every service that is used takes the key, several times in a row."""
        self.young.add(secret.login)
        self._wait(secret, Answer.WORKS)

    def wait_until_dead(self, secret: Secret) -> None:
        """Until every service that is used refuses it, several times in a row."""
        self.young.forget(secret.login)
        self._wait(secret, Answer.REFUSED)

    def open_sessions(self, login: Secret | None) -> tuple[str, ...]:  # noqa: ARG002 - AWS tells nobody
        """A key opens none, but temporary credentials outlive the key that they were drawn with."""
        return (_TEMPORARY,)

    # --- changing --------------------------------------------------------------------------------------

    @contextmanager
    def lock(self, login: Secret | None, *, changing: str) -> Iterator[IamKeySession]:
        """Enter the mutex, then prove the whole life of a key."""
        if changing != self.user:
            raise complaints.bad_entry(self.credential, f"{changing} is not the entry's user")
        who = self._who(login)
        with self.mutex() as hold:
            session = self._session(who, hold)
            session.prove_whole_life()
            yield session

    def check_privileges(self, login: Secret | None) -> None:
        """Prove the whole life of a key; without the mutex, because nothing changes.

        Raises: TargetUnknown, TargetRefused (with the action that is missing).
        """
        self._session(self._who(login), _Harmless()).prove_whole_life()

    def _session(self, who: Secret, hold: Hold) -> IamKeySession:
        asker = complaints.Asker(self.credential, who.principal, is_admin=self.admin is not None)
        return IamKeySession(asker, AwsCalls(who, self.region), hold, self.young)

    def _who(self, login: Secret | None) -> Secret:
        who = self.admin() if self.admin is not None else login
        if who is None:
            raise complaints.no_value(self.credential)
        if not _KEY_ID.fullmatch(who.login):
            raise complaints.bad_entry(
                self.credential, f"what is stored of {who.principal} has no access key id"
            )
        return who

    # --- how it is asked -------------------------------------------------------------------------------

    def _wait(self, secret: Secret, wanted: Answer) -> None:
        has_bucket = any(consumer.kind == "s3_bucket" for consumer in self.credential.consumers)
        asks = services(AwsCalls(secret, self.region), self.user, s3=has_bucket)
        for place in self.credential.endpoints:
            asks |= elsewhere(AwsCalls(secret, place.settings["region"]), place.settings["region"])
        wait_for_run(asks, wanted, patience=self.patience)

    def _ask(self, secret: Secret, place: Target) -> Probe:
        region = place.settings["region"]
        where = f"AWS STS in {region}"
        if secret.principal != self.user:
            return Probe(Answer.UNKNOWN, where, "the value is for none of the entry's principals")
        if not _KEY_ID.fullmatch(secret.login) or not secret.password:
            return Probe(
                Answer.REFUSED, where, "it is no access key: an id or a secret is missing or malformed"
            )
        try:
            arn = AwsCalls(secret, region).whoami()
        except NoAnswer as error:
            return Probe(Answer.UNKNOWN, where, error.why)
        except Refused as refused:
            answer, why = self._meaning(secret, refused.code)
            return Probe(answer, where, f"{why} ({refused.code})")
        doubt = self._doubt(arn)
        return Probe(Answer.UNKNOWN, where, doubt) if doubt else Probe(Answer.WORKS, where)

    def _doubt(self, arn: str) -> str:
        """Why a key that works still proves nothing; empty where it does."""
        found = _ARN.fullmatch(arn)
        account = self.credential.target.settings.get("account")
        if found is None:
            return "the key works, but it is no IAM user's"
        if found["user"] != self.user:
            return f"the key works, but it is of user {found['user']}"
        if account and found["account"] != account:
            return f"the key works, but in account {found['account']}"
        return ""

    def _meaning(self, secret: Secret, code: str) -> tuple[Answer, str]:
        if code not in STRANGER:
            return Answer.UNKNOWN, "no statement about the key"
        if code in WRONG_SECRET:
            return Answer.REFUSED, "the key's secret is another one"
        if secret.login in self.young:
            return Answer.UNKNOWN, "made a moment ago, and not known everywhere yet"
        return self._as_listed(secret)

    def _as_listed(self, secret: Secret) -> tuple[Answer, str]:
        """Ask IAM about a key that STS does not know; where nobody may ask, STS's word stands."""
        try:
            asker = self.admin() if self.admin is not None else self._last_that_worked
            if asker is None or asker.login == secret.login:
                return Answer.REFUSED, "unknown, inactive or deleted"
            listed = AwsCalls(asker, self.region).keys(self.user)
        except (RotationError, NoAnswer) as error:
            return Answer.UNKNOWN, f"refused, but whether IAM has it could not be asked: {error}"
        except Refused:
            return Answer.REFUSED, "unknown, inactive or deleted"
        if any(key.login == secret.login and key.is_active for key in listed):
            return Answer.UNKNOWN, "IAM lists it as active: too young, or the region is not enabled"
        return Answer.REFUSED, "inactive or deleted"


class _Harmless:
    """Stands for a hold where nothing is changed."""

    def still_held(self) -> bool:
        """No change is made, so that none is allowed."""
        return False


def _check(credential: Credential) -> None:
    """Raises: BadInput for what this engine cannot do or does not know."""
    if credential.strategy is not Strategy.OVERLAPPING:
        raise complaints.bad_entry(credential, f"strategy {credential.strategy.value} is not for aws_iam")
    if len(credential.principals) != 1:
        raise complaints.bad_entry(credential, "principal is exactly one IAM user")
    for place in (credential.target, *credential.endpoints):
        if not place.settings.get("region"):
            raise complaints.bad_entry(credential, "target and endpoints need a region")
