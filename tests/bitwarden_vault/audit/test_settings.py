"""Where the trail goes: what would leave people believing in one that is not there is a mistake."""

from pathlib import Path

import pytest

from bitwarden_vault.audit.line import read_key
from bitwarden_vault.audit.settings import read_audit_settings
from bitwarden_vault.errors import Misconfigured
from bitwarden_vault.handover import Handover, pack_handover, unpack_handover
from bitwarden_vault.settings import read_settings

VAULT = {
    "BWS_ACCESS_TOKEN": "0.0bd4ee27-c9b8-4e2c-b4ba-b0a0dd7a3a3a.s3cr3ts3cr3ts3cr3t:AAECAwQFBgcICQoLDA0ODw==",
    "BWS_ORGANIZATION_ID": "5f5b5c6e-2f4c-4a0c-8f43-0d1dcf6ad8f1",
}

PLACES = {
    "nothing set: no trail": ({}, None),
    "named": ({"BITWARDEN_AUDIT_PATH": "/var/audit"}, "/var/audit"),
    "not required, and none": ({"BITWARDEN_AUDIT_REQUIRED": "false"}, None),
}


@pytest.mark.parametrize(("environ", "path"), PLACES.values(), ids=PLACES.keys())
def test_where_the_trail_goes(environ: dict[str, str], path: str | None) -> None:
    """A folder that grows for ever lies where somebody chose, so there is no default."""
    mistakes: list[str] = []
    assert read_audit_settings(environ, mistakes)["audit_path"] == path
    assert mistakes == []


MISTAKES = {
    "a relative folder": (
        {"BITWARDEN_AUDIT_PATH": "audit"},
        "BITWARDEN_AUDIT_PATH must be a folder's full path",
    ),
    "an object store": (
        {"BITWARDEN_AUDIT_PATH": "s3://bucket/audit"},
        "`audit ship` copies to an object store",
    ),
    "a relative folder of checkpoints": (
        {"BITWARDEN_AUDIT_PATH": "/a", "BITWARDEN_AUDIT_CHECKPOINT": "b"},
        "BITWARDEN_AUDIT_CHECKPOINT must be",
    ),
    "a key that is not there": (
        {"BITWARDEN_AUDIT_PATH": "/a", "BITWARDEN_AUDIT_KEY_FILE": "/nowhere"},
        "BITWARDEN_AUDIT_KEY_FILE names a file that cannot be read",
    ),
    "required without a folder": (
        {"BITWARDEN_AUDIT_REQUIRED": "true"},
        "BITWARDEN_AUDIT_REQUIRED without BITWARDEN_AUDIT_PATH",
    ),
    "required, perhaps": (
        {"BITWARDEN_AUDIT_PATH": "/a", "BITWARDEN_AUDIT_REQUIRED": "maybe"},
        "BITWARDEN_AUDIT_REQUIRED must be true or false",
    ),
}


@pytest.mark.parametrize(("environ", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_with_all_others(environ: dict[str, str], said: str) -> None:
    """By the name of its variable."""
    with pytest.raises(Misconfigured, match=said):
        read_settings({**VAULT, **environ})


def test_the_agent_gets_all_of_them(tmp_path: Path) -> None:
    """Through the pipe; the key itself it reads by itself."""
    (key := tmp_path / "key").write_text("k" * 32)
    settings = read_settings(
        {
            **VAULT,
            "BITWARDEN_AUDIT_PATH": "/a",
            "BITWARDEN_AUDIT_CHECKPOINT": "/b",
            "BITWARDEN_AUDIT_KEY_FILE": str(key),
            "BITWARDEN_AUDIT_REQUIRED": "TRUE",
        }
    )
    packed = pack_handover(Handover(settings, "/s", 1))
    assert unpack_handover(packed).settings.audit == ("/a", "/b", str(key), True)
    assert b"kkkk" not in packed


def test_a_key_that_could_be_guessed_is_refused(tmp_path: Path) -> None:
    """An empty file too; a line break at its end is not part of it."""
    (key := tmp_path / "key").write_text("short\n")
    with pytest.raises(Misconfigured, match="too short: openssl rand"):
        read_key(str(key))
    key.write_text("k" * 32 + "\n")
    assert read_key(str(key)).key == b"k" * 32
    assert "kkkk" not in repr(read_key(str(key)))
