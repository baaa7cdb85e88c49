"""What one server answers to one value: works, refused, or unknown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg import pq

import credential_rotation
from credential_rotation.engines.postgres import sqlstate as postgres_sqlstate
from credential_rotation.engines.postgres.sqlstate import code_in
from credential_rotation.errors import TargetUnknown
from credential_rotation.model import Answer, Secret, Target
from scenes.postgres.role import Scene


def test_the_right_value_works(scene: Scene) -> None:
    """The stored value that the server takes by SCRAM over TLS works."""
    assert scene.rotator().probe(scene.first).answer is Answer.WORKS


def test_a_wrong_value_is_refused(scene: Scene) -> None:
    """A wrong password is refused, and the reason names the other causes that look the same."""
    probe = scene.rotator().probe(Secret(scene.role, "wrong"))
    assert probe.answer is Answer.REFUSED
    assert "VALID UNTIL" in probe.why


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("ALTER ROLE {role} NOLOGIN", "28000"),
        ("ALTER ROLE {role} CONNECTION LIMIT 0", "53300"),
    ],
    ids=["may not log in", "too many connections"],
)
def test_a_no_that_is_not_about_the_password_is_unknown(scene: Scene, change: str, code: str) -> None:
    """A refusal for another reason says nothing about the value; a wrong one is still refused."""
    scene.sql(change.format(role=scene.role))
    probe = scene.rotator().probe(scene.first)
    assert (probe.answer, code in probe.why) == (Answer.UNKNOWN, True)
    assert scene.rotator().probe(Secret(scene.role, "wrong")).answer is Answer.REFUSED


def test_an_expired_role_is_refused_and_expiry_named(scene: Scene) -> None:
    """G3: the server says the same for an expired role as for a wrong password; the reason says so."""
    scene.sql(f"ALTER ROLE {scene.role} VALID UNTIL '2001-01-01'")
    probe = scene.rotator().probe(scene.first)
    assert probe.answer is Answer.REFUSED
    assert "expired" in probe.why


def test_a_missing_database_is_unknown(scene: Scene) -> None:
    """The value is right, but consumers could not connect: neither works nor refused."""
    probe = scene.rotator(target=scene.target(dbname="nowhere")).probe(scene.first)
    assert probe.answer is Answer.UNKNOWN
    assert "3D000" in probe.why


def test_no_way_in_by_pg_hba_is_unknown(scene: Scene) -> None:
    """A pg_hba.conf line that rejects the role is no statement about its password."""
    with scene.admitted_by("reject"):
        probe = scene.rotator().probe(scene.first)
    assert probe.answer is Answer.UNKNOWN
    assert "28000" in probe.why


@pytest.mark.parametrize("method", ["trust", "password"])
def test_a_server_that_does_not_demand_scram_never_works(scene: Scene, method: str) -> None:
    """Where any password would do, or would be sent in clear, even the right one does not count."""
    with scene.admitted_by(method):
        probes = [scene.rotator().probe(Secret(scene.role, value)) for value in (scene.first.password, "x")]
    assert [probe.answer for probe in probes] == [Answer.UNKNOWN, Answer.UNKNOWN]
    assert all("did not demand SCRAM" in probe.why for probe in probes)


def test_an_md5_role_is_unknown(scene: Scene) -> None:
    """A role that logs in by md5 cannot be proved; nothing is concluded."""
    scene.sql(f"SET password_encryption = md5; ALTER ROLE {scene.role} PASSWORD '{scene.first.password}'")
    with scene.admitted_by("md5"):
        probe = scene.rotator().probe(scene.first)
    assert probe.answer is Answer.UNKNOWN
    assert "did not demand SCRAM" in probe.why


@pytest.mark.parametrize(
    "target",
    [
        Target("127.0.0.1", {"port": "1"}),
        Target("no-such-host.invalid", {}),
    ],
    ids=["nobody listens", "no such name"],
)
def test_an_unreachable_target_is_unknown(scene: Scene, target: Target) -> None:
    """A target that cannot be reached has not refused anything."""
    assert scene.rotator(target=target).probe(scene.first).answer is Answer.UNKNOWN


def test_a_certificate_of_somebody_else_is_unknown(scene: Scene) -> None:
    """A server that cannot prove itself is not told the password, and not believed."""
    target = Target(scene.server.host, {"port": str(scene.server.port)})
    probe = scene.rotator(target=target).probe(scene.first)
    assert probe.answer is Answer.UNKNOWN
    assert "certificate" in probe.why


def test_a_silent_server_is_unknown_in_time(scene: Scene, silent_port: int) -> None:
    """A host that takes the connection and says nothing costs no more than connect_timeout."""
    target = Target("127.0.0.1", {"port": str(silent_port), "connect_timeout": "1"})
    probe = scene.rotator(target=target).probe(scene.first)
    assert (probe.answer, probe.why) == (Answer.UNKNOWN, "no answer in time")


def test_a_refusal_before_any_password_was_asked_is_unknown(scene: Scene, hasty_port: int) -> None:
    """28P01 counts only after an exchange about the password: who has not asked cannot know."""
    target = Target("127.0.0.1", {"port": str(hasty_port), "sslmode": "disable"})
    probe = scene.rotator(target=target).probe(scene.first)
    assert (probe.answer, "28P01" in probe.why) == (Answer.UNKNOWN, True)


def test_a_stopped_server_is_unknown(scene: Scene) -> None:
    """A target that is down is asked again later; nobody is locked out by concluding."""
    scene.server.stop()
    try:
        assert scene.rotator().probe(scene.first).answer is Answer.UNKNOWN
    finally:
        scene.server.start()
    assert scene.rotator().probe(scene.first).answer is Answer.WORKS


def test_a_replica_does_not_speak_for_the_primary(scene: Scene) -> None:
    """As target a replica proves nothing and is not locked; as endpoint it is as good as any."""
    [(folder,)] = scene.sql("SELECT current_setting('data_directory')")
    scene.sql(f"COPY (SELECT '') TO '{folder}/standby.signal'")
    scene.server.restart()
    try:
        rotator = scene.rotator(endpoints=(scene.target(),))
        probe = rotator.probe(scene.first)
        [endpoint] = rotator.endpoints(scene.first)
    finally:
        scene.sql("SELECT pg_promote()")
    assert (probe.answer, probe.why) == (Answer.UNKNOWN, "this is a replica")
    assert endpoint.answer is Answer.WORKS


def test_a_value_for_another_role_is_not_tried(scene: Scene) -> None:
    """A record that names a foreign principal is never sent to the target."""
    assert scene.rotator().probe(scene.admins).answer is Answer.UNKNOWN


@pytest.mark.parametrize("value", ["", "a\0b"])
def test_what_can_be_no_password_is_refused_unsent(scene: Scene, value: str) -> None:
    """An empty value would let libpq look for another one; it is answered without asking."""
    assert scene.rotator().probe(Secret(scene.role, value)).answer is Answer.REFUSED


@pytest.mark.parametrize("odd", ["a\ud800b", "a\0b"], ids=["half a character", "NUL"])
@pytest.mark.parametrize("part", ["name", "password"])
def test_an_admin_that_is_no_text_gets_no_session(scene: Scene, odd: str, part: str) -> None:
    """What an Airflow connection may hold and no server can be sent is said, and not repeated."""
    admins = Secret(odd, "canary") if part == "name" else Secret(scene.admin, f"{odd}canary")
    with (
        pytest.raises(TargetUnknown, match="cannot be sent") as refusal,
        scene.rotator(admins=admins).lock(None, changing=scene.role),
    ):
        pytest.fail("a session was opened")
    assert "canary" not in repr((refusal.value, refusal.value.__cause__))
    assert refusal.value.__suppress_context__


def test_awkward_passwords_arrive_whole(scene: Scene) -> None:
    """Quotes, backslashes, spaces and letters beyond ASCII reach the server as they are."""
    secret = Secret(scene.role, "a'b\\c d%{}ü=ß\" ")
    with scene.rotator().lock(None, changing=scene.role) as session:
        session.apply(scene.record(secret), found=None, leave=scene.stamp())
    assert scene.rotator().probe(secret).answer is Answer.WORKS


def test_the_environment_changes_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No PG* variable, password file or service file has a say in where and how we log in."""
    (tmp_path / "service.conf").write_text("[trap]\nhost=192.0.2.1\nsslmode=disable\nuser=nobody\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "service.conf"))
    monkeypatch.setenv("PGSERVICE", "trap")
    for option in pq.Conninfo.get_defaults():
        name = (option.envvar or b"").decode()
        if name and name != "PGSERVICE":
            monkeypatch.setenv(name, "trap")
    assert scene.rotator().probe(scene.first).answer is Answer.WORKS
    assert scene.rotator().probe(Secret(scene.role, "wrong")).answer is Answer.REFUSED


def test_without_error_codes_nothing_is_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where libpq cannot be asked for codes, the answer is unknown with that reason, never a guess."""
    monkeypatch.setattr(postgres_sqlstate, "_libpq", lambda: None)
    probe = scene.rotator().probe(Secret(scene.role, "wrong"))
    assert probe.answer is Answer.UNKNOWN
    assert "error codes" in probe.why


def test_an_old_libpq_is_not_used() -> None:
    """A libpq that cannot insist on SCRAM is refused with that reason."""
    plugins = Path(credential_rotation.__file__).parents[1]
    code = (
        "from psycopg import pq; pq.version = lambda: 150000\n"
        "from credential_rotation.engines.postgres.login import ask\n"
        "from credential_rotation.engines.postgres.target import place\n"
        "from credential_rotation.model import Secret, Target\n"
        "print(ask(place(Target('127.0.0.1', {}), 'x'), Secret('a', 'b'), primary=True).why)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(plugins)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot insist on SCRAM" in done.stdout


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('connection to server at "h", port 1 failed: FATAL:  28P01', "28P01"),
        ("Verbindung zum Server auf »h«, Port 1 fehlgeschlagen: FATAL:  3D000\n", "3D000"),
        ('サーバー"h"への接続に失敗しました: 致命的エラー:  28P01\n', "28P01"),
        ("connection failed: SSL error: certificate verify failed", None),
        ('could not translate host name "A: 28P01" to address', None),
    ],
)
def test_the_code_is_read_in_any_language(message: str, code: str | None) -> None:
    """Only the code at the end counts; words in whatever language do not."""
    assert code_in(message) == code
