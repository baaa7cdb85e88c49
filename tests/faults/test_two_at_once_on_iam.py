"""Two rotate the keys of one IAM user at once: what the mutex in the vault gives, and what it cannot.

IAM has no conditional calls, Bitwarden no compare-and-set: a claim is no fence (docs/protocol.md).
Of a holder that sleeps past its claim this much holds: some stored key logs in at any time, nothing foreign
is touched, and the next runs put CURRENT right. What else it may do is the named limit: ask for a key of its
own beside the other one's, or write an old CURRENT. AWS's two keys for each user bound the first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial

import pytest

from credential_rotation import wiring
from credential_rotation.engines.aws_iam import propagation as aws_iam_propagation
from credential_rotation.journal.claims import ClaimMutex
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from sandbox.aws import AwsStandIn
from scenes.aws_iam.user import POLICIES
from scenes.rivals.driver import DELTA
from scenes.rivals.processes import Rivals
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures", "scenes.rivals.fixtures", "sandbox.aws.fixtures"]

SETTLED = timedelta(minutes=16)
OVER = timedelta(days=3)
"""Past grace, or past soak when it comes twice."""
ENTRY = """\
credentials:
  - name: keys
    engine: aws_iam
    principal: {user}
    target: {{region: {region}}}
    vault: {{key: keys/aws, project: {data}, format: aws-credentials}}
    policy: {{max_age: 90d, grace: 1d}}
    owner: data-platform
