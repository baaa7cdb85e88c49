"""The wheel: what is in it, what it needs, and the connection type that it brings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from credential_rotation import __version__
from sandbox.places import PLUGINS, ROOT
from scenes.airflow.office import DAGS
from scenes.airflow.ways_in import install_wheel

pytestmark = [pytest.mark.airflow, pytest.mark.feature]

STATIC = PLUGINS / "credential_rotation" / "ui" / "static"
_FORM = """
import importlib.abc, json, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        absent = {"bitwarden_py", "bitwarden_sdk", "boto3", "botocore", "psycopg", "slack_sdk"}
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
from airflow.providers_manager import ProvidersManager
[form] = [one for one in HookMetaService.hook_meta_data() if one.connection_type == "bitwarden"]
read = sorted(name for name in sys.modules if name.startswith(("bitwarden_vault", "credential_rotation")))
hook = ProvidersManager().hooks["bitwarden"]
print(json.dumps({"form": form.model_dump(), "read": read, "hook": hook.hook_class_name}, default=str))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[ZipFile, Path]:
    """The wheel, and the folder into which pip has installed it."""
    folder = tmp_path_factory.mktemp("wheel")
    target = folder / "target"
    return ZipFile(install_wheel(folder, target)), target


def _run(target: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "AIRFLOW_HOME": str(home), "PYTHONPATH": str(target)}
    return subprocess.run(
        [sys.executable, *words],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_holds_code_dags_and_examples_and_nobodys_inventory(installed: tuple[ZipFile, Path]) -> None:
    """An entry that is filled in below `include/` is not published with it, nor are the tests."""
    names = {name for name in installed[0].namelist() if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in names} == {
        "bitwarden_vault",
        "credential_rotation",
        "credential_rotation_plugin.py",
    }
    assert {name for name in names if "/dags/" in name} == {
        f"credential_rotation/dags/{dag}.py" for dag in DAGS
    }
    examples = {name.removeprefix("credential_rotation/include/") for name in names if "/include/" in name}
    assert {name for name in examples if name.startswith("credentials/")} == {
        "credentials/aws.yaml.example",
        "credentials/warehouse.yaml.example",
    }
    assert {name.split("/")[0] for name in examples} == {
        "credentials",
        "exceptions.yaml",
        "iam",
        "policies.yaml",
        "schema",
        "sql",
    }
    assert "credential_rotation/schema/credentials.schema.json" in names
    assets = {path.relative_to(PLUGINS) for path in STATIC.rglob("*") if path.is_file()}
    assert {str(path) for path in assets} == {name for name in names if "/ui/static/" in name}


def test_it_needs_what_requirements_txt_says(installed: tuple[ZipFile, Path]) -> None:
    """The same lines, with every Airflow from 3.1 on; its version is said in one place."""
    [metadata] = [name for name in installed[0].namelist() if name.endswith("/METADATA")]
    text = installed[0].read(metadata).decode()
    needed = {_plain(one) for one in re.findall(r"^Requires-Dist: (.*)$", text, re.MULTILINE)}
    lines = [one.partition("#")[0].strip() for one in (ROOT / "requirements.txt").read_text().splitlines()]
    wanted = {_plain(one) for one in lines if one and not one.startswith("apache-airflow==")}
    assert needed == wanted | {"apache-airflow>=3.1"}
    assert f"\nVersion: {__version__}\n" in text


def _plain(requirement: str) -> str:
    return requirement.lower().replace(" ", "")


def test_its_connection_form_opens_without_any_driver(
    installed: tuple[ZipFile, Path], tmp_path: Path
) -> None:
    """FIELD E2: an api-server without drivers reads the form, and for that no code of ours but the form."""
    ran = _run(installed[1], tmp_path, "-c", _FORM)
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout.splitlines()[-1])
    assert said["form"]["standard_fields"]["password"]["title"] == "Access token"
    addresses = {"server_url", "api_url", "identity_url"}
    assert set(said["form"]["extra_fields"]) == {"organization_id", *addresses, "next_conn_id"}
    assert said["read"] == ["bitwarden_vault", "bitwarden_vault.provider"]
    assert said["hook"] == "bitwarden_vault.hook.BitwardenHook"


def test_a_fresh_wheel_says_what_to_copy(installed: tuple[ZipFile, Path], tmp_path: Path) -> None:
    """And after that copy, what to fill in."""
    check = ("-m", "credential_rotation", "check")
    assert f"there is no {tmp_path}/include yet" in _run(installed[1], tmp_path, *check).stderr
    (tmp_path / "include").symlink_to(installed[1] / "credential_rotation" / "include")
    assert "warehouse.yaml.example" in _run(installed[1], tmp_path, *check).stderr
