"""`evidence NAME` on real parts: what it tells, where in the audit trail that is found, what it needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from bitwarden_vault.audit.line import Seal
from bitwarden_vault.client import VaultClient
from bitwarden_vault.nouns import Caller
from bitwarden_vault.settings import read_settings
from bitwarden_vault.state_folder import StateFolder
from credential_rotation.evidence.seal import check
from sandbox.places import PLUGINS
from scenes.readers.sides import document, reader
from scenes.site.deployment import Site
from scenes.site.ground import Ground, own_agent
from scenes.vault.scene import until

pytest_plugins = ["scenes.site.fixtures"]

KEY = "k" * 40


@pytest.fixture
def audited_site(ground: Ground, site: Site, tmp_path: Path) -> Iterator[Site]:
    """A site whose agent keeps an audit trail with a key."""
    (tmp_path / "key").write_text(KEY)
    token = ground.bitwarden.create_machine_account(f"audited-{tmp_path.name}", {})
    trail = {
        "BITWARDEN_AUDIT_PATH": str(tmp_path / "audit"),
        "BITWARDEN_AUDIT_CHECKPOINT": str(tmp_path / "elsewhere"),
        "BITWARDEN_AUDIT_KEY_FILE": str(tmp_path / "key"),
    }
    with own_agent(ground, token, **trail) as environ:
        for project in site.projects.values():
            ground.bitwarden.grant(f"audited-{tmp_path.name}", project, "write")
        site.environ |= environ
        yield site


def test_evidence_tells_all_and_its_place_in_the_trail_is_found_offline(
    audited_site: Site, tmp_path: Path
) -> None:
    """Two rotations for real; each version's lines are where the evidence says, and the trail verifies."""
    site = audited_site
    site.run("rotate", "reporting", "--reason", "first")
    site.run("rotate", "reporting", "--reason", "second")
    page_file = tmp_path / "evidence.html"
    ran = site.run("evidence", "reporting", "--html", str(page_file), "--json")
    assert ran.code == 0
    document = ran.json
    first, second = [one for one in document["rotations"] if one["outcome"] == "rotated"]
    assert (first["why"], second["why"]) == ("first", "second")
    assert (first["gaps"], second["gaps"]) == ([], [])
    assert document["trail"]["verdict"] == "complete"
    assert document["rotations"][0]["outcome"] == "adopted"
    for rotation in (first, second):
        whats = [place["what"] for place in rotation["places"]]
        assert whats[:2] == ["recorded in the journal", "written into CURRENT"]
        for place in rotation["places"]:
            raw = (tmp_path / "audit" / place["segment"]).read_bytes().split(b"\n")[place["line"] - 1]
            line = json.loads(raw)
            assert (line["sequence"], line["digest"], place["fits"]) == (
                place["sequence"],
                place["digest"],
                True,
            )
    assert first["places"][-1]["what"] == "record deleted"
    assert any(one["source"] == "audit trail" for one in document["readers"])
    assert check(page_file.read_bytes().decode(), [Seal(KEY.encode())]).is_whole
    text = page_file.read_text() + ran.out
    assert not {value for value in site.values() if value in text}


def test_who_reads_a_secret_of_the_same_key_elsewhere_is_no_reader_of_this_one(
    audited_site: Site, tmp_path: Path
) -> None:
    """Two projects may each have a `reporting/db`; an auditor is told of those who were given this value."""
    site, key, now = audited_site, "reporting/db", datetime.now(timezone.utc)
    site.run("rotate", "reporting", "--reason", "x")
    own = site.current(key).id
    other = site.bitwarden.put_secret(project=site.projects["admins"], key=key, value="another's")
    rows = []
    for dag, secret, project in (("nightly_load", own, "data"), ("stranger", other, "admins")):
        VaultClient(read_settings(site.environ), Caller(dag_id=dag, task_id="load")).get_secret(secret)
        row = reader(secret, 1, now, dag=dag, task="load")
        rows.append({**row, "key": key, "project": site.projects[project]})
    StateFolder(site.environ["ROTATION_STATE_PATH"]).write("readers/host-a", document("host-a", now, *rows))
    segments = list((tmp_path / "audit").glob("*.jsonl"))
    until(lambda: any(b'"stranger"' in file.read_bytes() for file in segments), "the trail has both")
    told = {
        (one["who"], one["source"]) for one in site.run("evidence", "reporting", "--json").json["readers"]
    }
    assert {("nightly_load.load", "audit trail"), ("nightly_load.load on host-a", "readers")} <= told
    assert not [who for who, _ in told if "stranger" in who]


