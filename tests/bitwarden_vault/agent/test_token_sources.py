"""A token that lies in AWS is fetched by a worker as the host's own role, and is in no task or setting."""

import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bitwarden_vault.agent.aws_source import fetch_token
from bitwarden_vault.agent_socket import socket_path
from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import Misconfigured, NoToken, RefusedToken, Unreachable
from bitwarden_vault.settings import read_settings
from bitwarden_vault.token_reading import TOKEN
from sandbox.bitwarden.faults import Fault
from scenes.leaks.search import Search
from scenes.vault.scene import VaultScene
from scenes.vault.token_places import TokenPlaces, token_places

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

FROM = f"{TOKEN}_FROM"
Sourced = Callable[[str, dict[str, str]], VaultScene]
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "k3yk3yk3yk3yk3yk3yk3y"}


@pytest.fixture(scope="module")
def places() -> Iterator[TokenPlaces]:
    with token_places() as started:
        yield started


@pytest.fixture
def sourced(vault: VaultScene) -> Iterator[Sourced]:
    """The same scene, of somebody who has no token but knows where one lies."""
    made = []

    def scene(source: str, aws: dict[str, str]) -> VaultScene:
        environ = {name: text for name, text in vault.environ.items() if name != TOKEN}
        environ |= {FROM: source, **aws}
        made.append(VaultScene(vault.workplace, read_settings(environ), environ, vault.directory))
        return made[-1]

    yield scene
    for one in made:
        one.client.stop()


WAYS = {
    "a secret's text": "aws-secretsmanager:bitwarden/plain",
    "one text of a secret that is JSON": "aws-secretsmanager:bitwarden/json#token",
    "a parameter": "aws-ssm:/bitwarden/token",
}


def put_everywhere(places: TokenPlaces, token: str) -> str:
    """The token in each of these ways; the ARN of the first."""
    places.put_parameter("/bitwarden/token", f"{token}\n")
    places.put_secret("bitwarden/json", json.dumps({"token": token, "other": 1}))
    return places.put_secret("bitwarden/plain", token)


@pytest.mark.parametrize("source", WAYS.values(), ids=WAYS.keys())
def test_it_is_fetched_from_where_it_lies(
    sourced: Sourced, vault: VaultScene, places: TokenPlaces, source: str
) -> None:
    """One login, and the agent says where its token is from."""
    put_everywhere(places, vault.workplace.token)
    scene = sourced(source, places.environ(**KEYS))
    assert len(scene.client.list_projects()) == 1
    assert scene.client.status()["token"] == f"{FROM} ({source})"
    assert vault.logins() == 1


def test_an_arn_tells_the_region(sourced: Sourced, vault: VaultScene, places: TokenPlaces) -> None:
    """Nothing else has to."""
    source = f"aws-secretsmanager:{put_everywhere(places, vault.workplace.token)}"
    scene = sourced(source, places.environ(**KEYS, AWS_REGION=""))
    assert len(scene.client.list_projects()) == 1


def test_a_web_identity_is_enough(
    sourced: Sourced, vault: VaultScene, places: TokenPlaces, tmp_path: Path
) -> None:
    """No key of AWS either: the pod's identity is turned into a role, and the role may read the secret."""
    put_everywhere(places, vault.workplace.token)
    role = places.role("reads", "secretsmanager:GetSecretValue")
    scene = sourced(WAYS["a secret's text"], places.web_identity(role, tmp_path))
    with places.strict_after(1):  # the one in which the identity itself stands for the signature
        assert len(scene.client.list_projects()) == 1