"""
Key = tuple[str, str]


@dataclass
class Keys:
    """A user that changes itself, and another one beside it."""

    site: Site
    aws: AwsStandIn

    def __post_init__(self) -> None:
        self.user, self.stranger = f"rivals-{self.site.number}", f"stranger-{self.site.number}"
        policy = (POLICIES / "self-rotating-user.json").read_text(encoding="utf-8")
        policy = policy.replace("ACCOUNT", self.aws.account_id).replace("PRINCIPAL", self.user)
        self.first = self.aws.create_user(self.user, json.loads(policy))
        self.aws.create_user(self.stranger)
        self.foreign = self.aws.keys(self.stranger)
        value = json.dumps({"aws_access_key_id": self.first[0], "aws_secret_access_key": self.first[1]})
        self.site.bitwarden.put_secret(
            project=self.site.projects["data"], key="keys/aws", value=value, note="ours"
        )
        text = ENTRY.format(user=self.user, region=self.aws.region, data=self.site.project("data"))
        self.site.write_entries(text, file="keys.yaml")
        self.site.environ["AWS_ENDPOINT_URL"] = self.aws.endpoint_url

    def rotate(self, *, later: timedelta = timedelta(0), begin: bool = True) -> Outcome:
        """By this process, on a clock that is so much ahead."""
        ahead = min(later, SETTLED).total_seconds()  # as much as ends a claim
        self.site.bitwarden.advance_clock(ahead - self.site.bitwarden.clock_is_ahead)
        deployment = self.site.deployment()
        deployment.clock = lambda: datetime.now(timezone.utc) + later
        request = Request(at=deployment.clock(), by="the test", now=True) if begin else None
        return deployment.rotate(deployment.entry("keys"), request)

    def stored(self) -> set[Key]:
        """Every key with a secret that somebody could read in Bitwarden."""
        kept = [one for one in self.site.secrets() if not one.deleted]
        return {found for one in kept if (found := _key_of(one.key, one.value)) is not None}

    @property
    def current(self) -> Key:
        value = json.loads(self.site.current("keys/aws").value)
        return value["aws_access_key_id"], value["aws_secret_access_key"]

    def holds(self) -> bool:
        """What is promised at every moment."""
        works = any(self.aws.works(*key) for key in self.stored())
        return works and self.aws.keys(self.stranger) == self.foreign

    def end_right(self, *later: timedelta) -> None:
        """After ordinary repairs at these times: CURRENT logs in, and neither key nor record is left over."""
        for one in later:
            assert self.holds()
            self.rotate(later=one, begin=False)
        assert self.holds()
        assert self.aws.works(*self.current)
        assert self.ids() == [self.current[0]]
        assert self.stored() == {self.current}
        assert len(self.site.records("keys")) == 1

    def ids(self) -> list[str]:
        return [key.id for key in self.aws.keys(self.user)]


def _key_of(name: str, value: str) -> Key | None:
    if name == "keys/aws":
        fields = json.loads(value)
        return fields["aws_access_key_id"], fields["aws_secret_access_key"]
    if name.startswith("rotation/keys/") and not name.endswith(("/intent", "/ending")):
        fields = json.loads(value)
        return fields["login"], fields["password"]
    return None


@pytest.fixture
def keys(site: Site, aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keys]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    monkeypatch.setattr(aws_iam_propagation, "RUN", 2)
    monkeypatch.setattr(aws_iam_propagation, "_SHORTEST", 0.01)
    monkeypatch.setattr(wiring, "ClaimMutex", partial(ClaimMutex, delta=DELTA))
    yield Keys(site, aws)
    site.bitwarden.advance_clock(-site.bitwarden.clock_is_ahead)


def test_of_two_at_the_same_moment_one_rotates_and_the_other_is_busy(keys: Keys, rivals: Rivals) -> None:
    """The mutex lets one in."""
    asked = datetime.now(timezone.utc)
    both = [rivals.begin("keys", keys.site.environ, asked=asked) for _ in range(2)]
    words = sorted(one.outcome()["outcome"] for one in both)
    assert words in (["busy", "rotated"], ["rotated", "unchanged"])
    assert keys.holds()
    assert len(keys.ids()) == 2
    assert keys.aws.works(*keys.current)


ASLEEP = {
    "before its intent": "vault create_secret 3",
    "before the key is asked for": "aws CreateAccessKey 1",
    "before the key is recorded": "vault create_secret 4",
    "before promote": "vault update_secret 1",
}
"""Calls of the first rotation, before which the holder is put to sleep."""
EARLY = dict.fromkeys(ASLEEP, "busy") | {"before its intent": "waiting"}
"""How the one ends who comes at once: what is not settled is waited for without a claim."""
OTHERS = dict.fromkeys(ASLEEP, "rotated") | {"before promote": "recovered"}
"""How the one ends who comes when the claim is over, and what the holder left cannot land any more."""
WOKEN = {
    "before its intent": "the claim on this credential has run out; nothing more is sent",
    "before the key is asked for": "LimitExceeded",
    "before the key is recorded": "could not tell whether a value logs in",
    "before promote": "version 1 is CURRENT, and proved",
}
"""What the holder says, once it is woken."""


@pytest.mark.parametrize("place", ASLEEP)
def test_of_a_holder_that_sleeps_past_its_claim_the_rest_is_put_right(
    keys: Keys, rivals: Rivals, place: str
) -> None:
    """Nobody gets in while the claim lasts; then the other one does, and the woken one says how it fared."""
    holder = rivals.begin("keys", keys.site.environ, stop_at=ASLEEP[place], sleeps=SETTLED.total_seconds())
    holder.wait_until_it_sleeps()
    assert keys.rotate().outcome == EARLY[place]
    assert keys.rotate(later=SETTLED).outcome == OTHERS[place]
    assert keys.holds()
    current = keys.current
    holder.wake()
    assert WOKEN[place] in holder.outcome()["reason"]
    assert keys.current == current
    keys.end_right(2 * SETTLED, OVER, 2 * OVER)
    assert keys.current == current


def test_of_a_holder_that_sleeps_for_days_the_promise_holds_all_the_same(keys: Keys, rivals: Rivals) -> None:
    """Past another one's grace and soak: it writes CURRENT once more, and ends no key: its claim is over."""
    days = (2 * OVER).total_seconds()
    holder = rivals.begin("keys", keys.site.environ, stop_at=ASLEEP["before promote"], sleeps=days)
    holder.wait_until_it_sleeps()
    for later in (SETTLED, OVER, 2 * OVER):
        keys.rotate(later=later, begin=False)
    [only] = keys.ids()
    assert keys.current[0] == only
    holder.wake()
    assert "the claim on this credential has run out; nothing more is sent" in holder.outcome()["reason"]
    keys.end_right(3 * OVER)
    assert keys.current[0] == only
