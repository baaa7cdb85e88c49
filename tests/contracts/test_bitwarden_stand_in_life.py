"""The server comes up alone, ends with whoever started it, and stands the load of a busy day."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.bitwarden import BitwardenStandIn
from sandbox.bitwarden.sdk import Workplace, log_in
from sandbox.bitwarden.server import StandInFailed
from sandbox.places import TESTS

pytest_plugins = ["sandbox.bitwarden.fixtures"]

HOLDER = """
import signal, sys, time
from pathlib import Path
from sandbox.bitwarden import BitwardenStandIn
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
bitwarden = BitwardenStandIn(Path(sys.argv[1]))
bitwarden.start()
print(bitwarden.pid, flush=True)
time.sleep(60)
"""


def _is_alive(pid: int) -> bool:
    """Runs, and is no zombie that nobody has reaped."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _ends(pid: int, within: float = 5.0) -> bool:
    deadline = time.monotonic() + within
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not _is_alive(pid)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_server_ends_with_its_starter(tmp_path: Path, ending: signal.Signals) -> None:
    """However the starter ends; and it says nothing on the way up."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "bitwarden")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    ) as starter:
        assert starter.stdout is not None
        said = starter.stdout.readline()
        pid = int(said)
        assert _is_alive(pid)
        starter.send_signal(ending)
        _, errors = starter.communicate()
    assert _ends(pid)
    assert errors == b"" or ending is signal.SIGINT


def test_stopping_leaves_nothing_behind_and_may_be_repeated(tmp_path: Path) -> None:
    """No process, no port; the folder is closed to others while it runs."""
    bitwarden = BitwardenStandIn(tmp_path / "bitwarden")
    bitwarden.start()
    pid, port = bitwarden.pid, int(bitwarden.api_url.split(":")[2].split("/")[0])
    assert (tmp_path / "bitwarden").stat().st_mode & 0o777 == 0o700
    bitwarden.stop()
    bitwarden.stop()
    assert not _is_alive(pid)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    with pytest.raises(RuntimeError, match="not running"):
        bitwarden.requests()


def test_it_can_be_started_again_empty(tmp_path: Path) -> None:
    """State is in memory; a second start is a new server with the same organisation."""
    bitwarden = BitwardenStandIn(tmp_path / "bitwarden")
    for _ in range(2):
        with bitwarden:
            bitwarden.create_project("p")
            bitwarden.create_machine_account("a", {"p": "read"})
            assert bitwarden.secrets() == []


def test_sigterm_ends_the_server_and_the_next_wish_says_that_it_is_gone(tmp_path: Path) -> None:
    """The controlling side learns it as an error, not as a hang."""
    with BitwardenStandIn(tmp_path / "bitwarden") as bitwarden:
        os.kill(bitwarden.pid, signal.SIGTERM)
        assert _ends(bitwarden.pid)
        with pytest.raises(StandInFailed, match="the server"):
            bitwarden.requests()


def test_a_server_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is in the error, not on the terminal."""
    monkeypatch.setattr("sandbox.bitwarden.server.TESTS", tmp_path)
    with pytest.raises(StandInFailed, match="No module named"), BitwardenStandIn(tmp_path / "bitwarden"):
        pass


def test_a_wish_that_makes_no_sense_is_an_error_and_the_server_goes_on(workplace: Workplace) -> None:
    """Unknown ids of a test's own making."""
    with pytest.raises(StandInFailed, match="KeyError"):
        workplace.bitwarden.trash("no such secret")
    with pytest.raises(LookupError, match="0 projects"):
        workplace.bitwarden.grant(workplace.account, "no such project", "read")
    assert workplace.stored() == []


def test_strangers_at_the_door_do_not_disturb(workplace: Workplace) -> None:
    """A port scan, plain HTTP and a client that leaves in the middle of TLS."""
    port = int(workplace.bitwarden.api_url.split(":")[2].split("/")[0])
    for words in (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"):
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(words)
    assert workplace.value(workplace.create(value="v")) == "v"


LOAD = """
import sys, time
from sandbox.bitwarden.sdk import build_client
client = build_client(type("", (), dict(zip(("api_url", "identity_url", "ca_file"), sys.argv[1:4]))))
client.auth().login_access_token(sys.stdin.readline().strip())
secrets = client.secrets()
for _ in range(200):
    assert secrets.get(sys.argv[4]).data.value == "v"
"""


def test_five_thousand_secrets_and_some_hundred_requests_a_second(tmp_path: Path) -> None:
    """A whole organisation is put, listed and synced in seconds; four client processes share one server."""
    with BitwardenStandIn(tmp_path / "bitwarden") as bitwarden:
        project = bitwarden.create_project("p")
        token = bitwarden.create_machine_account("reader", {"p": "read"})
        made = [bitwarden.put_secret(project=project, key=f"k{number}", value="v") for number in range(5000)]
        secrets = log_in(bitwarden, token).secrets()
        began = time.monotonic()
        assert len(secrets.list(bitwarden.organization_id).data.data) == 5000
        assert len(secrets.sync(bitwarden.organization_id, None).data.secrets) == 5000
        assert len(secrets.get_by_ids(made).data.data) == 5000
        assert time.monotonic() - began < 10
        bitwarden.clear_requests()

        def client(_: int) -> int:
            where = [bitwarden.api_url, bitwarden.identity_url, str(bitwarden.ca_file), made[0]]
            return subprocess.run(
                [sys.executable, "-c", LOAD, *where],
                input=token.encode() + b"\n",
                env={**os.environ, "PYTHONPATH": str(TESTS)},
                check=False,
            ).returncode

        with ThreadPoolExecutor(4) as clients:
            assert list(clients.map(client, range(4))) == [0, 0, 0, 0]
        gets = [line for line in bitwarden.requests() if line.verb == "GET"]
        assert [line.status for line in gets] == [200] * 800
        assert 800 / (gets[-1].time - gets[0].time) > 200
