"""A StatsD that listens: metrics as they arrive by UDP, added up as StatsD's protocol has it."""

from __future__ import annotations

import re
import socket
import threading
from collections import defaultdict
from types import TracebackType

_METRIC = re.compile(r"(?P<name>[^:|]+):(?P<value>[+-]?[0-9.]+)\|(?P<kind>c|g|ms)(\|@[0-9.]+)?")
_LARGEST = 65535


class StatsD:
    """Counters are summed, gauges hold their last value (a sign means a change), timers keep each one."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self.counters: dict[str, float] = defaultdict(float)
        self.gauges: dict[str, float] = {}
        self.timers: dict[str, list[float]] = defaultdict(list)
        self.garbage: list[str] = []

    def __enter__(self) -> StatsD:  # noqa: PYI034 - typing.Self is younger than Python 3.10
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(5)
        self._socket.close()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def names(self) -> set[str]:
        return {*self.counters, *self.gauges, *self.timers}

    def environment(self) -> dict[str, str]:
        """Airflow's own settings."""
        return {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(self.port),
        }

    def wait_for(self, *names: str, within: float = 20) -> None:
        """Until all of these have arrived; a packet is on its way when the task that sent it is over."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: self.names.issuperset(names), within)
        ours = sorted(name for name in self.names if "credential_rotation" in name)
        assert arrived, f"{set(names) - self.names} did not arrive; of ours did: {ours}"

    def _listen(self) -> None:
        while packet := self._socket.recv(_LARGEST):
            with self._changed:
                for line in packet.decode().splitlines():
                    self._take(line)
                self._changed.notify_all()

    def _take(self, line: str) -> None:
        found = _METRIC.fullmatch(line)
        if found is None:
            self.garbage.append(line)
            return
        name, text, kind = found["name"], found["value"], found["kind"]
        if kind == "c":
            self.counters[name] += float(text)
        elif kind == "ms":
            self.timers[name].append(float(text))
        else:
            before = self.gauges.get(name, 0.0) if text[0] in "+-" else 0.0
            self.gauges[name] = before + float(text)
