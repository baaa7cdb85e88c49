"""Names and texts full of SQL, markup and escapes by command: done, or refused with a message."""

from __future__ import annotations

import json
import os
from itertools import count
from urllib.parse import quote, unquote, urlsplit

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from credential_rotation.journal.current_note import read_marks
from scenes.hostile import HOSTILE, role_names, roles, texts
from scenes.site.deployment import Ran, Site

pytest_plugins = ["scenes.site.fixtures"]

_numbers = count(1)
FORMS = ["json", "airflow-connection", "airflow-uri", "password"]


def entry(  # noqa: PLR0913 - each is hostile on its own
    site: Site, number: int, *, role: str, dbname: str, form: str, key: str, owner: str
) -> str:
    """One more entry, in a file of its own; its name."""
    server, name = site.postgres, f"hostile-{number}"
    target = {"host": "localhost", "port": server.port, "sslrootcert": str(server.ca_file), "dbname": dbname}
    whole = {
        "name": name,
        "engine": "postgres",
        "principal": role,
        "target": target,
        "admin": "admin",
        "vault": {"key": key, "project": site.project("data"), "format": form},
        "policy": "weekly",
        "owner": owner,
        "tags": [owner],
    }
    text = yaml.safe_dump({"credentials": [whole]}, allow_unicode=True)
    site.write_entries(text, file="hostile.yaml")
    return name


def value_of(form: str, role: str, password: str) -> str:
    if form == "password":
        return password
    if form == "airflow-uri":
        return f"postgres://{quote(role, safe='')}:{quote(password, safe='')}@localhost/x?kept=%1b'"
    user = "login" if form == "airflow-connection" else "username"
    return json.dumps({user: role, "password": password, "kept": "\x1b'\"", "conn_type": "postgres"})


def password_in(form: str, value: str) -> str:
    """What whoever reads CURRENT gets; what was around it is still there."""
    if form == "password":
        return value
    if form == "airflow-uri":
        assert value.endswith("@localhost/x?kept=%1b'")
        return unquote(urlsplit(value).password or "")
    assert json.loads(value)["kept"] == "\x1b'\""
    return str(json.loads(value)["password"])


def says_no_more_than_words(ran: Ran) -> None:
    """Nothing that a terminal would obey."""
    assert all(line.isprintable() for line in (ran.out + ran.err).splitlines()), (ran.out, ran.err)


@HOSTILE
@given(
    role=role_names(control=False),
    dbname=role_names(control=False),
    password=texts(control=True),
    note=texts(control=True),
    words=st.tuples(texts(control=False), texts(control=False), texts(control=True)),
    form=st.sampled_from(FORMS),
)
def test_an_entry_of_any_names_is_rotated_by_command(  # noqa: PLR0913, PLR0917 - each is hostile on its own
    site: Site, role: str, dbname: str, password: str, note: str, words: tuple[str, str, str], form: str
) -> None:
    """Role, database, key, owner, reason, note and value: one rotation, one JSON document, no escape."""
    number, (key, owner, reason) = next(_numbers), words
    key, password = f"{key}/{number}", f"first of {number} {password}"
    note = f"Ask Kim {note}"  # the SDK cuts blanks off, as people's editors do
    site.postgres.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(dbname)))
    site.postgres.create_database(dbname)
    name = entry(site, number, role=role, dbname=dbname, form=form, key=key, owner=owner)
    project = site.projects["data"]
    site.bitwarden.put_secret(project=project, key=key, value=value_of(form, role, password), note=note)
    with roles(site.postgres, site.role("admin"), {role: password}):
        ran = site.run("rotate", name, "--force", "--reason", f"{reason} - told", "--json")
        assert (ran.code, ran.words) == (0, {name: "rotated"}), ran.told(name)
        stored = site.current(key)
        assert site.role_logs_in(role, password_in(form, stored.value))
        assert not site.role_logs_in(role, password)
        assert stored.note.startswith(note)
        assert read_marks(stored.note) is not None
        for command in (("status", name), ("verify", name), ("check", name), ("plan",)):
            says_no_more_than_words(site.run(*command))


HALF = "\\ud800"
"""Half a character, as JSON's escapes can write it."""


