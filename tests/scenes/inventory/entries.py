"""Inventories to load: one with everything, and short entries."""

from __future__ import annotations

from pathlib import Path

from credential_rotation.inventory.inventory import load_inventory

FULL = """\
credentials:
  - name: etl
    engine: postgres
    strategy: in_place
    principal: [etl]
    target: {host: db.internal, port: 5433, dbname: warehouse, sslrootcert: /ca.pem}
    endpoints: [{host: replica.internal}, {host: pooler.internal, port: 6432, sslmode: require}]
    admin: {airflow_connection: rotator}
    vault: {id: 0AAAAAAA-0000-0000-0000-000000000000, key: etl, project: data, format: airflow-connection}
    policy: {max_age: 12h, grace: 15m, pause: true}
    consumers: [{airflow_connection: etl}, {dag: load}, {manual: Looker, owner: bi}, {s3_bucket: exports}]
    owner: data-platform
    tags: [prod, eu]
    queue: rotation
    pool: db
    prove_dead: "off"
    password_hashing: server
    stamp: none
  - name: plain
    engine: postgres
    principal: plain
    target: {host: db.internal}
    admin: etl
    vault: {key: plain, project: data, format: password}
    policy: manual
    owner: bi
  - name: last
    engine: postgres
    principal: last
    target: {host: db.internal}
    after: [plain, etl]
    vault: {key: last, project: data, format: airflow-uri}
    policy: manual
    owner: bi
"""


def simple(name: str, extra: str = "") -> str:
    return (
        f"  - {{name: {name}, engine: postgres, principal: {name}, target: {{host: db}}, policy: manual,"
        " owner: x,"
        f" vault: {{key: {name}, project: data, format: json}}{extra}}}\n"
    )


def folder(tmp_path: Path, **files: str) -> Path:
    include = tmp_path / "include"
    (include / "credentials").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (include / "credentials" / f"{name}.yaml").write_text(text)
    return include


def names(include: Path) -> list[str]:
    return [credential.name for credential in load_inventory(include).credentials]