@pytest.mark.parametrize("host", ["task or pod", "instance"])
def test_the_role_of_a_host_is_enough(
    places: TokenPlaces, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """ECS and EKS Pod Identity by their endpoint, EC2 by its metadata."""
    put_everywhere(places, GOOD_TOKEN[TOKEN])
    with places.hosts_role() as environ:
        _only(monkeypatch, environ[host])
        assert fetch_token(WAYS["a parameter"], within=5.0) == GOOD_TOKEN[TOKEN]


def test_a_role_without_the_right_is_told_which(
    sourced: Sourced, vault: VaultScene, places: TokenPlaces, tmp_path: Path
) -> None:
    """And Bitwarden is not asked."""
    put_everywhere(places, vault.workplace.token)
    scene = sourced(WAYS["a parameter"], places.web_identity(places.role("may-not"), tmp_path))
    with places.strict_after(1), pytest.raises(NoToken, match=r"Grant ssm:GetParameter on it"):
        scene.client.list_projects()
    assert vault.logins() == 0


def test_a_token_that_was_replaced_there_is_fetched_again(
    sourced: Sourced, vault: VaultScene, places: TokenPlaces
) -> None:
    """When the old one is refused; no setting changes, nothing is restarted, the caller notices nothing."""
    bitwarden, source = vault.workplace.bitwarden, WAYS["one text of a secret that is JSON"]
    put_everywhere(places, vault.workplace.token)
    scene = sourced(source, places.environ(**KEYS))
    scene.client.list_projects()
    agent = scene.agent()
    put_everywhere(places, bitwarden.create_token(vault.workplace.account))
    bitwarden.revoke_token(vault.workplace.token)
    bitwarden.advance_clock(4000)
    assert len(scene.client.list_projects()) == 1
    assert scene.agent() == agent
    assert vault.logins() == 3, "one with the first, one refused, one with the second"


def test_a_refused_token_that_was_not_replaced_is_not_tried_twice(
    sourced: Sourced, vault: VaultScene, places: TokenPlaces
) -> None:
    """Ten logins a minute are all that anybody behind this address has."""
    put_everywhere(places, vault.workplace.token)
    scene = sourced(WAYS["a parameter"], places.environ(**KEYS))
    scene.client.list_projects()
    vault.workplace.bitwarden.revoke_token(vault.workplace.token)
    vault.workplace.bitwarden.advance_clock(4000)
    with pytest.raises(RefusedToken, match="expired or was revoked"):
        scene.client.list_projects()
    assert vault.logins() == 2


def test_it_is_fetched_once_for_all_workers(sourced: Sourced, vault: VaultScene, places: TokenPlaces) -> None:
    """AWS may be away, or hold something else, while the login lasts."""
    ids = [vault.put() for _ in range(4)]
    put_everywhere(places, vault.workplace.token)
    scene = sourced(WAYS["a secret's text"], places.environ(**KEYS))
    scene.client.list_projects()
    put_everywhere(places, "gone")
    vault.workplace.bitwarden.fault(Fault("delay", verb="GET", path="/api/secrets/*", seconds=0.3))
    with ThreadPoolExecutor() as pool:
        list(pool.map(scene.client.get_secret, ids))
    assert len(scene.workers()) > 1
    assert vault.logins() == 1


def test_a_second_slot_goes_on_where_nothing_lies_in_the_first(
    sourced: Sourced, vault: VaultScene, places: TokenPlaces
) -> None:
    """Whatever a slot is filled with."""
    environ = {f"{TOKEN}_NEXT": vault.workplace.token, **places.environ(**KEYS)}
    scene = sourced("aws-ssm:/nothing/here", environ)
    assert len(scene.client.list_projects()) == 1
    status = scene.client.status()
    assert str(status["token"]).startswith(f"{TOKEN}_NEXT")
    assert "aws-ssm:/nothing/here is not there (ParameterNotFound)" in str(status["notice"])


def test_no_task_imports_the_client_of_aws(sourced: Sourced, vault: VaultScene, places: TokenPlaces) -> None:
    """It takes half a second and 20 MB; and no part of the token is in a task's memory."""
    put_everywhere(places, vault.workplace.token)
    scene = sourced(WAYS["a secret's text"], places.environ(**KEYS))
    [said] = scene.run("client.list_projects(); print(sorted({'botocore', 'boto3'} & set(sys.modules)))")
    assert said == "[]"


def test_no_part_of_it_or_of_aws_keys_is_told(
    sourced: Sourced, vault: VaultScene, places: TokenPlaces
) -> None:
    """Arguments, environments, status, and files beside the socket."""
    put_everywhere(places, vault.workplace.token)
    scene = sourced(WAYS["a secret's text"], places.environ(**KEYS))
    scene.client.list_projects()
    search = Search([vault.workplace.token.split(".", 2)[2], KEYS["AWS_SECRET_ACCESS_KEY"]])
    leaks = search.text("said", json.dumps(scene.client.status()) + repr(scene.settings))
    for pid in scene.processes():
        for kind in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{kind}", "rb") as proc:  # noqa: PTH123 - not a file of ours
                leaks |= search.bytes(kind, proc.read())
    for file in (one for one in scene.directory.iterdir() if one.suffix != ".sock"):
        leaks |= search.bytes(file.suffix, file.read_bytes())
    assert leaks == set()
    assert search.text("planted", vault.workplace.token)


SECRET = "aws-secretsmanager:there"
TROUBLE: dict[str, tuple[str, dict[str, str], str]] = {
    "no such secret": (
        "aws-secretsmanager:no",
        KEYS,
        "is not there (ResourceNotFoundException): is it spelled",
    ),
    "no such parameter": ("aws-ssm:no", KEYS, "is not there (ParameterNotFound)"),
    "no region": (SECRET, {**KEYS, "AWS_REGION": ""}, "no region; set AWS_REGION, or name it by its ARN"),
    "nobody": (SECRET, {}, "AWS does not know who asks. Give this host or pod a role"),
    "no such profile": (SECRET, {"AWS_PROFILE": "no"}, "AWS_PROFILE names a profile"),
    "an identity that is gone": (
        SECRET,
        {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x", "AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such"},
        "AWS cannot be asked",
    ),
    "something else in it": (SECRET, KEYS, "is not an access token: it needs three parts"),
    "no such text in it": (f"{SECRET}#token", KEYS, "is no JSON object with that text in it"),
}


@pytest.mark.parametrize(("source", "changes", "said"), TROUBLE.values(), ids=TROUBLE.keys())
def test_trouble_is_told_with_what_to_do(
    places: TokenPlaces, monkeypatch: pytest.MonkeyPatch, source: str, changes: dict[str, str], said: str
) -> None:
    """By the name of the place, never by what lies there."""
    places.put_secret("there", "v3ryS3cret:v3ryS3cret")
    _only(monkeypatch, {**places.environ(), **changes})
    with pytest.raises(NoToken) as caught:
        fetch_token(source, within=5.0)
    assert said in caught.value.message
    assert caught.value.message.startswith(source) or f"lies in {source} " in caught.value.message
    assert "v3ryS3cret" not in caught.value.message


def test_an_interpreter_without_boto3_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which one, because it need not be Airflow's."""
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
    with pytest.raises(NoToken, match=f"{sys.executable} does not have: pip install boto3"):
        fetch_token(SECRET, within=5.0)


def test_an_aws_that_is_silent_or_away_is_waited_for_no_longer_than_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That is trouble on the way, which is tried again, and says nothing about the token."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        _only(monkeypatch, {**TokenPlaces(url).environ(), **KEYS})
        with pytest.raises(Unreachable, match=f"AWS does not answer for {SECRET} .ReadTimeout"):
            fetch_token(SECRET, within=0.3)
    with pytest.raises(Unreachable, match="AWS does not answer"):
        fetch_token(SECRET, within=0.3)


def _only(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, text in environ.items():
        if text:
            monkeypatch.setenv(name, text)


GOOD_TOKEN = {TOKEN: "0.0bd4ee27-c9b8-4e2c-b4ba-b0a0dd7a3a3a.s3cr3t:AAECAwQFBgcICQoLDA0ODw=="}
ORGANIZATION = {"BWS_ORGANIZATION_ID": "5f5b5c6e-2f4c-4a0c-8f43-0d1dcf6ad8f1"}
MISTAKES: dict[str, tuple[dict[str, str], str]] = {
    "another vault": ({FROM: "vault:x"}, "neither aws-secretsmanager:<name or ARN>"),
    "no name": ({FROM: "aws-ssm:"}, "neither"),
    "a token too": ({FROM: "aws-ssm:x", TOKEN: "y"}, f"remove {TOKEN} and {TOKEN}_FILE"),
    "a file too": ({FROM: "aws-ssm:x", f"{TOKEN}_FILE": "/y"}, f"remove {TOKEN}"),
}


@pytest.mark.parametrize(("given", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_place_that_is_none_is_told_at_once(given: dict[str, str], said: str) -> None:
    """Before anything is started."""
    with pytest.raises(Misconfigured, match=said):
        read_settings({**ORGANIZATION, **given})


def test_only_who_asks_aws_hands_its_variables_on(tmp_path: Path) -> None:
    """They make another agent, as a proxy does; without a source they are nobody's business."""
    tmp_path.chmod(0o700)
    here = {**ORGANIZATION, "BITWARDEN_SOCKET_DIR": str(tmp_path), FROM: "aws-ssm:x"}
    one = read_settings({**here, "AWS_REGION": "eu-west-1", "HOME": "/x"})
    assert one.network == (("AWS_REGION", "eu-west-1"),)
    assert socket_path(one) != socket_path(read_settings({**here, "AWS_REGION": "eu-west-2"}))
    own = {**GOOD_TOKEN, **ORGANIZATION, "AWS_REGION": "eu-west-1"}
    assert read_settings(own).network == ()
    assert VaultClient(one).status() == {"running": False}
