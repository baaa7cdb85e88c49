"""Places in AWS where an access token may lie, and roles that may read them: moto, in a process of its own.

moto checks who asks and what its policy grants, after as many requests as it is told to let through.
"""

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3

from sandbox.kept import wait_until
from sandbox.ports import free_ports

REGION = "eu-central-1"


@dataclass(frozen=True, slots=True)
class TokenPlaces:
    """One account, as its root sees it."""

    url: str

    def put_secret(self, name: str, text: str) -> str:
        """A secret, or its new value; its ARN."""
        client = self._client("secretsmanager")
        try:
            return str(client.create_secret(Name=name, SecretString=text)["ARN"])
        except client.exceptions.ResourceExistsException:
            return str(client.put_secret_value(SecretId=name, SecretString=text)["ARN"])

    def put_parameter(self, name: str, text: str) -> None:
        """Encrypted, as a token should be."""
        self._client("ssm").put_parameter(Name=name, Value=text, Type="SecureString", Overwrite=True)

    def role(self, name: str, *actions: str) -> str:
        """A role that a web identity may take, and what it may do everywhere; its ARN."""
        client = self._client("iam")
        arn = str(client.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"])
        if actions:
            right = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [right]})
            client.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy)
        return arn

    @contextmanager
    def strict_after(self, requests: int) -> Iterator[None]:
        """From that many requests on, nobody may do what no policy grants."""
        self._let_through(str(requests))
        try:
            yield
        finally:
            self._let_through("inf")

    def environ(self, **more: str) -> dict[str, str]:
        """A host with that role and nothing else of AWS."""
        nothing = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
        return {
            **nothing,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            **more,
        }

    def web_identity(self, role: str, folder: Path) -> dict[str, str]:
        """As Kubernetes hands it to a pod: a role's name, and a file with the pod's own identity."""
        file = folder / "identity"
        file.write_text("eyJhbGciOiJSUzI1NiJ9.e30.c2ln")
        return self.environ(AWS_ROLE_ARN=role, AWS_WEB_IDENTITY_TOKEN_FILE=str(file))

    @contextmanager
    def hosts_role(self) -> Iterator[dict[str, dict[str, str]]]:
        """Whom a host's own endpoint says it is: by the kind of host, what its environment says of that."""
        with ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint) as server:
            serving = threading.Thread(target=server.serve_forever)
            serving.start()
            url = f"http://127.0.0.1:{server.server_port}"
            try:
                yield {
                    "task or pod": self.environ(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{url}/role"),
                    "instance": self.environ(
                        AWS_EC2_METADATA_DISABLED="", AWS_EC2_METADATA_SERVICE_ENDPOINT=url
                    ),
                }
            finally:
                server.shutdown()
                serving.join()

    def _client(self, service: Any) -> Any:  # noqa: ANN401 - boto3's clients have no types
        return boto3.Session("root", "root", region_name=REGION).client(service, endpoint_url=self.url)

    def _let_through(self, requests: str) -> None:
        link = http.client.HTTPConnection(self.url.removeprefix("http://"))
        link.request("POST", "/moto-api/reset-auth", requests, {"Content-Type": "text/plain"})
        assert link.getresponse().status == 200
        link.close()


class _Endpoint(BaseHTTPRequestHandler):
    """Answers as the endpoints of ECS, of EKS Pod Identity and of an instance do."""

    def do_PUT(self) -> None:
        self._answer("a session of the metadata")

    def do_GET(self) -> None:
        keys = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "s", "Token": "t", "Code": "Success"}
        is_list = self.path.endswith("/security-credentials/")
        self._answer("role" if is_list else json.dumps({**keys, "Expiration": "2099-01-01T00:00:00Z"}))

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@contextmanager
def token_places() -> Iterator[TokenPlaces]:
    """Ended afterwards."""
    (port,) = free_ports(1)
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        places = TokenPlaces(f"http://127.0.0.1:{port}")
        try:
            wait_until(lambda: _answers(port), "moto", within=60)
            yield places
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