@pytest.mark.parametrize("command", ["rotate", "verify", "check", "retire"])
@pytest.mark.parametrize("part", ["password", "username", "host"])
def test_half_a_character_in_current_is_refused_with_a_message(site: Site, part: str, command: str) -> None:
    """A person's slip in the web vault: named, nothing changed, and no word of it repeated."""
    fields = {"username": site.role("reporting"), "password": "canary", part: f"canary{HALF}"}
    value = json.dumps(fields).replace("\\\\", "\\")
    site.bitwarden.edit_secret(site.current("reporting/db").id, value=value)
    before = site.everything()
    ran = site.run(command, "reporting", "--json")
    assert ran.code == 1
    assert f"its {part} holds half a character" in ran.told("reporting")
    assert "Mend the value in Bitwarden" in ran.told("reporting")
    assert "canary" not in ran.out + ran.err
    assert site.everything() == before


def test_half_a_character_in_our_block_of_the_note_is_a_persons_text(site: Site) -> None:
    """It is left as it is, and the version's own block comes after it."""
    note = f'Ask Kim.\n\n```bitwarden-vault\n{{"epoch": "7", "by": "{HALF}"}}\n```'
    site.bitwarden.edit_secret(site.current("reporting/db").id, note=note)
    assert site.run("rotate", "reporting").code == 0
    assert site.current("reporting/db").note.startswith(f"{note}\n\n")
    assert read_marks(site.current("reporting/db").note) is not None


TOO_LONG = {
    "a note in characters": ("x" * 6_980, {}),
    "a note in bytes": ("😀" * 1_845, {}),
    "a value in characters": ("", {"kept": "x" * 24_900}),
    "a value in bytes": ("", {"kept": "é" * 13_000}),
}


@pytest.mark.parametrize("what", TOO_LONG)
def test_what_would_not_fit_is_said_before_the_target_is_touched(site: Site, what: str) -> None:
    """Bitwarden takes it as it is and would not take it rotated: the message says what to shorten."""
    note, more = TOO_LONG[what]
    fields = {"username": site.role("reporting"), "password": site.first["reporting"], **more}
    value = json.dumps(fields, ensure_ascii=False)
    site.bitwarden.edit_secret(site.current("reporting/db").id, value=value, note=note)
    before = site.roles(), site.current("reporting/db")
    ran = site.run("rotate", "reporting", "--json")
    assert ran.code == 1
    assert "would not fit into Bitwarden" in ran.told("reporting")
    assert "Shorten the note or the value" in ran.told("reporting")
    assert len(ran.out) < 3_000
    assert (site.roles(), site.current("reporting/db")) == before
    assert site.logs_in("reporting", site.first["reporting"])


FILES = {
    "an escape": b"\x1b[31mred\x1b]8;;http:evil\x07.yaml",
    "a line break": b"a\ncredentials: b.yaml",
    "no UTF-8": b"caf\xe9.yaml",
    "a direction": "\u202elmay.yaml".encode(),
    "markup": b"<!channel> [bold] {{ ds }} %s.yaml",
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_of_any_name_is_told_in_words(site: Site, what: str) -> None:
    """Its mistakes are told with the name as far as it can be shown; with JSON in ASCII."""
    path = os.path.join(os.fsencode(site.folder), b"credentials", FILES[what])  # noqa: PTH118 - bytes
    with open(path, "w") as file:  # noqa: PTH123 - bytes
        file.write("credentials:\n  - {name: \x85bad}\n  - {name: worse, engine: postgers}\n")
    for command in (("check",), ("plan",), ("rotate", "worse")):
        ran = site.run(*command)
        assert ran.code == 2
        assert "unknown engine 'postgers'" in ran.flat
        says_no_more_than_words(ran)
        as_json = site.run(*command, "--json")
        assert as_json.out.isascii()
        assert "unknown engine 'postgers'" in json.dumps(as_json.json)
        assert all(told.isprintable() for told in as_json.json.get("problems", ()))
        says_no_more_than_words(as_json)


def test_a_terminal_that_knows_few_characters_is_told_all_the_same(site: Site) -> None:
    """What it cannot show is replaced: no traceback in the place of the answer."""
    site.change_entries(f"principal: {site.role('reporting')}", "principal: עברית-€")
    site.environ["PYTHONIOENCODING"] = "ascii"
    ran = site.run_process("verify", "reporting")
    assert ran.code == 1
    assert "CURRENT's user is none of the entry's principals (?????-?)" in ran.flat
    assert "Traceback" not in ran.err
