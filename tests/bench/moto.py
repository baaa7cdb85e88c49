"""Amazon's Secrets Manager as moto has it, in a process of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sandbox.kept import wait_until
from sandbox.ports import free_ports

_FILL = """
import json, sys
import boto3
given = json.load(sys.stdin)
client = boto3.client("secretsmanager", **given["login"])
for name, value in given["secrets"].items():
    client.create_secret(Name=name, SecretString=value)
"""


@contextmanager
def moto_server(secrets: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """What a client is made with, while it runs with these secrets in it."""
    (port,) = free_ports(1)
    login = {
        "region_name": "eu-central-1",
        "aws_access_key_id": "bench",
        "aws_secret_access_key": "bench",
        "endpoint_url": f"http://127.0.0.1:{port}",
    }
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_until(lambda: _answers(port), "moto", within=60)
            given = json.dumps({"login": login, "secrets": dict(secrets)})
            subprocess.run([sys.executable, "-c", _FILL], input=given, text=True, check=True)
            yield login
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
