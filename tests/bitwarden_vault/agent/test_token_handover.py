"""A token that is refused is followed by the one in the second slot, and nobody has to wait for a person."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import RefusedToken, Unreachable
from bitwarden_vault.settings import Settings, read_settings
from bitwarden_vault.token_reading import TOKEN
from sandbox.bitwarden.faults import Fault
from sandbox.places import PLUGINS
from scenes.leaks.search import Search
from scenes.vault.scene import VaultScene, until

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

NEXT = f"{TOKEN}_NEXT"
LOGIN = "/identity/connect/token"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tokens of one account, and an agent that has both."""

    scene: VaultScene
    environ: dict[str, str]
    settings: Settings
    client: VaultClient

    def revoke(self, *places: str) -> None:
        """In the web vault, by hand; what logged in with it goes on for as long as its bearer lives."""
        for place in places:
            self.scene.workplace.bitwarden.revoke_token(self.environ[place])

    def expire(self) -> None:
        """No bearer that was given out so far is accepted any more."""
        self.scene.workplace.bitwarden.advance_clock(4000)

    @property
    def token(self) -> str:
        """The place of the token that is in use."""
        return str(self.client.status()["token"]).partition(" ")[0]

    def agent(self) -> int:
        return int(str(self.client.status()["pid"]))


def workers(client: VaultClient) -> list[int]:
    """The pids of its agent's workers."""
    found = client.status()["workers"]
    assert isinstance(found, list)
    return found


@pytest.fixture
def pair(vault: VaultScene) -> Iterator[Pair]:
    second = vault.workplace.bitwarden.create_token(vault.workplace.account)
    environ = {**vault.environ, NEXT: second}
    settings = read_settings(environ)
    made = Pair(vault, environ, settings, VaultClient(settings))
    yield made
    made.client.stop()


