"""What is read from the environment, and how mistakes are told: all at once, by name, never a value."""

from pathlib import Path
from typing import Any

import pytest

from bitwarden_vault.agent_socket import socket_path
from bitwarden_vault.errors import Misconfigured, NothingConfigured
from bitwarden_vault.settings import US_CLOUD, read_settings

CLIENT = "0bd4ee27-c9b8-4e2c-b4ba-b0a0dd7a3a3a"
TOKEN = f"0.{CLIENT}.s3cr3ts3cr3ts3cr3ts3cr3ts3cr3t:AAECAwQFBgcICQoLDA0ODw=="
OTHER = TOKEN.replace("s3cr3t", "0th3r0")
ORGANIZATION = "5f5b5c6e-2f4c-4a0c-8f43-0d1dcf6ad8f1"
GOOD = {"BWS_ACCESS_TOKEN": TOKEN, "BWS_ORGANIZATION_ID": ORGANIZATION}


def test_two_settings_are_enough_for_the_cloud() -> None:
    """The US cloud is the default, as in the SDK."""
    settings = read_settings(GOOD)
    assert (settings.api_url, settings.identity_url) == US_CLOUD
    assert (settings.token.client_id, settings.organization_id) == (CLIENT, ORGANIZATION)
    assert (settings.deadline, settings.patience, settings.idle_exit) == (15.0, 300.0, 900.0)


def test_a_server_of_ones_own_is_one_setting() -> None:
    """Both addresses follow; a slash at the end, which would give 404, goes."""
    settings = read_settings({**GOOD, "BWS_SERVER_URL": "https://vault.example/"})
    assert settings.api_url == "https://vault.example/api"
    assert settings.identity_url == "https://vault.example/identity"


def test_nothing_configured_is_an_error_of_its_own() -> None:
    """So that a fresh drop-in can skip; blank settings are none."""
    for environ in ({}, {"BWS_ACCESS_TOKEN": "", "BWS_ORGANIZATION_ID": " "}, {"PATH": "/bin"}):
        with pytest.raises(NothingConfigured, match="BWS_ORGANIZATION_ID"):
            read_settings(environ)


MISTAKES: dict[str, tuple[dict[str, str], str]] = {
    "no organisation": ({"BWS_ORGANIZATION_ID": ""}, "BWS_ORGANIZATION_ID is missing"),
    "no token": ({"BWS_ACCESS_TOKEN": ""}, "BWS_ACCESS_TOKEN is missing"),
    "organisation by name": ({"BWS_ORGANIZATION_ID": "acme"}, "BWS_ORGANIZATION_ID is not an id"),
    "token cut off": ({"BWS_ACCESS_TOKEN": TOKEN.partition(":")[0]}, "after ':' is missing"),
    "token with a line break": ({"BWS_ACCESS_TOKEN": f"{TOKEN}\n"}, "line break"),
    "token of another kind": ({"BWS_ACCESS_TOKEN": "1" + TOKEN[1:]}, "not 0"),
    "token without id": ({"BWS_ACCESS_TOKEN": TOKEN.replace(CLIENT, "x")}, "not an id"),
    "token without secret": ({"BWS_ACCESS_TOKEN": f"0.{CLIENT}.:AAECAwQFBgcICQoLDA0ODw=="}, "is empty"),
    "token with half a seed": ({"BWS_ACCESS_TOKEN": TOKEN[:-10]}, "base64 of 16 bytes"),
    "token with a dot too many": ({"BWS_ACCESS_TOKEN": TOKEN.replace(".", "..", 1)}, "three parts"),
    "token file missing": ({"BWS_ACCESS_TOKEN": "", "BWS_ACCESS_TOKEN_FILE": "/no/such"}, "cannot be read"),
    "plain http": ({"BWS_SERVER_URL": "http://vault.example"}, "https://"),
    "a user in it": (
        {"BWS_SERVER_URL": "https://bob:s3cr3t@vault.example"},
        "BWS_SERVER_URL names a user or a password: leave out what stands before the '@'",
    ),
    "a token in it": (
        {"BWS_SERVER_URL": "https://s3cr3t@vault.example:8443/x"},
        "BWS_SERVER_URL names a user",
    ),
    "no address": ({"BWS_SERVER_URL": "vault.example"}, "not an https:// address"),
    "one address of two": ({"BWS_API_URL": "https://vault.example/api"}, "BWS_IDENTITY_URL is missing"),
    "the other of two": ({"BWS_IDENTITY_URL": "https://vault.example/identity"}, "BWS_API_URL is missing"),
    "addresses and server": (
        {
            "BWS_SERVER_URL": "https://a.example",
            "BWS_API_URL": "https://a.example/api",
            "BWS_IDENTITY_URL": "https://a.example/i",
        },
        "remove BWS_API_URL",
    ),
    "duration in words": ({"BITWARDEN_DEADLINE": "soon"}, "BITWARDEN_DEADLINE is not a duration"),
    "no time at all": ({"BITWARDEN_PATIENCE": "0s"}, "BITWARDEN_PATIENCE is not a duration"),
    "longer than anybody waits": ({"BITWARDEN_PATIENCE": "300h"}, "BITWARDEN_PATIENCE is longer than 240h"),
    "a life below nothing": (
        {"BITWARDEN_CACHE_LIFE": "-1"},
        "CACHE_LIFE is not a duration: .* 0 remembers no",
    ),
    "no end": ({"BITWARDEN_CACHE_LIFE": "9" * 400}, "BITWARDEN_CACHE_LIFE is longer than 240h"),
    "trust store missing": ({"SSL_CERT_FILE": "/no/such"}, "SSL_CERT_FILE"),
    "trust folder missing": ({"SSL_CERT_DIR": "/no/such"}, "SSL_CERT_DIR"),
}


