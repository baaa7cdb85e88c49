"""`make pods`: forty fresh pods behind one address that share nothing, with the cloud's limits on.

Each needs a login of its own, and ten a minute are allowed: red where one of them did not get its connection,
or had to wait more than five minutes.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

import click

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from sandbox.bitwarden.stand_in import BitwardenStandIn
from scenes.vault.pods import Found, look_up_at_once

WITHIN = 300.0


@click.command(help=__doc__)
@click.option("--pods", default=40, show_default=True, help="How many.")
def main(pods: int) -> None:
    """Play and tell, and leave with 1 where something is wrong."""
    with tempfile.TemporaryDirectory(prefix="bwv-") as folder:
        found, statuses = _played(Path(folder), pods)
    waits = sorted(one.seconds for one in found)
    have = [one for one in found if one.login == "etl"]
    click.echo(f"{len(have)} of {pods} pods have their connection")
    click.echo(f"waited: first {waits[0]:.1f} s, half {waits[len(waits) // 2]:.1f} s, last {waits[-1]:.1f} s")
    click.echo(f"requests for a login, by status: {dict(statuses)}")
    for error, count in Counter(one.error or "not defined" for one in found if one not in have).items():
        click.echo(f"{count} times: {error}")
    sys.exit(len(have) < pods or waits[-1] > WITHIN)


def _played(folder: Path, pods: int) -> tuple[list[Found], Counter[int | None]]:
    with BitwardenStandIn(folder / "server") as bitwarden:
        bitwarden.create_project("data")
        common = {
            "BWS_ACCESS_TOKEN": bitwarden.create_machine_account("airflow", {"data": "read"}),
            "BWS_ORGANIZATION_ID": bitwarden.organization_id,
            "BWS_API_URL": bitwarden.api_url,
            "BWS_IDENTITY_URL": bitwarden.identity_url,
            "SSL_CERT_FILE": str(bitwarden.ca_file),
        }
        bitwarden.put_secret(
            project="data", key="airflow/connections/warehouse", value="postgres://etl:pw@db/warehouse"
        )
        bitwarden.rate_limits(True)  # noqa: FBT003 - reads as a switch
        environments = [common | {"BITWARDEN_SOCKET_DIR": f"{folder}/{number}"} for number in range(pods)]
        try:
            found = look_up_at_once(environments, "warehouse", within=2 * WITHIN)
        finally:
            for one in environments:
                VaultClient(read_settings(one)).stop()
        logins = [one for one in bitwarden.requests() if one.path.endswith("/connect/token")]
        return found, Counter(one.status for one in logins)


if __name__ == "__main__":
    main()
