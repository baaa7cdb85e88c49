"""A deployment whose task logs are stored in S3, by a key that is rotated: bucket, key and inventory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sandbox.aws.sdk import NewCaller
from sandbox.aws.stand_in import Key
from sandbox.sandbox import Sandbox

BUCKET, ENTRY, USER, CONNECTION = "task-logs", "log-writer", "log-writer", "task_logs"
PROJECT, JOURNAL = "data-platform", "rotation-journal"
GRACE = 61.0
"""Seconds until the old key is at its end; a minute is the shortest that an entry can say."""
_ARNS = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
_INVENTORY = """\
credentials:
  - name: {entry}
    engine: aws_iam
    principal: {user}
    target: {{region: {region}}}
    vault: {{key: airflow/connections/{connection}, project: {project}, format: airflow-connection}}
    policy: {{max_age: 30d, grace: 1m}}
    consumers: [{{airflow_connection: {connection}}}, {{s3_bucket: {bucket}}}]
    owner: data-platform
"""


class LogStore:
    """What people set up, and what they find in the bucket."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox, self._aws = sandbox, sandbox.start_aws()
        self._token = ""
        self._auditor = NewCaller(self._aws)("s3:ListBucket", "s3:GetObject")

    def build(self, shipped: Path) -> Path:
        """Make bucket, user and secret; the folder with the inventory."""
        bitwarden = self._sandbox.bitwarden
        for project in (PROJECT, JOURNAL):
            bitwarden.create_project(project)
        self._token = bitwarden.create_machine_account("rotation", dict.fromkeys((PROJECT, JOURNAL), "write"))
        self._aws.create_bucket(BUCKET)
        key = self._aws.create_user(USER, self._policy(shipped / "iam" / "self-rotating-user.json"))
        extra = {"region_name": self._aws.region}
        value = {"conn_type": "aws", "login": key[0], "password": key[1], "extra": extra}
        bitwarden.put_secret(
            project=PROJECT, key=f"airflow/connections/{CONNECTION}", value=json.dumps(value)
        )
        return self._write_inventory(shipped)

    def environment(self) -> dict[str, str]:
        """Logs to S3, connections from Bitwarden."""
        bitwarden, folder = self._sandbox.bitwarden, self._sandbox.run_directory
        return {
            "AIRFLOW__LOGGING__REMOTE_LOGGING": "True",
            "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": f"s3://{BUCKET}",
            "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID": CONNECTION,
            "AIRFLOW__LOGGING__DELETE_LOCAL_LOGS": "True",
            "AIRFLOW__SECRETS__BACKEND": "bitwarden_vault.backend.BitwardenSecretsBackend",
            "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"projects": [PROJECT]}),
            "PYTHONPATH": str(folder / "airflow" / "plugins"),
            "AWS_ENDPOINT_URL": self._aws.endpoint_url,
            "BWS_ACCESS_TOKEN": self._token,
            "BWS_ORGANIZATION_ID": bitwarden.organization_id,
            "BWS_API_URL": bitwarden.api_url,
            "BWS_IDENTITY_URL": bitwarden.identity_url,
            "SSL_CERT_FILE": str(bitwarden.ca_file),
            "BITWARDEN_SOCKET_DIR": str(self._sandbox.short_folder()),
            "ROTATION_JOURNAL_PROJECT": JOURNAL,
            "ROTATION_SETTLE": "5s",
        }

    def keys(self) -> list[Key]:
        """The user's, oldest first."""
        return self._aws.keys(USER)

    def status(self, key: Key) -> str:
        """Of one of them now: "Active", "Inactive" or "gone"."""
        return next((one.status for one in self.keys() if one.id == key.id), "gone")

    def logs(self, run: str) -> list[str]:
        """Every log of a run's tasks that lies in the bucket."""
        s3 = self._auditor.s3
        found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        names = [one["Key"] for one in found if run in one["Key"]]
        return [s3.get_object(Bucket=BUCKET, Key=name)["Body"].read().decode() for name in names]

    def _policy(self, shipped: Path) -> dict[str, Any]:
        """What a self-rotating user needs, and the logs."""
        policy: dict[str, Any] = json.loads(shipped.read_text())
        policy["Statement"].append({"Effect": "Allow", "Action": "s3:*", "Resource": _ARNS})
        return policy

    def _write_inventory(self, shipped: Path) -> Path:
        include = self._sandbox.run_directory / "include"
        (include / "credentials").mkdir(parents=True)
        (include / "policies.yaml").write_text((shipped / "policies.yaml").read_text())
        text = _INVENTORY.format(
            entry=ENTRY,
            user=USER,
            region=self._aws.region,
            connection=CONNECTION,
            project=PROJECT,
            bucket=BUCKET,
        )
        (include / "credentials" / "logs.yaml").write_text(text)
        return include
