"""What every rotator promises to the attempt: the simulated one and PostgreSQL alike, in each mode."""

from __future__ import annotations

import itertools

import pytest

from credential_rotation.engines.postgres import login as postgres_login
from credential_rotation.errors import Busy, TargetRefused, TargetUnknown
from credential_rotation.model import Answer, Secret
from scenes.postgres.role import Scene
from scenes.postgres.sides import MODES, PostgresTarget, RotatorSide, SimulatedTarget, record_of, stamp_of
from scenes.site.ground import Ground

pytest_plugins = ["scenes.site.fixtures"]

_numbers = itertools.count(1)


@pytest.fixture(params=["simulated", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def side(kind: str, mode: str, request: pytest.FixtureRequest) -> RotatorSide:
    if kind == "simulated":
        return SimulatedTarget(mode)
    ground: Ground = request.getfixturevalue("ground")
    number = next(_numbers)
    return PostgresTarget(Scene(ground.postgres, f"etl_of_{number}", f"admin_of_{number}"), mode)


def apply(side: RotatorSide, secret: Secret, epoch: int = 1) -> None:
    """One change under the lock, as an attempt makes it."""
    with side.rotator.lock(side.first, changing=secret.principal) as session:
        found = session.stamp(secret.principal)
        session.apply(record_of(secret, epoch), found=found, leave=stamp_of(epoch))


# --- what it is ----------------------------------------------------------------------------------------


def test_it_says_whether_the_role_changes_itself(side: RotatorSide, mode: str) -> None:
    """Without an admin the lock session is the role's own."""
    assert side.rotator.changes_itself is (mode == "itself")


def test_a_new_value_is_for_the_principal_that_was_named(side: RotatorSide) -> None:
    """Each time another one, and minting it changes nothing."""
    for principal in side.principals:
        minted = [side.rotator.mint(principal) for _ in range(3)]
        assert {secret.principal for secret in minted} == {principal}
        assert len({secret.password for secret in minted}) == 3
        assert all(not side.accepts(secret) for secret in minted)
    assert side.accepts(side.first)


# --- probing -------------------------------------------------------------------------------------------


def test_what_logs_in_works(side: RotatorSide) -> None:
    """The answer says where it was asked."""
    probe = side.rotator.probe(side.first)
    assert probe.answer is Answer.WORKS
    assert probe.where


@pytest.mark.parametrize("wrong", ["a-wrong-value", ""])
def test_another_value_is_refused(side: RotatorSide, wrong: str) -> None:
    """For certain, with a reason, and without the value."""
    probe = side.rotator.probe(Secret(side.first.principal, wrong))
    assert probe.answer is Answer.REFUSED
    assert probe.why
    assert "a-wrong-value" not in probe.why


def test_a_target_that_is_down_is_not_a_no(side: RotatorSide) -> None:
    """Neither to the right value nor to a wrong one; and no lock is given."""
    side.goes_down()
    for password in (side.first.password, "wrong"):
        assert side.rotator.probe(Secret(side.first.principal, password)).answer is Answer.UNKNOWN
    with pytest.raises(TargetUnknown), side.rotator.lock(side.first, changing=side.first.principal):
        pytest.fail("locked")


def test_of_a_foreign_principal_nothing_is_asked(side: RotatorSide) -> None:
    """Its password is no business of this entry's."""
    assert side.rotator.probe(Secret("somebody", "else")).answer is Answer.UNKNOWN


def test_without_further_endpoints_none_is_asked(side: RotatorSide) -> None:
    """None in, none out."""
    assert side.rotator.endpoints(side.first) == ()
    assert side.rotator.ended_at_endpoints(side.first, current=side.first) == ()


def test_an_endpoint_answers_for_itself(side: RotatorSide) -> None:
    """As the primary does: to the right value, and to another one."""
    side.has_an_endpoint()
    wrong = Secret(side.first.principal, "a-wrong-value")
    assert [probe.answer for probe in side.rotator.endpoints(side.first)] == [Answer.WORKS]
    assert [probe.answer for probe in side.rotator.endpoints(wrong)] == [Answer.REFUSED]


def test_a_value_has_ended_at_an_endpoint_that_takes_current_and_not_it(
    side: RotatorSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that takes neither is behind, and may come to where the value was new."""
    monkeypatch.setattr(postgres_login, "LAG", 0.5)
    side.has_an_endpoint()
    wrong, other = (Secret(side.first.principal, word) for word in ("a-wrong-value", "another"))
    for secret, current, answer in (
        (wrong, side.first, Answer.REFUSED),
        (side.first, side.first, Answer.WORKS),
        (wrong, other, Answer.UNKNOWN),
    ):
        [probe] = side.rotator.ended_at_endpoints(secret, current=current)
        assert (probe.answer, bool(probe.where)) == (answer, True)


# --- the lock ------------------------------------------------------------------------------------------


def test_the_lock_is_for_one(side: RotatorSide) -> None:
    """A second runner is busy, and may come in afterwards."""
    principal = side.first.principal
    lock = side.rotator.lock(side.first, changing=principal)
    with lock, pytest.raises(Busy), side.rotator.lock(side.first, changing=principal):
        pytest.fail("locked twice")
    with side.rotator.lock(side.first, changing=principal):
        pass


def test_the_lock_is_given_back_whatever_happened(side: RotatorSide) -> None:
    """An error inside neither disappears nor leaves the lock behind."""
    principal = side.first.principal
    with pytest.raises(TargetRefused, match="inside"), side.rotator.lock(side.first, changing=principal):
        raise TargetRefused("inside", next_step="")
    with side.rotator.lock(side.first, changing=principal):
        pass


def test_locking_changes_nothing(side: RotatorSide) -> None:
    """Whatever is tried out to prove privileges leaves no trace."""
    for principal in side.principals:
        with side.rotator.lock(side.first, changing=principal) as session:
            assert session.stamp(principal) is None
    assert side.accepts(side.first)


@pytest.mark.parametrize("mode", ["itself"])
def test_a_role_that_changes_itself_gets_no_lock_without_a_value_that_works(side: RotatorSide) -> None:
    """Refused, as is a wrong one."""
    for login in (None, Secret(side.first.principal, "wrong")):
        with pytest.raises(TargetRefused), side.rotator.lock(login, changing=side.first.principal):
            pytest.fail("locked")


@pytest.mark.parametrize("mode", ["admin", "pair"])
def test_an_admin_needs_no_value_that_works(side: RotatorSide) -> None:
    """Which is how a forced run helps where nothing stored works."""
    new = side.rotator.mint(side.first.principal)
    with side.rotator.lock(None, changing=new.principal) as session:
        session.apply(record_of(new), found=None, leave=stamp_of())
    assert side.accepts(new)


# --- applying ------------------------------------------------------------------------------------------


def test_after_an_apply_the_new_value_logs_in_and_the_old_one_does_not(side: RotatorSide) -> None:
    """By the probe and in truth."""
    new = side.rotator.mint(side.first.principal)
    apply(side, new)
    assert (side.accepts(new), side.accepts(side.first)) == (True, False)
    assert side.rotator.probe(new).answer is Answer.WORKS
    assert side.rotator.probe(side.first).answer is Answer.REFUSED


def test_an_apply_leaves_its_stamp_where_there_is_an_admin(side: RotatorSide, mode: str) -> None:
    """A role cannot carry one of its own."""
    new = side.rotator.mint(side.first.principal)
    apply(side, new)
    with side.rotator.lock(new, changing=new.principal) as session:
        assert session.stamp(new.principal) == (None if mode == "itself" else stamp_of())


def test_an_apply_is_safe_to_repeat(side: RotatorSide) -> None:
    """In one session and in the next, with the stamp that it left."""
    new = side.rotator.mint(side.first.principal)
    with side.rotator.lock(side.first, changing=new.principal) as session:
        for _ in range(2):
            session.apply(record_of(new), found=session.stamp(new.principal), leave=stamp_of())
    side.first = new
    apply(side, new)
    assert side.accepts(new)


@pytest.mark.parametrize("mode", ["admin", "pair"])
def test_a_stamp_that_moved_on_stops_the_change(side: RotatorSide) -> None:
    """Another runner was here since we looked: value and stamp stay as they are."""
    new = side.rotator.mint(side.first.principal)
    with side.rotator.lock(None, changing=new.principal) as session:
        found = session.stamp(new.principal)
        side.stamp_moves_on()
        with pytest.raises(TargetRefused):
            session.apply(record_of(new), found=found, leave=stamp_of())
        assert session.stamp(new.principal) == stamp_of(9)
    assert (side.accepts(new), side.accepts(side.first)) == (False, True)


@pytest.mark.parametrize("mode", ["admin"])
def test_a_change_that_the_target_refuses_did_not_happen(side: RotatorSide) -> None:
    """Told with what to do, be it when locking or when applying."""
    side.refuses_changes()
    new = side.rotator.mint(side.first.principal)
    with pytest.raises(TargetRefused) as refusal:
        apply(side, new)
    assert refusal.value.next_step
    assert (side.accepts(new), side.accepts(side.first)) == (False, True)


def test_only_the_entrys_principals_are_ever_changed(side: RotatorSide) -> None:
    """A record of somebody else's is refused before anything is sent."""
    foreign = record_of(Secret("postgres", "n" * 20))
    lock = side.rotator.lock(side.first, changing=side.first.principal)
    with lock as session, pytest.raises(TargetRefused):
        session.apply(foreign, found=None, leave=stamp_of())
    assert side.accepts(side.first)


def test_a_session_that_the_server_has_ended_applies_nothing(side: RotatorSide) -> None:
    """Its lock is another runner's by then, who comes in at once."""
    new = side.rotator.mint(side.first.principal)
    with side.rotator.lock(side.first, changing=new.principal) as session:
        found = session.stamp(new.principal)
        side.ends_session()
        with side.rotator.lock(side.first, changing=new.principal):
            pass
        with pytest.raises(TargetRefused):
            session.apply(record_of(new), found=found, leave=stamp_of())
        with pytest.raises(TargetUnknown):
            session.differences(new.principal, new.principal)
    assert (side.accepts(new), side.accepts(side.first)) == (False, True)


# --- pairs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["pair"])
def test_the_two_of_a_pair_live_side_by_side(side: RotatorSide) -> None:
    """What is applied to one does not touch the other, nor its stamp."""
    new = side.rotator.mint(side.principals[1])
    apply(side, new)
    assert (side.accepts(new), side.accepts(side.first)) == (True, True)
    with side.rotator.lock(None, changing=new.principal) as session:
        assert [session.stamp(one) for one in side.principals] == [None, stamp_of()]


@pytest.mark.parametrize("mode", ["pair"])
def test_what_is_killed_is_refused_and_the_other_lives(side: RotatorSide) -> None:
    """The stamp moves on with it, so that a paused runner cannot kill what comes after."""
    new = side.rotator.mint(side.principals[1])
    apply(side, new)
    with side.rotator.lock(None, changing=side.first.principal) as session:
        session.kill(record_of(side.first), found=None, leave=stamp_of(5))
        assert session.stamp(side.first.principal) == stamp_of(5)
    assert (side.accepts(new), side.accepts(side.first)) == (True, False)
    assert side.rotator.probe(side.first).answer is Answer.REFUSED


@pytest.mark.parametrize("mode", ["pair"])
def test_nothing_is_killed_behind_a_stamp_that_moved_on(side: RotatorSide) -> None:
    """The role was reused meanwhile: its value is not ours to end."""
    with side.rotator.lock(None, changing=side.first.principal) as session:
        side.stamp_moves_on()
        with pytest.raises(TargetRefused):
            session.kill(record_of(side.first), found=None, leave=stamp_of(5))
    assert side.accepts(side.first)


@pytest.mark.parametrize("mode", ["pair"])
def test_twins_do_not_differ(side: RotatorSide) -> None:
    """Two plain roles can take turns."""
    with side.rotator.lock(None, changing=side.principals[1]) as session:
        assert session.differences(side.principals[1], side.principals[0]) == ()
