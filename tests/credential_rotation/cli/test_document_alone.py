"""With `--json` standard output is the document alone, whatever Airflow and notifiers write when loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scenes.site.deployment import Site

pytest_plugins = ["scenes.airflow.imported", "scenes.site.fixtures"]

NOISY = """\
import sys

print("a notifier's module prints")


class Told:
    def notify(self, context):
        print("a notifier prints")
        sys.stdout.write("and writes")

    __call__ = notify
"""


@pytest.fixture
def airflow_site(site: Site, tmp_path: Path) -> Site:
    """Where tasks read the credential through Airflow, which is loaded to ask whether this is one of them."""
    site.environ |= {"AIRFLOW_HOME": str(tmp_path / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    site.change_entries(
        "owner: data-platform\n  - name: reporting",
        "owner: data-platform\n    consumers: [{airflow_connection: etl}]\n  - name: reporting",
    )
    return site


def test_airflows_log_is_no_part_of_the_document(airflow_site: Site) -> None:
    """Airflow sends all logs to standard output when it is imported; here they go to standard error."""
    ran = airflow_site.run_process("revoke", "etl", "--reason", "seen in a chat", "--json")
    assert list(ran.json) == ["credentials", "problems"]
    assert "etl: promoted" in ran.err


def test_the_table_stands_on_standard_output(airflow_site: Site) -> None:
    """And nothing else, so that it can be put into a file."""
    ran = airflow_site.run_process("rotate", "etl")
    assert ran.out.split()[:3] == ["credential", "outcome", "version"]
    assert "etl: promoted" not in ran.out


def test_what_a_notifier_prints_is_no_part_of_the_document(site: Site) -> None:
    """It is other people's code."""
    (site.folder / "noisy.py").write_text(NOISY)
    site.environ |= {"ROTATION_NOTIFIERS": "noisy.Told"}
    ran = site.run_python(
        "import sys; sys.path.insert(0, '.'); from credential_rotation.cli.main import main;"
        "main(['revoke', 'reporting', '--reason', 'seen in a chat', '--json'])"
    )
    assert ran.json["credentials"][0]["outcome"] == "revoked"
    assert "a notifier prints" in ran.err


def test_a_connection_taken_from_airflow_is_told_by_the_document_alone(airflow_site: Site) -> None:
    """Also where Airflow warns while it looks for the connection."""
    site = airflow_site
    site.environ["AIRFLOW_CONN_OLD_ETL"] = json.dumps(
        {
            "conn_type": "postgres",
            "host": "localhost",
            "port": site.postgres.port,
            "login": site.role("etl"),
            "password": site.first["etl"],
        }
    )
    ran = site.run_process("adopt", "etl", "--from-connection", "old_etl", "--json")
    assert ran.outcomes["etl"]["version"] == 0, ran.flat
