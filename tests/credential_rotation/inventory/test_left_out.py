"""What an inventory leaves out, and that nothing else goes with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from credential_rotation.errors import BadInput
from credential_rotation.inventory import entry as inventory_entry
from credential_rotation.inventory.entry import Entry
from credential_rotation.inventory.inventory import load_inventory
from credential_rotation.inventory.links import wrong_links
from credential_rotation.inventory.yaml_text import Document
from scenes.inventory.entries import folder, names, simple


def test_one_broken_file_among_twenty_costs_only_its_own_entries(tmp_path: Path) -> None:
    """The other nineteen files rotate, and the broken one is told once, with its line."""
    files = {f"f{n:02}": "credentials:\n" + simple(f"c{n:02}") for n in range(20)}
    include = folder(tmp_path, **{**files, "f07": "credentials:\n  - name: [\n"})
    inventory = load_inventory(include)
    assert [credential.name for credential in inventory.credentials] == [
        f"c{n:02}" for n in range(20) if n != 7
    ]
    assert [str(problem) for problem in inventory.problems] == [
        "include/credentials/f07.yaml:3: is not valid YAML: did not find expected node content"
    ]


def test_one_broken_entry_costs_only_itself(tmp_path: Path) -> None:
    """Its neighbours in the same file rotate."""
    text = "credentials:\n" + simple("a") + simple("b", ", polcy: x") + simple("c")
    assert names(folder(tmp_path, a=text)) == ["a", "c"]


def test_neither_of_two_claimants_is_rotated(tmp_path: Path) -> None:
    """Two entries of one role would lock each other out, so both wait for a person."""
    include = folder(
        tmp_path,
        a="credentials:\n" + simple("a") + simple("b"),
        b="credentials:\n" + simple("c").replace("principal: c", "principal: a"),
    )
    assert names(include) == ["b"]
    assert [problem.name for problem in load_inventory(include).problems] == ["a", "c"]


def test_mistakes_travel_down_a_chain_of_admins(tmp_path: Path) -> None:
    """Who is administered by a broken entry waits with it, however far down; others do not."""
    text = "credentials:\n" + simple("a", ", admin: b") + simple("b", ", admin: c") + simple("c", ", x: y")
    include = folder(tmp_path, a=text + simple("d"))
    assert names(include) == ["d"]
    assert [problem.name for problem in load_inventory(include).problems] == ["a", "b", "c"]


def test_a_name_that_may_be_in_an_unreadable_file_is_told_so(tmp_path: Path) -> None:
    """A link into a broken file does not send its reader looking for a typing error."""
    include = folder(tmp_path, a="credentials:\n" + simple("a", ", admin: root"), b="credentials: [\n")
    assert str(load_inventory(include).problems[0]) == (
        "include/credentials/a.yaml:2: a: unknown entry 'root' in admin; there is no such entry "
        "(unless it is in a file that cannot be read: include/credentials/b.yaml)"
    )


def test_only_visible_yaml_files_count(tmp_path: Path) -> None:
    """Examples, hidden files and notes are passed over; a folder is told: somebody expects it read."""
    include = folder(tmp_path, a="credentials:\n" + simple("a"))
    credentials = include / "credentials"
    (credentials / "b.yml").write_text("credentials:\n" + simple("b"))
    for passed_over in (".hidden.yaml", "c.yaml.example", "c.yaml~", "notes.md"):
        (credentials / passed_over).write_text("credentials: [")
    (credentials / "..data").mkdir()
    (credentials / "team").mkdir()
    inventory = load_inventory(include)
    assert [credential.name for credential in inventory.credentials] == ["a", "b"]
    assert [str(problem) for problem in inventory.problems] == [
        (
            "include/credentials/team:1: is a folder, and only files directly in credentials/ are read; "
            "move its files up"
        )
    ]


def test_a_link_to_nowhere_is_a_problem_of_that_file(tmp_path: Path) -> None:
    """A file that cannot be opened stops nothing else."""
    include = folder(tmp_path, a="credentials:\n" + simple("a"))
    (include / "credentials" / "b.yaml").symlink_to(tmp_path / "gone")
    inventory = load_inventory(include)
    assert [str(problem) for problem in inventory.problems] == [
        "include/credentials/b.yaml:1: cannot be read: No such file or directory"
    ]
    assert names(include) == ["a"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "credentials:\n", "credentials: []\n", "{}\n", "---\n"])
def test_an_empty_file_says_nothing(tmp_path: Path, text: str) -> None:
    """A file with everything commented out is no mistake."""
    inventory = load_inventory(folder(tmp_path, a=text))
    assert (inventory.credentials, inventory.problems) == ((), ())


def test_a_missing_folder_names_the_variable(tmp_path: Path) -> None:
    """Who pointed ROTATION_INCLUDE at the wrong place is told which, and what was expected there."""
    with pytest.raises(BadInput) as missing:
        load_inventory(tmp_path / "nowhere")
    assert missing.value.what == (
        f"ROTATION_INCLUDE: cannot read the folder {tmp_path / 'nowhere'} (No such file or directory)"
    )
    assert "credentials/ (with *.yaml files)" in missing.value.next_step


def test_an_admin_of_another_engine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may change PostgreSQL roles says nothing about who may change another engine's."""
    monkeypatch.setattr(inventory_entry, "engines", lambda: ("postgres", "redis"))
    document = Document("a.yaml")
    entries = [
        Entry(document, 0, {"name": "etl", "engine": "postgres", "admin": "root"}),
        Entry(document, 1, {"name": "root", "engine": "redis"}),
    ]
    assert [(entry.name, mistake.message) for entry, mistake in wrong_links(entries, [])] == [
        ("etl", "admin 'root' has engine redis, and this entry has postgres")
    ]
