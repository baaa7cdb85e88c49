"""An organisation with 5,000 secrets: a list, and a whole rotation, take seconds."""

from __future__ import annotations

import time

from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures", "scenes.site.crowd_fixtures"]


def test_five_thousand_secrets_are_listed_and_rotated_beside_in_seconds(crowded: Site) -> None:
    """What is not ours is listed, and never read: the requests are as many as in a small organisation."""
    names = crowded.deployment().bitwarden.names
    begun = time.monotonic()
    assert len(names()) >= 5000
    listed = time.monotonic() - begun
    assert crowded.run("rotate", "etl").code == 0
    crowded.bitwarden.clear_requests()
    begun = time.monotonic()
    assert crowded.run("rotate", "etl", "--json").words == {"etl": "rotated"}
    rotated = time.monotonic() - begun
    paths = [line.path for line in crowded.bitwarden.requests()]
    assert not any(path.endswith("/get-by-ids") for path in paths)
    assert len(paths) <= 14
    assert listed < 5
    assert rotated < 15
