"""Metrics as StatsD and an OpenTelemetry collector receive them, and the dashboard that asks for them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA, Metric

from sandbox.places import ROOT
from scenes.statsd import StatsD
from simulators.scene import ETL

BOARD = ROOT / "docs" / "grafana" / "credential-rotation.json"
_AS_A_TASK = """
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils
stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=True)
from credential_rotation.tasks.metrics import tell_ages, tell_outcome
from credential_rotation.outcome import Step, told
from credential_rotation.planning.planning import Known
from credential_rotation.journal.records import RecordName
from simulators.scene import ETL
now = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
steps = (Step("locked", now), Step("rotated", now + timedelta(seconds=3)))
tell_outcome(replace(told(ETL, "rotated", "done"), steps=steps))
old = Known((RecordName("id", ETL.name, 4, now - timedelta(days=91), "a"),), has_current=True)
tell_ages([ETL], {ETL.name: old}, now)
"""


def _tell(home: Path, settings: dict[str, str]) -> None:
    """What a task tells, through Airflow's own backend for these settings."""
    environ = {
        "PATH": os.defpath,
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{ROOT / 'tests'}",
    }
    command = [sys.executable, "-c", _AS_A_TASK]
    subprocess.run(command, env=environ | settings, check=True, timeout=60, cwd=home)


def test_what_is_overdue_is_below_zero_at_a_statsd(tmp_path: Path) -> None:
    """Where a sign on a gauge means a change of it."""
    with StatsD() as statsd:
        for _ in range(2):
            _tell(tmp_path, statsd.environment())
        left = f"airflow.credential_rotation.left.{ETL.name}"
        statsd.wait_for(left, f"airflow.credential_rotation.duration.{ETL.name}")
        assert statsd.gauges[left] == -86400
        assert statsd.gauges[f"airflow.credential_rotation.age.{ETL.name}"] == 91 * 86400
        assert statsd.timers[f"airflow.credential_rotation.duration.{ETL.name}"] == [3000, 3000]
        assert statsd.counters[f"airflow.credential_rotation.outcome.{ETL.name}.rotated"] == 2
        assert statsd.garbage == []


@contextmanager
def _collector(received: list[bytes]) -> Iterator[str]:
    """An OTLP receiver; its address."""

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> list[Metric]:
    """What arrives at an OpenTelemetry collector."""
    received: list[bytes] = []
    with _collector(received) as address:
        settings = {
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "OTEL_EXPORTER_OTLP_ENDPOINT": address,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",  # as docs/settings.md says
        }
        _tell(tmp_path_factory.mktemp("otel"), settings)
    requests = [ExportMetricsServiceRequest.FromString(one) for one in received]
    scopes = [scope for one in requests for all_of in one.resource_metrics for scope in all_of.scope_metrics]
    return [metric for scope in scopes for metric in scope.metrics]


def test_an_opentelemetry_collector_receives_them(collected: list[Metric]) -> None:
    """By Airflow's own settings, over OTLP, with the credential as a tag."""
    ours = {one.name: one for one in collected}
    for what in ("outcome", "duration", "age", "left"):
        name = f"airflow.credential_rotation.{what}"
        assert {"credential": ETL.name}.items() <= _labels(ours[name]).items()
    assert ours["airflow.credential_rotation.left"].gauge.data_points[0].as_int == -86400


def test_a_task_tells_a_collector_what_it_adds(collected: list[Metric]) -> None:
    """Each task is a process of its own: sums that begin at nought each time would never grow."""
    [counted] = [one for one in collected if one.name == "airflow.credential_rotation.outcome"]
    assert counted.sum.is_monotonic
    assert counted.sum.aggregation_temporality == AGGREGATION_TEMPORALITY_DELTA


def _labels(metric: Metric) -> dict[str, str]:
    kind = metric.WhichOneof("data") or ""
    [point, *_] = getattr(metric, kind).data_points
    return {one.key: one.value.string_value for one in point.attributes}


_UNITS = {"ms": "_milliseconds", "s": "_seconds", "": "", "1": ""}


def _in_prometheus(metric: Metric) -> set[str]:
    """The series that a collector makes of it, by OpenTelemetry's rules for Prometheus."""
    base = metric.name.replace(".", "_") + _UNITS[metric.unit]
    kind = metric.WhichOneof("data")
    if kind == "sum" and metric.sum.is_monotonic:
        return {f"{base}_total"}
    if kind == "histogram":
        return {f"{base}{end}" for end in ("_bucket", "_sum", "_count")}
    return {base}  # an exponential histogram is a native one there: one series, without buckets


def test_every_query_of_the_dashboard_asks_for_what_arrives(collected: list[Metric]) -> None:
    """Each metric by the name that it has in Prometheus, and each label that it is asked by."""
    series = {name: _labels(one) for one in collected for name in _in_prometheus(one)}
    asked = set()
    for query in _queries():
        names = re.findall(r"\bairflow_\w+", query)
        assert names, query
        assert set(names) <= set(series), query
        labels = {*re.findall(r"(\w+)\s*[=!]~?\"", query), *_listed(query)}
        assert labels <= set.intersection(*(set(series[name]) for name in names)), query
        asked.update(names)
    assert {name.split("credential_rotation_")[1].split("_")[0] for name in asked} == {
        "outcome", "duration", "age", "left",
    }  # fmt: skip


def _queries() -> list[str]:
    panels = json.loads(BOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def _listed(query: str) -> set[str]:
    groups = re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", query)
    return {label.strip() for group in groups for label in group.split(",")}


def test_what_is_told_once_a_day_is_asked_for_a_day_back() -> None:
    """Prometheus looks five minutes back, and the watchdog tells ages daily."""
    for name in ("age", "left"):
        for query in _queries():
            told = len(re.findall(rf"\bairflow_credential_rotation_{name}\b", query))
            looked_back = rf"last_over_time\(airflow_credential_rotation_{name}\[26h\]\)"
            assert len(re.findall(looked_back, query)) == told, query


def test_every_legend_of_the_dashboard_is_a_label_that_its_query_keeps() -> None:
    """Otherwise each line has the same name, or none; and each panel has a title."""
    for panel in json.loads(BOARD.read_text(encoding="utf-8"))["panels"]:
        assert panel["title"]
        for target in panel["targets"]:
            wanted = set(re.findall(r"{{\s*(\w+)\s*}}", target["legendFormat"]))
            assert wanted <= (_listed(target["expr"]) or {"credential", "engine", "owner"}), panel["title"]
