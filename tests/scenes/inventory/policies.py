"""Gives entries of an inventory file other policies than they came with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def set_policies(file: Path, policies: Mapping[str, str]) -> None:
    """By entry's name, as YAML on one line; the other entries keep theirs."""
    entries = file.read_text().split("  - name: ")
    for place, entry in enumerate(entries):
        name = entry.partition("\n")[0]
        if name in policies:
            lines = [
                f"    policy: {policies[name]}" if line.lstrip().startswith("policy:") else line
                for line in entry.splitlines()
            ]
            entries[place] = "\n".join(lines) + "\n"
    file.write_text("  - name: ".join(entries))
