"""Entries with one line changed, and what an inventory of them complains about."""

from __future__ import annotations

from pathlib import Path

from credential_rotation.inventory.inventory import load_inventory

LINES = {
    "name": "name: etl",
    "engine": "engine: postgres",
    "principal": "principal: etl",
    "target": "target: {host: db.internal}",
    "vault": "vault: {key: etl, project: data, format: json}",
    "policy": "policy: quarterly",
    "owner": "owner: data-platform",
}
"""The entry's keys stand in lines 2 to 8."""


def entry(**changed: str) -> str:
    lines = [text for text in {**LINES, **changed}.values() if text]
    return "".join(f"  {'-' if place == 0 else ' '} {text}\n" for place, text in enumerate(lines))


def written(include: Path, text: str, policies: str = "policies: {quarterly: {max_age: 90d}}\n") -> list[str]:
    (include / "credentials").mkdir(parents=True)
    (include / "policies.yaml").write_text(policies)
    (include / "credentials" / "a.yaml").write_text(text)
    return [str(problem) for problem in load_inventory(include).problems]
