"""pytest fixture: Airflow imported into a home of its own, so that no test writes into a person's."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Importing Airflow is slow, so only where a test asks for it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        import airflow.sdk  # noqa: F401, PLC0415 - after AIRFLOW_HOME is set
