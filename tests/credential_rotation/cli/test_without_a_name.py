"""FIELD D6: an image runs under a number that its machine has no name and no home for."""

from __future__ import annotations

import os

from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]

_NAMELESS = """\
import pwd
pwd.getpwuid = {{}}.__getitem__
from credential_rotation.cli.main import main
main({arguments!r}, prog_name="rotation")
"""
"""As Python finds it where /etc/passwd has no line of this number."""


def test_d6_its_number_is_who_asks(site: Site) -> None:
    """In the evidence as anybody's name; the two ways in which Pythons say that there is none are one."""
    ran = site.run_python(_NAMELESS.format(arguments=["rotate", "etl", "--json"]))
    assert ran.code == 0, ran.err
    assert ran.words == {"etl": "rotated"}
    shown = site.run_python(_NAMELESS.format(arguments=["evidence", "etl", "--json"]))
    assert shown.code == 0, shown.err
    [version] = shown.json["rotations"]
    assert version["by"] == f"uid {os.getuid()} (command line)"
