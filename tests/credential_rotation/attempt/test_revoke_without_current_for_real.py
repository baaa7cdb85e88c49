"""As beside, on PostgreSQL and the real SDK: CURRENT is deleted between record and apply of a revocation."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from credential_rotation.engines.postgres.session import LockSession
from scenes.campaign.kinds import Pair, Role
from scenes.campaign.passes import SETTLED, run
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]


class Killed(BaseException):
    """The process is gone."""


def login(value: str) -> tuple[str, str]:
    fields = json.loads(value)
    return fields.get("login") or fields["username"], fields["password"]


@pytest.mark.parametrize("make", [Role, Pair])
def test_the_hourly_run_makes_the_new_version_current(
    site: Site, make: type[Role], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The value that may be in wrong hands is refused, and was never stored again."""
    kind = make(site)
    kind.set_up()
    environ = site.environ
    assert run("rotate", kind.name, environ, later=timedelta(0)).outcome == "rotated"
    before, current = login(site.current(kind.key).value), site.current(kind.key)

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(LockSession, "apply", killed)
        with pytest.raises(Killed):
            run("revoke", kind.name, environ, later=timedelta(0))
    assert kind.logs_in(before)
    site.bitwarden.trash(current.id)
    ended = run("repair", kind.name, environ, later=SETTLED)
    after = login(site.current(kind.key).value)
    assert (ended.outcome, ended.version) == ("revoked", 2), ended.reason
    assert after != before
    assert kind.logs_in(after)
    assert not kind.logs_in(before)
