"""Nothing of a sandbox outlives whoever holds it, however that ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from sandbox import detached
from sandbox.directory_lock import AlreadyRunning, is_free, lock
from sandbox.kept import DidNotStart, Kept, wait_until
from sandbox.sandbox import Sandbox

HOLDER = """
import signal
import sys
from pathlib import Path
from sandbox import detached
from sandbox.sandbox import Sandbox

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored under nohup
detached.leave_when_told()
with Sandbox(Path(sys.argv[1])) as sandbox:
    print("up at last", flush=True)
    detached.announce(Path(sys.argv[1]), {"url": sandbox.slack.webhook_url})
    detached.hold()
"""


def command(directory: Path) -> list[str]:
    return [sys.executable, "-c", HOLDER, str(directory)]


def descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(processes: list[psutil.Process], *, within: float = 20) -> bool:
    until = time.monotonic() + within
    while any(map(lives, processes)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(lives, processes))


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The system's temporary folder as the sandbox sees it, ours alone; `nobody` has to get through."""
    folder = Path(tempfile.mkdtemp(prefix="leaves-nothing-"))
    folder.chmod(0o711)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder)


@contextmanager
def held_by_another(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command(directory), stdout=subprocess.PIPE, env=environment) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"up at last\n"
        try:
            yield holder
        finally:
            holder.kill()


@pytest.mark.parametrize("failing", [False, True], ids=["success", "failure"])
def test_the_end_of_the_with_statement_is_the_end_of_all(
    tmp_path: Path, temporary: Path, *, failing: bool
) -> None:
    """No process and no folder outside its own is left, whether the body succeeded or raised."""
    with suppress(ZeroDivisionError), Sandbox(tmp_path) as sandbox:
        started = [one for one in descendants(os.getpid()) if str(tmp_path) in " ".join(one.cmdline())]
        assert len(started) >= 6, "server, its TLS, Slack, each with a keeper, and Bitwarden"
        assert sandbox.postgres.execute("SELECT 1") == [(1,)]
        assert sandbox.bitwarden.api_url.startswith("https://")
        (sandbox.short_folder() / "socket").touch()
        assert list(temporary.iterdir())
        if failing:
            raise ZeroDivisionError
    assert gone(started, within=0)
    assert not list(temporary.iterdir())
    assert is_free(tmp_path)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_end_of_the_holder_is_the_end_of_all(
    tmp_path: Path, temporary: Path, how: signal.Signals
) -> None:
    """Ctrl-C, a closed terminal and kill -9 leave as little as success; the next start works at once."""
    with held_by_another(tmp_path) as holder:
        started = descendants(holder.pid)
        assert len(started) >= 7
        holder.send_signal(how)
        holder.wait(20)
        with Sandbox(tmp_path) as next_one:
            assert gone(started, within=0), "the lock was free while something still ran"
            assert next_one.postgres.execute("SELECT 1") == [(1,)]
    assert not list(temporary.iterdir())


def test_a_second_sandbox_in_one_directory_is_told_who_is_in_the_way(tmp_path: Path) -> None:
    """Two would write over each other; the one that runs goes on."""
    with lock(tmp_path, within=0), pytest.raises(AlreadyRunning, match=rf"process {os.getpid()}.*make down"):
        Sandbox(tmp_path, wait=0.3).start()
    assert is_free(tmp_path)


def test_the_directory_is_not_free_while_something_still_ends(tmp_path: Path) -> None:
    """A command that takes its time would meet the next sandbox on its files and ports."""
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(); time.sleep(60)"
    log = tmp_path / "log"
    with lock(tmp_path, within=0) as held:
        kept = Kept([sys.executable, "-u", "-c", deaf], log=log, grace=1.0, hold=held)
        wait_until(lambda: log.read_text() == "\n", "the deaf one", within=20, kept=(kept,))
        kept.release()
    assert not is_free(tmp_path)
    kept.stop()
    assert is_free(tmp_path)


def test_a_daemon_with_a_session_of_its_own_ends_with_the_command_that_started_it(tmp_path: Path) -> None:
    """Tasks start the vault's agent just so: own session, own group, its parent gone."""
    sleep = f"{sys.executable!r}, '-c', 'import time; time.sleep(600)'"
    daemon = f"import subprocess as s; print(s.Popen([{sleep}], start_new_session=True).pid, flush=True)"
    log = tmp_path / "log"
    kept = Kept([sys.executable, "-c", f"{daemon}; import time; time.sleep(600)"], log=log)
    try:
        wait_until(lambda: log.read_text().endswith("\n"), "the daemon", within=20, kept=(kept,))
        sleeper = psutil.Process(int(log.read_text()))
        psutil.Process(kept.pid).kill()
        assert gone([sleeper])
    finally:
        kept.stop()


def test_left_open_until_told_to_end(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make up` returns with the address while the sandbox runs on; `make down` ends it, once."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    known = detached.launch(tmp_path, command(tmp_path))
    try:
        started = [psutil.Process(known["pid"]), *descendants(known["pid"])]
        assert known["url"].startswith("http://127.0.0.1:")
        assert detached.running(tmp_path) == known
        assert (tmp_path / "up.json").stat().st_mode & 0o077 == 0
        with pytest.raises(AlreadyRunning, match="up already"):
            detached.launch(tmp_path, command(tmp_path))
        assert all(map(lives, started))
    finally:
        assert detached.end(tmp_path)
    assert gone(started, within=0)
    assert not list(temporary.iterdir())
    assert detached.running(tmp_path) is None
    assert not detached.end(tmp_path)


def test_a_holder_that_fails_is_said_with_what_it_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failed `make up` shows why, and leaves nothing to end."""
    with pytest.raises(DidNotStart, match="exit code 3"):
        detached.launch(tmp_path, [sys.executable, "-c", "print('no luck'); raise SystemExit(3)"])
    assert "no luck" in capsys.readouterr().out
    assert detached.running(tmp_path) is None


def test_a_stranger_who_got_the_holders_number_is_not_ended(tmp_path: Path) -> None:
    """After a reboot `up.json` may name a process of somebody else."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        try:
            began = psutil.Process(stranger.pid).create_time()
            detached._write(tmp_path, {"pid": stranger.pid, "started": began - 3600, "up": True})
            assert not detached.end(tmp_path)
            assert stranger.poll() is None
        finally:
            stranger.kill()
