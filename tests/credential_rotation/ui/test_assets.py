"""The page's files: ours are plain modules without markup from data, the vendored ones are what they say."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from sandbox.places import PLUGINS

STATIC = PLUGINS / "credential_rotation" / "ui" / "static"
OURS = sorted(STATIC.glob("*.js"))
VENDORED = (STATIC / "vendor" / "VERSIONS.txt").read_text()


@pytest.mark.parametrize("file", OURS, ids=lambda path: path.name)
def test_no_text_can_become_markup_or_code(file: Path) -> None:
    """A credential's name is data wherever it is shown."""
    text = file.read_text()
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text)
    assert len(text.splitlines()) < 300


def test_nothing_comes_from_elsewhere() -> None:
    """No address of another host in what we wrote, and no script in the page itself."""
    for file in (*OURS, *STATIC.glob("*.css"), *STATIC.glob("*.html")):
        assert not re.findall(r"https?://(?!www\.w3\.org)", file.read_text()), file.name
    page = (STATIC / "index.html").read_text()
    assert not re.findall(r"<script(?![^>]*src=)|\sstyle=|\son\w+=", page)


def test_vendored_files_are_those_that_were_named() -> None:
    """Version, licence and digest of each; `make vendor` gets them anew."""
    named = dict(re.findall(r"^([0-9a-f]{64})  (\S+)$", VENDORED, re.MULTILINE))
    files = {path.name: path for path in (STATIC / "vendor").iterdir() if path.suffix == ".js"}
    assert set(named.values()) == set(files)
    for digest, name in named.items():
        assert hashlib.sha256(files[name].read_bytes()).hexdigest() == digest
        licence = STATIC / "vendor" / f"{name.partition('.')[0]}.LICENSE.txt"
        assert "MIT" in licence.read_text()
