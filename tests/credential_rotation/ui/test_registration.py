"""What every Airflow process loads of the page: nothing but its name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from sandbox.places import PLUGINS

_LOAD = """
import importlib.abc, json, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        absent = {"bitwarden_py", "bitwarden_sdk", "boto3", "botocore", "psycopg", "slack_sdk", "fastapi"}
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(name)

import airflow.plugins_manager
touched, before = [], set(sys.modules)
sys.meta_path.insert(0, Missing())
watched = {"open", "os.scandir", "socket.connect", "subprocess.Popen"}
sys.addaudithook(lambda event, given: touched.append(str(given[0])) if event in watched else None)
import credential_rotation_plugin as plugin
new = sorted({name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)
[app] = plugin.CredentialRotationPlugin.fastapi_apps
[view] = plugin.CredentialRotationPlugin.external_views
code = [one for one in touched if not one.isdigit() and ".py" not in one]  # compiled modules are by number
print(json.dumps({"new": new, "touched": code, "app": app["url_prefix"], "view": view}))
"""


def test_registration_does_no_io_and_needs_neither_drivers_nor_a_web_framework(tmp_path: Path) -> None:
    """FIELD E2: scheduler, workers and commands load plugins too; only the api-server gets requests."""
    environ = {"PATH": os.defpath, "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(PLUGINS)}
    ran = subprocess.run(
        [sys.executable, "-c", _LOAD], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout.splitlines()[-1])
    assert said["new"] == ["credential_rotation", "credential_rotation_plugin"]
    assert said["touched"] == []
    addresses = [said["view"][name] for name in ("href", "icon", "icon_dark_mode")]
    assert not [one for one in addresses if one.startswith("/")]
    assert all(one.startswith(said["app"].removeprefix("/")) for one in addresses)
