"""Policies as people write them, as the inventory reads them, and as an editor with the schema does."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from credential_rotation.inventory.inventory import Inventory, load_inventory
from credential_rotation.model import Policy
from sandbox.places import INCLUDE
from scenes.inventory.mistakes import entry

SCHEMAS = INCLUDE / "schema"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = '{from: "22:00", to: "05:00", timezone: Europe/Berlin}'


def loaded(tmp_path: Path, policies: str, **changed: str) -> Inventory:
    """An inventory with this policies.yaml, and one entry that differs so from the usual one."""
    include = tmp_path / "include"
    (include / "credentials").mkdir(parents=True)
    (include / "policies.yaml").write_text(policies)
    (include / "credentials" / "a.yaml").write_text("credentials:\n" + entry(**changed))
    return load_inventory(include)


def policy(tmp_path: Path, text: str) -> Policy:
    """The policy of an entry that says it itself."""
    inventory = loaded(tmp_path, "", policy=f"policy: {text}")
    assert inventory.problems == ()
    return inventory.credentials[0].policy


def refusals_of_editors(policy: str) -> list[str]:
    """What a plain reader of JSON Schema says to an entry with this policy."""
    found = {
        name: json.loads((SCHEMAS / f"{name}.schema.json").read_text())
        for name in ("credentials", "policies")
    }
    resource = Resource.from_contents(found["policies"])
    registry = Registry().with_resource("policies.schema.json", resource)
    value = yaml.safe_load("credentials:\n" + entry(policy=f"policy: {policy}"))
    validator = Draft202012Validator(found["credentials"], registry=registry)
    return [error.message for error in validator.iter_errors(value)]