def test_without_the_state_folder_the_vault_and_the_trail_tell_what_they_know(audited_site: Site) -> None:
    """A version whose record is deleted already is still in the trail, with who made it."""
    site = audited_site
    for _ in range(2):
        site.run("rotate", "reporting", "--reason", "x")
    shutil.rmtree(site.environ["ROTATION_STATE_PATH"])
    document = site.run("evidence", "reporting", "--json").json
    known = {one["version"]: one["source"] for one in document["rotations"]}
    newest = max(known)
    assert (known[newest], known[newest - 1]) == ("journal", "CURRENT's note")
    assert "who asked, why" in document["rotations"][-1]["gaps"][0]
    assert document["summary"]["whole_proofs"] == 0


def test_the_vault_is_asked_whose_value_current_holds(site: Site) -> None:
    """A record above it, of an attempt that got no further, is told and is not in force."""
    site.run("rotate", "reporting", "--reason", "x")
    [key] = site.records("reporting")
    begun = {**json.loads(site.current(key).value), "epoch": 2, "password": "never-applied"}
    newer = key.replace("/000001/", "/000002/")
    site.bitwarden.put_secret(project=site.projects["journal"], key=newer, value=json.dumps(begun))
    document = site.run("evidence", "reporting", "--json").json
    assert (document["summary"]["in_force"], document["summary"]["recorded_only"]) == (1, [2])
    assert document["rotations"][-1]["standing"] == "recorded, not in force"
    assert "it holds the value of version 1" in {one["told"] for one in document["sources"]}
    assert "never-applied" not in json.dumps(document)
    shutil.rmtree(site.environ["ROTATION_STATE_PATH"])
    summary = site.run("evidence", "reporting", "--json").json["summary"]
    assert (summary["in_force"], summary["recorded_only"]) == (1, [2])


def test_a_trail_that_was_changed_is_told(audited_site: Site, tmp_path: Path) -> None:
    site = audited_site
    site.run("rotate", "reporting", "--reason", "x")
    for file in (tmp_path / "audit").glob("*.jsonl"):
        file.write_bytes(file.read_bytes().replace(b'"create_secret"', b'"update_secret"', 1))
    document = site.run("evidence", "reporting", "--json").json
    assert document["trail"]["verdict"] == "wrong"
    assert "digest does not fit" in json.dumps(document["trail"]["agents"])


def test_bitwarden_down_still_gives_what_is_kept(site: Site) -> None:
    site.run("rotate", "reporting", "--reason", "x")
    ran = site.run("evidence", "reporting", "--json", ROTATION_JOURNAL_PROJECT="no-such-project")
    assert ran.code == 0
    assert ran.json["rotations"][-1]["why"] == "x"
    assert "not asked" in json.dumps(ran.json["sources"])


def test_h6_exceptions_in_force_are_in_the_evidence(site: Site) -> None:
    """By the entry's name or its role; expired ones are not in force."""
    fields = "reason: freeze, owner: bi"
    (site.folder / "exceptions.yaml").write_text(
        f"exceptions:\n  - {{credential: reporting, {fields}, until: 2999-01-01}}\n"
        f"  - {{credential: reporting, {fields}, until: 2020-01-01}}\n"
        f"  - {{engine: postgres, principal: {site.role('etl')}, {fields}, until: 2999-01-01}}\n"
    )
    told = site.run("evidence", "reporting", "--json").json["exceptions"]
    assert [(one["what"], one["until"]) for one in told] == [("reporting", "2999-01-01")]


def test_check_needs_no_settings(site: Site, tmp_path: Path) -> None:
    """An auditor runs it on a copy, with Python and this package alone."""
    file = tmp_path / "evidence.html"
    site.run("evidence", "reporting", "--html", str(file))
    command = [sys.executable, "-m", "credential_rotation", "evidence", "--check", str(file)]
    environ = {"PYTHONPATH": str(PLUGINS), "PATH": os.defpath}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, "as it was made" in done.stdout) == (0, True)
    assert "without a key this finds accidental changes only" in done.stdout
    file.write_text(file.read_text().replace("Evidence of", "Proof of"))
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, "CHANGED" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody", "--json"], "there is no credential 'nobody'"),
        (["reporting"], "where to?"),
        (["--json"], "evidence of what"),
        (["reporting", "--html", "/no/such/folder/x.html"], "cannot be written"),
    ],
)
def test_bad_input_is_said(site: Site, arguments: list[str], words: str) -> None:
    ran = site.run("evidence", *arguments)
    assert (ran.code, words in ran.flat) == (2, True)