@pytest.mark.parametrize(("changes", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_names_the_setting_and_never_its_value(changes: dict[str, str], said: str) -> None:
    """One clear error before anything is started."""
    with pytest.raises(Misconfigured, match=said) as caught:
        read_settings({**GOOD, **changes})
    assert "s3cr3t" not in caught.value.message
    assert "AAECAw" not in caught.value.message


def test_all_mistakes_are_told_at_once() -> None:
    """Nobody mends them one by one."""
    with pytest.raises(Misconfigured) as caught:
        read_settings({"BWS_ACCESS_TOKEN": "x", "BWS_SERVER_URL": "http://v", "BITWARDEN_DEADLINE": "-1"})
    named = ("BWS_ACCESS_TOKEN", "BWS_ORGANIZATION_ID", "BWS_SERVER_URL", "BITWARDEN_DEADLINE")
    assert all(name in caught.value.message for name in named)


def test_the_token_may_lie_in_a_file(tmp_path: Path) -> None:
    """A line break at its end is an editor's; the same token in both places is no contradiction."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    environ = {"BWS_ACCESS_TOKEN_FILE": str(file), "BWS_ORGANIZATION_ID": ORGANIZATION}
    assert read_settings(environ).token.text == TOKEN
    assert read_settings({**environ, "BWS_ACCESS_TOKEN": TOKEN}).token.text == TOKEN
    with pytest.raises(Misconfigured, match="different tokens"):
        read_settings({**environ, "BWS_ACCESS_TOKEN": OTHER})
    file.write_text("\n")
    with pytest.raises(Misconfigured, match="empty"):
        read_settings(environ)


def test_a_preferred_token_wins_where_it_is_set(tmp_path: Path) -> None:
    """The rotation may have a token of its own, also from a file."""
    name = "ROTATION_BWS_ACCESS_TOKEN"
    assert read_settings(GOOD, prefer_token=name).token.text == TOKEN
    assert read_settings({**GOOD, name: OTHER}, prefer_token=name).token.text == OTHER
    file = tmp_path / "token"
    file.write_text(OTHER)
    assert read_settings({**GOOD, f"{name}_FILE": str(file)}, prefer_token=name).token.text == OTHER


DURATIONS = {"90": 90.0, "1.5s": 1.5, "5m": 300.0, "1h": 3600.0, "240h": 864_000.0}


@pytest.mark.parametrize(("text", "seconds"), DURATIONS.items())
def test_durations_have_units(text: str, seconds: float) -> None:
    """Seconds where none is given."""
    assert read_settings({**GOOD, "BITWARDEN_DEADLINE": text}).deadline == seconds


DIFFERENT: dict[str, dict[str, str]] = {
    "token": {"BWS_ACCESS_TOKEN": OTHER},
    "organisation": {"BWS_ORGANIZATION_ID": CLIENT},
    "server": {"BWS_SERVER_URL": "https://vault.example"},
    "proxy": {"HTTPS_PROXY": "http://proxy:3128"},
    "interpreter": {"BITWARDEN_PYTHON": "/usr/bin/python3"},
    "login on disk": {"BITWARDEN_STATE_DIR": "/var/lib/x"},
}


@pytest.mark.parametrize("changes", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_what_makes_another_agent_makes_another_socket(changes: dict[str, str], tmp_path: Path) -> None:
    """Limits of one call do not."""
    tmp_path.chmod(0o700)
    here = {"BITWARDEN_SOCKET_DIR": str(tmp_path)}
    path = socket_path(read_settings({**GOOD, **here}))
    assert socket_path(read_settings({**GOOD, **here, "BITWARDEN_DEADLINE": "1s"})) == path
    assert socket_path(read_settings({**GOOD, **here, **changes})) != path
    assert "s3cr3t" not in path


def _folder(path: Path, mode: int) -> str:
    path.mkdir()
    path.chmod(mode)
    return str(path)


def test_a_directory_for_sockets_that_is_not_private_is_refused(tmp_path: Path) -> None:
    """Open to others, a link, a file, or too long for the kernel."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(_folder(tmp_path / "private", 0o700))
    wrong: dict[str, Any] = {
        "open to others": _folder(tmp_path / "open", 0o750),
        "not a directory": str(tmp_path / "file"),
        "is not a directory": str(tmp_path / "link"),
        "too long": _folder(tmp_path / ("x" * 100), 0o700),
        "cannot be used": str(tmp_path / "no" / "such"),
    }
    for said, directory in wrong.items():
        with pytest.raises(Misconfigured, match=said):
            socket_path(read_settings({**GOOD, "BITWARDEN_SOCKET_DIR": directory}))


@pytest.mark.parametrize("text", ["0", "0s", "0.0", " 0m "])
def test_a_life_of_nothing_is_one_and_no_other_duration_may_be_none(text: str) -> None:
    """Who wants no value remembered has to be able to say so."""
    assert read_settings({**GOOD, "BITWARDEN_CACHE_LIFE": text}).cache_life == 0.0
    for name in ("DEADLINE", "PATIENCE", "IDLE_EXIT"):
        with pytest.raises(Misconfigured, match=f"{name} is not a duration above zero"):
            read_settings({**GOOD, f"BITWARDEN_{name}": text})
