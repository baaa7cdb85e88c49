"""The answer cannot be written: the disk is full, standard output is closed, or a reader has enough."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sandbox.places import PLUGINS
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]

COMMANDS = {
    "evidence": ("evidence", "etl", "--json"),
    "status, as JSON": ("status", "--json"),
    "status, as a table": ("status",),
    "a mistake, as JSON": ("status", "nobody", "--json"),
}
CODE = "import sys; from credential_rotation.cli.main import main; main(sys.argv[1:], prog_name='rotation')"


def shell(site: Site, arguments: tuple[str, ...], where: str) -> subprocess.CompletedProcess[str]:
    """As an operator's shell runs it, with its standard output there."""
    environ = {**site.environ, "PYTHONPATH": str(PLUGINS), "PATH": os.defpath}
    script = f'"$0" -c "$1" "${{@:2}}" {where}'
    return subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", script, sys.executable, CODE, *arguments],
        env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
@pytest.mark.parametrize("case", COMMANDS)
def test_it_is_said_in_a_line_with_an_exit_status_of_its_own(site: Site, case: str, where: str) -> None:
    """And no traceback: who reads standard error knows that the answer is missing, not wrong."""
    ran = shell(site, COMMANDS[case], where)
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
    assert "the answer could not be written to standard output" in ran.stderr
    assert ran.returncode == 1


def test_a_reader_that_has_enough_ends_it_quietly(site: Site) -> None:
    """As `head` does."""
    ran = shell(site, ("status", "--json"), "| true")
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
