"""`python -m credential_rotation`: the command line."""

from __future__ import annotations

from credential_rotation.cli.main import main

main(prog_name="python -m credential_rotation")
