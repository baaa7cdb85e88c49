"""The page of an inventory in which no tool rotates anything: it tells what people have to do."""

from __future__ import annotations

import pytest

from bitwarden_vault.state_folder import StateFolder
from scenes.airflow.tasks import as_task
from scenes.site.deployment import Site

pytest_plugins = ["scenes.airflow.imported", "scenes.site.fixtures"]

SIGNING_KEY = """\
credentials:
  - name: signing-key
    engine: manual
    policy: {max_age: 90d}
    owner: platform
    instructions: Make a new one in the HSM.
"""
BROKEN = "credentials:\n  - name: signing-key\n    engine: manul\n"


@pytest.mark.usefixtures("airflow")
@pytest.mark.parametrize(
    ("text", "names", "problems"),
    [(SIGNING_KEY, ["signing-key"], 0), (BROKEN, [], 1)],
    ids=["by hand", "broken"],
)
def test_planners_keep_a_status_where_they_have_nothing_to_plan(
    site: Site, text: str, names: list[str], problems: int
) -> None:
    """Entries of engine manual, or mistakes, are all that there is; Bitwarden is not asked about them."""
    site.write_entries(text)
    site.bitwarden.clear_requests()
    with as_task(site, "retire_credentials", "plan_retirements") as tasks:
        assert tasks.plan_retirements.function(["postgres", "aws_iam"]) == []
    status = StateFolder(site.environ["ROTATION_STATE_PATH"]).read("status/retire_credentials")
    assert status is not None
    assert [one["name"] for one in status["credentials"]] == names
    assert (len(status["problems"]) > 0) == bool(problems)
    assert site.bitwarden.requests() == []


@pytest.mark.usefixtures("airflow")
def test_a_planner_of_other_engines_asks_nobody(site: Site) -> None:
    """What has no entry of its own leaves the status to the planner that has."""
    site.bitwarden.clear_requests()
    with as_task(site, "rotate_cloud_credentials", "plan_rotations") as tasks:
        assert tasks.plan_rotations.function(["aws_iam"]) == []
    assert site.bitwarden.requests() == []
