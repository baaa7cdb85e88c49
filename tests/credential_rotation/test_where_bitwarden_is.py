"""A server of one's own, the EU cloud, a proxy, a private authority: each example of docs/servers.md, run.

The EU cloud is the stand-in under its name, reached through the proxy: no test leaves this machine.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.places import ROOT
from sandbox.ports import free_ports
from scenes.site.deployment import Ran, Site
from scenes.site.ground import own_agent
from scenes.vault.connect_proxy import connect_proxy

pytest_plugins = ["scenes.site.fixtures"]

DOCUMENTED = ROOT / "docs" / "servers.md"
OURS_ALONE = {"BWS_API_URL": "", "BWS_IDENTITY_URL": ""}


def port_of(site: Site) -> int:
    return int(site.bitwarden.api_url.split(":")[2].partition("/")[0])


def checked(site: Site, **environ: str) -> Ran:
    """What `check` says of an entry, by an agent of its own."""
    with own_agent(site.ground, site.ground.token, **OURS_ALONE, **environ) as settings:
        return site.run("check", "reporting", "--json", **settings)


def test_a_server_of_ones_own_with_a_private_authority(site: Site) -> None:
    """One address, and the file with the authority's certificate."""
    ran = checked(site, BWS_SERVER_URL=f"https://localhost:{port_of(site)}")
    assert (ran.code, ran.words) == (0, {"reporting": "ok"})


def test_without_its_authority_the_remedy_is_told(site: Site, tmp_path: Path) -> None:
    """Nobody is asked to switch TLS off."""
    other = tmp_path / "other.pem"
    other.write_text(site.postgres.ca_file.read_text())
    ran = checked(site, BWS_SERVER_URL=f"https://localhost:{port_of(site)}", SSL_CERT_FILE=str(other))
    assert ran.code == 1
    assert "its certificate is not trusted (SSL_CERT_FILE replaces the system's store)" in ran.flat


def test_the_eu_cloud_behind_a_proxy(site: Site) -> None:
    """Both of its addresses follow from one, and every connection goes through the proxy."""
    with connect_proxy(port_of(site)) as proxy:
        ran = checked(site, BWS_SERVER_URL="https://vault.bitwarden.eu", HTTPS_PROXY=proxy.url)
        assert (ran.code, ran.words) == (0, {"reporting": "ok"})
        assert set(proxy.asked_for) == {"CONNECT vault.bitwarden.eu:443"}


def test_a_proxy_that_is_down_is_told(site: Site) -> None:
    """With the address that could not be reached; its own may hold a password, and is not shown."""
    [closed] = free_ports(1)
    site.further_secrets.append("proxy-password")
    proxy = f"http://somebody:proxy-password@127.0.0.1:{closed}"
    ran = checked(site, BWS_SERVER_URL="https://vault.bitwarden.eu", HTTPS_PROXY=proxy)
    assert ran.code == 1
    assert "no connection to https://vault.bitwarden.eu/identity" in ran.flat


def test_what_is_not_behind_the_proxy(site: Site) -> None:
    """A server of one's own in the same network."""
    [closed] = free_ports(1)
    ran = checked(
        site,
        BWS_SERVER_URL=f"https://localhost:{port_of(site)}",
        HTTPS_PROXY=f"http://127.0.0.1:{closed}",
        NO_PROXY="localhost",
    )
    assert (ran.code, ran.words) == (0, {"reporting": "ok"})


@pytest.mark.parametrize(
    "line",
    [
        "BWS_SERVER_URL=https://bitwarden.internal",
        "SSL_CERT_FILE=/etc/ssl/our-authority.pem",
        "BWS_SERVER_URL=https://vault.bitwarden.eu",
        "HTTPS_PROXY=http://proxy.internal:3128",
        "NO_PROXY=bitwarden.internal",
    ],
)
def test_each_is_documented(line: str) -> None:
    """As a line to copy."""
    assert line in DOCUMENTED.read_text().splitlines()