def test_the_second_goes_on_where_the_first_is_refused(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    """The caller notices nothing but one warning, which says what to do."""
    pair.client.list_projects()
    assert pair.token == TOKEN
    pair.revoke(TOKEN)
    pair.client.list_projects()
    assert pair.token == TOKEN, "a login that still holds is used"
    pair.expire()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            pair.client.list_projects()
    assert pair.token == NEXT
    assert pair.scene.logins() == 3
    [warning] = caplog.messages
    assert f"in use is the one in {NEXT} ({pair.settings.tokens[1].client_id})" in warning
    assert f"Put that one into {TOKEN}" in warning


def test_a_write_under_way_is_made_once(pair: Pair) -> None:
    """The refused login stands before it, and it is not the write's failure."""
    made = pair.scene.put()
    pair.client.list_projects()
    pair.revoke(TOKEN)
    pair.expire()
    project = pair.scene.workplace.project
    pair.client.update_secret(made, key="k", value="new", note="", project_id=project)
    assert pair.client.get_secret(made).value == "new"
    puts = [line for line in pair.scene.workplace.bitwarden.requests() if line.verb == "PUT"]
    assert [line.status for line in puts] == [401, 200]


def test_a_login_that_the_sdk_renews_by_itself_is_followed_too(pair: Pair) -> None:
    """Inside a call, after a suspended machine wakes: the call is made with the second's login."""
    made, project = pair.scene.put(), pair.scene.workplace.project
    pair.scene.workplace.bitwarden.bearer_lifetime(10)
    pair.client.list_projects()
    pair.revoke(TOKEN)
    pair.client.update_secret(made, key="k", value="new", note="", project_id=project)
    assert pair.token == NEXT


def test_a_worker_that_finds_a_torn_login_asks_for_the_next(pair: Pair, tmp_path: Path) -> None:
    """The SDK then logs in by itself, in the middle of a request: that refusal does not end it."""
    made = pair.scene.put()
    client = VaultClient(read_settings({**pair.environ, "BITWARDEN_STATE_DIR": str(tmp_path)}))
    client.list_projects()
    pair.revoke(TOKEN)
    (tmp_path / f"{pair.settings.token.client_id}.state").write_text("torn")
    os.kill(workers(client)[0], signal.SIGKILL)
    assert client.get_secret(made).value == "v"
    assert str(client.status()["token"]).startswith(NEXT)
    client.stop()


def test_both_refused_is_said_of_both(pair: Pair) -> None:
    """And remembered for a moment: as few logins as with one token."""
    pair.revoke(TOKEN, NEXT)
    for _ in range(5):
        with pytest.raises(RefusedToken) as caught:
            pair.client.list_projects()
    for one in pair.settings.tokens:
        assert one.name in caught.value.message
    assert "expired or was revoked" in caught.value.message
    assert pair.scene.logins() == 2


def test_a_second_that_is_refused_later_lets_the_first_try_again(pair: Pair) -> None:
    """After a moment, and beginning with the first: a person may have mended it."""
    pair.revoke(TOKEN)
    pair.client.list_projects()
    pair.revoke(NEXT)
    pair.expire()
    with pytest.raises(RefusedToken, match="no access token can be used"):
        pair.client.list_projects()
    assert pair.token == TOKEN


def test_trouble_that_says_nothing_about_a_token_keeps_the_first(pair: Pair) -> None:
    """A server that is down must not use a token up."""
    pair.scene.workplace.bitwarden.fault(Fault("answer", path=LOGIN, status=503, times=4))
    with pytest.raises(Unreachable):
        pair.client.list_projects()
    pair.client.list_projects()
    assert pair.token == TOKEN


def test_a_second_slot_that_cannot_be_used_is_told_when_it_would_be_needed(pair: Pair) -> None:
    """Until then the first works as if there were none."""
    client = VaultClient(read_settings({**pair.environ, NEXT: "cut off"}))
    client.list_projects()
    client.stop()
    pair.revoke(TOKEN)
    with pytest.raises(RefusedToken, match=f"cannot take over: {NEXT} is not an access token"):
        client.list_projects()
    client.stop()


def test_all_processes_share_the_agent_that_has_taken_over(pair: Pair) -> None:
    """One refused login and one that succeeds, however many ask at once."""
    pair.revoke(TOKEN)
    code = "client.list_projects(); print('agent', client.status()['pid'])"
    scene = VaultScene(pair.scene.workplace, pair.settings, pair.environ, pair.scene.directory)
    said = scene.run(code, count=6)
    assert len({one.splitlines()[-1] for one in said}) == 1
    assert pair.scene.logins() == 2
    assert all(f"in use is the one in {NEXT}" in one for one in said)


VICTIMS = {"the agent": 0, "the worker that logs in": 1}


@pytest.mark.parametrize("victim", VICTIMS.values(), ids=VICTIMS.keys())
@pytest.mark.parametrize("skip", [0, 1], ids=["at the first login", "at the second"])
def test_a_kill_in_the_middle_loses_nothing(pair: Pair, victim: int, skip: int) -> None:
    """The one who asked gets its answer, from the next agent or worker, through the second token."""
    bitwarden = pair.scene.workplace.bitwarden
    pair.revoke(TOKEN)
    bitwarden.fault(Fault("delay", path=LOGIN, seconds=1.5, skip=skip, times=1))
    found: list[int] = []
    asking = threading.Thread(target=lambda: found.append(len(pair.client.list_projects())))
    asking.start()
    until(lambda: pair.scene.logins() == skip + 1, "the login is under way")
    os.kill((pair.agent(), *workers(pair.client))[victim], signal.SIGKILL)
    asking.join(timeout=15)
    assert found == [1]
    assert pair.token == NEXT


def test_a_token_is_renewed_step_by_step_while_somebody_reads(vault: VaultScene, tmp_path: Path) -> None:
    """As docs/runbook.md has it: no read fails, and the agent that comes last uses the first slot."""
    bitwarden, made = vault.workplace.bitwarden, vault.put()
    first, second = tmp_path / "token", tmp_path / "next"
    environ = {**vault.environ, TOKEN: "", f"{TOKEN}_FILE": str(first), f"{NEXT}_FILE": str(second)}
    replace(first, vault.workplace.token)
    replace(second, "")
    clients: list[VaultClient] = []

    def reads() -> None:
        """As every new task does, with whatever the settings are by then."""
        client = VaultClient(read_settings(environ))
        for _ in range(3):
            assert client.get_secret(made).value == "v"
        clients.append(client)

    new = bitwarden.create_token(vault.workplace.account)
    steps: list[Callable[[], None]] = [
        lambda: replace(second, new),
        lambda: bitwarden.revoke_token(vault.workplace.token),
        lambda: bitwarden.advance_clock(4000),
        lambda: replace(first, new),
        lambda: replace(second, ""),
    ]
    reads()
    for step in steps:
        step()
        reads()
    assert clients[0].status()["running"], "who has not been restarted has its agent"
    assert str(clients[3].status()["token"]).startswith(NEXT)
    assert str(clients[-1].status()["token"]).startswith(f"{TOKEN}_FILE")
    assert "notice" not in clients[-1].status()
    for client in clients:
        client.stop()


def replace(file: Path, text: str) -> None:
    """Whole, so that nobody reads half a token."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(file)


def test_each_keeps_its_own_login_on_disk(pair: Pair, tmp_path: Path) -> None:
    """A login belongs to the token that made it; the next agent goes on with the second's."""
    client = VaultClient(read_settings({**pair.environ, "BITWARDEN_STATE_DIR": str(tmp_path)}))
    pair.revoke(TOKEN)
    client.list_projects()
    client.stop()
    client.list_projects()
    assert str(client.status()["token"]).startswith(NEXT)
    client.stop()
    assert pair.scene.logins() == 3, "the first twice, and the second once"


def test_the_command_tells_which_one_is_in_use(pair: Pair) -> None:
    """Also what is to be done, and why a second one could not be used."""
    pair.revoke(TOKEN)
    pair.client.list_projects()

    def said(**changed: str) -> str:
        environ = {**pair.environ, **changed, "PYTHONPATH": str(PLUGINS), "PATH": os.defpath}
        command = [sys.executable, "-m", "bitwarden_vault", "agent"]
        shown = subprocess.run([*command, "--json"], env=environ, capture_output=True, check=True)
        subprocess.run(command, env=environ, capture_output=True, check=True)
        found: dict[str, str] = json.loads(shown.stdout)
        return json.dumps({name: found.get(name) for name in ("token", "notice", "second_slot")})

    assert pair.settings.tokens[1].name in said()
    assert f"Put that one into {TOKEN}" in said()
    assert "is not an access token" in said(**{NEXT: "cut off"})


def test_no_part_of_either_token_is_told_anywhere(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    """Arguments, environments, names of files, logs and messages; the search finds what is planted."""
    pair.revoke(TOKEN)
    pair.client.list_projects()
    told = [*caplog.messages, json.dumps(pair.client.status()), repr(pair.settings)]
    files = list(pair.scene.directory.iterdir())
    assert any(f"in use is the one in {NEXT}" in one.read_text() for one in files if one.suffix == ".log")
    pids = pair.scene.processes()
    pair.revoke(NEXT)
    pair.expire()
    with pytest.raises(RefusedToken) as caught:
        pair.client.list_projects()
    told.append(caught.value.message)
    search = Search(one.text.split(".", 2)[2] for one in pair.settings.tokens)
    assert search.text("planted", pair.settings.tokens[1].text)
    leaks = {leak for text in told for leak in search.text("said", text)}
    for file in files:
        leaks |= search.text("name", file.name)
        if file.suffix != ".sock":
            leaks |= search.bytes(file.suffix, file.read_bytes())
    for pid in pids:
        for kind in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{kind}", "rb") as proc:  # noqa: PTH123 - not a file of ours
                leaks |= search.bytes(kind, proc.read())
    assert leaks == set()
