"""What whoever waits for a first value does not have to wait for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bitwarden_vault.launch import _Later
from sandbox.places import PLUGINS


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="`dataclasses` asks it for every class from 3.12 on")
@pytest.mark.parametrize("process", ["agent.agent", "readers.publish"])
def test_no_process_of_ours_asks_inspect_at_its_start(process: str) -> None:
    """`dataclasses` would, for a class without a docstring: here whoever asks finds nothing, and it fails."""
    code = (
        "import sys, types; sys.modules['inspect'] = types.ModuleType('inspect')\n"
        f"import bitwarden_vault.{process}\n"
        "assert 'dataclasses' in sys.modules and 'ast' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-S", "-s", "-c", code], env={"PYTHONPATH": str(PLUGINS)}, check=True)


@pytest.mark.parametrize(
    ("process", "unasked"),
    [
        ("agent.agent", {"typing", "hashlib", "random", "logging"}),
        ("agent.worker", {"typing", "dataclasses", "socket", "logging"}),
    ],
)
def test_what_takes_long_to_import_is_left_to_those_who_need_it(process: str, unasked: set[str]) -> None:
    """Whoever waits for the first value of a host waits for all that agent and worker import."""
    code = f"import sys, bitwarden_vault.{process}; print(*sys.modules)"
    words = [sys.executable, "-S", "-s", "-c", code]
    done = subprocess.run(
        words, env={"PYTHONPATH": str(PLUGINS)}, stdout=subprocess.PIPE, text=True, check=True
    )
    assert unasked.isdisjoint(done.stdout.split())


def test_the_sdk_logs_to_nobody_and_imports_nothing_for_it() -> None:
    """It would import `logging` for its first client; whoever needs that later finds the real one."""
    code = (
        "import sys, bitwarden_py; from bitwarden_vault.agent.sdk_core import SdkCore\n"
        "SdkCore(bitwarden_py, api_url='https://vault/api', identity_url='https://vault/identity')\n"
        "assert 'logging' not in sys.modules\n"
        "import logging; logging.getLogger('x').warning('said')\n"
    )
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, env={"PYTHONPATH": str(PLUGINS)}, capture_output=True, check=True)
    assert done.stderr == b"said\n"


def test_what_comes_later_is_the_module_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for whoever kept what came first, as `dataclasses` does."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    first = _Later("colorsys")
    monkeypatch.setitem(sys.modules, "colorsys", first)
    found = first.rgb_to_hsv
    assert sys.modules["colorsys"] is not first
    assert found is sys.modules["colorsys"].rgb_to_hsv
    with pytest.raises(AttributeError):
        first.nothing  # noqa: B018 - reading it is the test
