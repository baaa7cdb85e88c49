"""What a mapped task reads of an inventory: its own entry, and who else claims the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from credential_rotation.errors import BadInput
from credential_rotation.inventory.inventory import load_entry, load_inventory
from scenes.inventory.entries import FULL, folder, simple


def test_a_mapped_task_reads_only_what_mentions_its_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty files, one entry wanted: one file of entries is parsed, whatever names begin with its name."""
    include = folder(tmp_path, **{f"f{n:02}": "credentials:\n" + simple(f"c{n}") for n in range(20)})
    parsed = []
    compose = yaml.compose

    def counting(text: str, loader: type) -> yaml.Node | None:
        parsed.append(text)
        return compose(text, loader)

    monkeypatch.setattr(yaml, "compose", counting)
    assert load_entry(include, "c1").name == "c1"
    assert len(parsed) == 1


def test_a_mapped_task_gets_what_the_whole_inventory_gives(tmp_path: Path) -> None:
    """The short way and the long way give one credential."""
    include = folder(tmp_path, a=FULL, b="credentials:\n" + simple("b"))
    assert [load_entry(include, c.name) for c in load_inventory(include).credentials] == list(
        load_inventory(include).credentials
    )


def test_a_name_written_with_escapes_is_found(tmp_path: Path) -> None:
    """Searching the text is only a short cut: what YAML reads counts."""
    include = folder(tmp_path, a="credentials:\n" + simple("abc").replace("abc", '"\\x61bc"'))
    assert load_entry(include, "abc").name == "abc"


@pytest.mark.parametrize("key", ["name", "principal", "key"])
def test_a_mapped_task_sees_a_claim_in_another_file(tmp_path: Path, key: str) -> None:
    """An old run that is cleared does not rotate what two entries claim by now."""
    mine = simple("mine").replace("principal: mine", "principal: role").replace("key: mine", "key: place")
    claim = {"name": "mine", "principal": "role", "key": "place"}[key]
    other = simple("other").replace(f"{key}: other", f"{key}: {claim}")
    include = folder(tmp_path, a="credentials:\n" + mine, b="credentials:\n" + other)
    with pytest.raises(BadInput, match=r"mine: its entry has mistakes: .*a.yaml:2: mine: .* too; keep one"):
        load_entry(include, "mine")


def test_an_entry_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    """A cleared run whose entry was renamed says so, with the nearest name."""
    include = folder(tmp_path, a="credentials:\n" + simple("warehouse-etl"))
    with pytest.raises(BadInput) as gone:
        load_entry(include, "warehouse-elt")
    assert gone.value.what == (
        "there is no credential 'warehouse-elt' in include/credentials; did you mean 'warehouse-etl'?"
    )


def test_an_entry_with_mistakes_says_which(tmp_path: Path) -> None:
    """Rotating a broken entry by name tells the mistake, not that the name is unknown."""
    include = folder(tmp_path, a="credentials:\n" + simple("a", ", polcy: x"))
    with pytest.raises(BadInput) as wrong:
        load_entry(include, "a")
    assert wrong.value.what == (
        "a: its entry has mistakes: "
        "include/credentials/a.yaml:2: a: unknown key 'polcy'; did you mean 'policy'?"
    )
