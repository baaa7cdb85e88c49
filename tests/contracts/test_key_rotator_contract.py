"""What every rotator of keys promises to the attempt: the simulated one and AWS IAM alike, in each mode."""

from __future__ import annotations

import pytest

from credential_rotation.errors import ApplyUnknown, TargetRefused
from credential_rotation.model import Answer, Key, Secret
from sandbox.aws import AwsStandIn
from scenes.aws_iam.sides import AwsKeys, KeySide, SimulatedKeys
from scenes.aws_iam.user import intent

pytest_plugins = ["sandbox.aws.fixtures"]


@pytest.fixture(params=["simulated", "aws by an admin", "aws by itself"])
def side(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> KeySide:
    if request.param == "simulated":
        return SimulatedKeys()
    aws: AwsStandIn = request.getfixturevalue("aws")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    return AwsKeys(aws, itself=request.param == "aws by itself")


def listed(side: KeySide) -> tuple[Key, ...]:
    with side.rotator.lock(side.first, changing=side.user) as session:
        return session.keys()


def minted(side: KeySide, attempt: str = "c0ffee") -> Secret:
    with side.rotator.lock(side.first, changing=side.user) as session:
        return session.mint(intent(attempt))


def test_what_logs_in_works_and_anything_else_is_refused(side: KeySide) -> None:
    """A wrong secret and a key that is not there, with a reason."""
    assert side.rotator.probe(side.first).answer is Answer.WORKS
    wrong = Secret(side.user, "wrong", side.first.login)
    nobodys = Secret(side.user, "wrong", "AKIAAAAAAAAAAAAAAAAA")
    for secret in (wrong, nobodys):
        probe = side.rotator.probe(secret)
        assert (probe.answer, bool(probe.why)) == (Answer.REFUSED, True)


def test_a_minted_key_works_beside_the_first(side: KeySide) -> None:
    """It is the user's, names its own id, and is listed as the younger one."""
    made = minted(side)
    assert made.principal == side.user
    assert side.accepts(made)
    assert side.accepts(side.first)
    keys = listed(side)
    assert {(key.login, key.is_active) for key in keys} == {(side.first.login, True), (made.login, True)}
    assert keys[0].created <= keys[1].created
    assert keys[0].created.tzinfo is not None


def test_a_third_key_is_refused_and_two_stay(side: KeySide) -> None:
    """For certain, with something to do."""
    minted(side)
    with pytest.raises(TargetRefused) as refused:
        minted(side)
    assert refused.value.next_step
    assert len(listed(side)) == 2


def test_a_key_is_made_inactive_comes_back_and_goes(side: KeySide) -> None:
    """Each step may be repeated; gone already is success."""
    made = minted(side)
    with side.rotator.lock(side.first, changing=side.user) as session:
        for _ in range(2):
            session.deactivate(made.login)
        assert not side.accepts(made)
        for _ in range(2):
            session.activate(made.login)
        assert side.accepts(made)
        session.deactivate(made.login)
        for _ in range(2):
            session.remove(made.login)
        session.deactivate(made.login)
    assert side.rotator.probe(made).answer is Answer.REFUSED
    assert [key.login for key in listed(side)] == [side.first.login]


def test_waiting_returns_whatever_the_answers_are(side: KeySide) -> None:
    """For a key that works, and for one that is gone."""
    side.rotator.wait_until_valid(side.first)
    made = minted(side)
    with side.rotator.lock(side.first, changing=side.user) as session:
        session.deactivate(made.login)
        session.remove(made.login)
    side.rotator.wait_until_dead(made)


def test_a_lost_answer_is_unknown_and_the_key_may_be_there(side: KeySide) -> None:
    """The trail then proves whose it is."""
    with side.rotator.lock(side.first, changing=side.user) as session:
        side.lose_the_next_answer()
        with pytest.raises(ApplyUnknown) as unknown:
            session.mint(intent("c0ffee"))
    assert unknown.value.next_step
    [there] = [key for key in listed(side) if key.login != side.first.login]
    with side.rotator.lock(side.first, changing=side.user) as session:
        assert session.is_ours(there, intent("c0ffee")) is True
        assert session.is_ours(there, intent("beef")) is False


def test_whose_claim_has_run_out_changes_nothing(side: KeySide) -> None:
    """Somebody else may be at it by then: neither a new key nor the end of one is sent."""
    with side.rotator.lock(side.first, changing=side.user) as session:
        side.let_the_claim_run_out()
        with pytest.raises(TargetRefused):
            session.mint(intent())
        with pytest.raises(TargetRefused):
            session.deactivate(side.first.login)
    assert side.accepts(side.first)


def test_a_persons_key_is_not_ours(side: KeySide) -> None:
    """By proof, where there is a trail; without one nobody knows."""
    by_hand = side.make_by_hand()
    [key] = [key for key in listed(side) if key.login == by_hand.login]
    with side.rotator.lock(side.first, changing=side.user) as session:
        assert session.is_ours(key, intent()) is False
        side.keep_no_trail()
        assert session.is_ours(key, intent()) is None


def test_looking_under_the_lock_changes_nothing(side: KeySide) -> None:
    """Whatever is tried out to prove privileges leaves no trace."""
    before = listed(side)
    assert [(key.login, key.is_active) for key in before] == [(side.first.login, True)]
    assert [key.login for key in listed(side)] == [key.login for key in before]
    assert side.accepts(side.first)


def test_without_further_endpoints_none_is_asked(side: KeySide) -> None:
    """None in, none out."""
    assert side.rotator.endpoints(side.first) == ()
    assert side.rotator.ended_at_endpoints(side.first, current=side.first) == ()
