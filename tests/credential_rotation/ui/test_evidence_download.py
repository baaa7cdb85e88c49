"""Evidence as a download: whole, checkable, by whom, never a page that runs, and none where none is."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from fastapi import HTTPException, Response

from bitwarden_vault.state_folder import StateFolder
from credential_rotation.evidence.seal import check
from credential_rotation.state.history import folder_of
from credential_rotation.ui.evidence import download
from scenes.inventory.entries import folder, simple
from scenes.page.fleet import fill

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
ETL = "warehouse-etl"


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    fill({"ROTATION_STATE_PATH": str(tmp_path / "state")}, 12, NOW)
    return StateFolder(str(tmp_path / "state"))


def got(state: StateFolder, name: str = ETL, kind: str = "html", **environ: str) -> Response:
    return download(state, {"ROTATION_INCLUDE": "/nowhere", **environ}, name, kind, by="anna", now=NOW)  # type: ignore[arg-type]  # one of two


@pytest.mark.parametrize("kind", ["html", "json"])
def test_what_is_downloaded_is_whole_and_says_by_whom(state: StateFolder, kind: str) -> None:
    """`evidence --check` says so of either file."""
    text = bytes(got(state, kind=kind).body).decode()
    verdict = check(text)
    assert verdict.is_whole, verdict.what
    assert "by anna" in verdict.what
    assert "a laptop was lost" in text


@pytest.mark.parametrize("kind", ["html", "json"])
def test_it_is_a_file_to_keep_and_never_a_page_that_runs(state: StateFolder, kind: str) -> None:
    """Whatever a browser makes of it: no script, no form, nothing from elsewhere."""
    headers = got(state, kind=kind).headers
    assert headers["Content-Disposition"] == f'attachment; filename="evidence-{ETL}-20261126.{kind}"'
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "sandbox" in headers["Content-Security-Policy"]


def test_where_nothing_is_on_record_there_is_a_word_and_no_file(state: StateFolder) -> None:
    """Neither for an entry that was never rotated, nor for a name that is no entry."""
    for name in ("reporting", "../../etc/passwd", ""):
        with pytest.raises(HTTPException) as none:
            got(state, name)
        assert none.value.status_code == 404
        assert "no evidence of it yet" in none.value.detail


def test_a_name_cannot_leave_its_header_nor_choose_a_folder(state: StateFolder) -> None:
    """Whoever may write the state folder may write any name."""
    hostile = 'a"; x=y\r\nSet-Cookie: b/..'
    document = {**(state.read(state.names(f"history/{ETL}")[0]) or {}), "name": hostile}
    state.write(f"{folder_of(hostile)}/1", document)
    assert got(state, hostile).headers["Content-Disposition"] == (
        'attachment; filename="evidence-a-x-y-Set-Cookie-b--20261126.html"'
    )


def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """It is not "no evidence"."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(HTTPException) as trouble:
        got(StateFolder(str(loop)))
    assert trouble.value.status_code == 503


def test_h6_exceptions_in_force_are_in_it(state: StateFolder, tmp_path: Path) -> None:
    """Expired ones are not."""
    include = folder(tmp_path, a="credentials:\n" + simple(ETL))
    told = f"- {{credential: {ETL}, reason: freeze, owner: bi, until: "
    (include / "exceptions.yaml").write_text(
        f"exceptions:\n  {told}2999-01-01}}\n  {told}2020-01-01}}\n", encoding="utf-8"
    )
    document = json.loads(bytes(got(state, kind="json", ROTATION_INCLUDE=str(include)).body))
    assert [one["until"] for one in document["exceptions"]] == ["2999-01-01"]


def test_h6_exceptions_of_what_only_people_change_are_in_it_too(state: StateFolder, tmp_path: Path) -> None:
    """The page offers evidence of such an entry like of any other, and the command tells them."""
    entry = "{name: signing-key, engine: manual, instructions: x, policy: {max_age: 365d}, owner: bi}"
    include = folder(tmp_path, a=f"credentials:\n  - {entry}\n")
    (include / "exceptions.yaml").write_text(
        "exceptions:\n  - {credential: signing-key, reason: freeze, owner: bi, until: 2999-01-01}\n"
    )
    closed = {**(state.read(state.names(f"history/{ETL}")[0]) or {}), "name": "signing-key"}
    state.write(f"{folder_of('signing-key')}/1", closed)
    document = json.loads(bytes(got(state, "signing-key", "json", ROTATION_INCLUDE=str(include)).body))
    assert [one["reason"] for one in document["exceptions"]] == ["freeze"]
    assert "exceptions" not in {one["name"] for one in document["sources"]}


def test_h6_where_the_inventory_is_not_here_exceptions_are_not_denied(state: StateFolder) -> None:
    """An api-server may have no inventory; "none in force" would be a guess."""
    text = bytes(got(state).body).decode()
    assert "Exceptions in force</h2>\n<p>Not known where this was made" in text


def test_the_trails_key_seals_it_where_this_server_has_it(state: StateFolder, tmp_path: Path) -> None:
    """Where it cannot be read the file still comes, and says that its digest has no key."""
    key = tmp_path / "key"
    key.write_text("k" * 40)
    assert json.loads(bytes(got(state, kind="json", BITWARDEN_AUDIT_KEY_FILE=str(key)).body))["digest"]["key"]
    document = json.loads(bytes(got(state, kind="json", BITWARDEN_AUDIT_KEY_FILE="/none").body))
    assert not document["digest"]["key"]
    assert "key of the digest" in {one["name"] for one in document["sources"]}
