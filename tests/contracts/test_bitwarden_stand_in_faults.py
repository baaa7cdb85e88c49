"""What goes wrong on the way, as the real SDK shows it, and what has landed in the vault afterwards."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from sandbox.bitwarden import Fault
from sandbox.bitwarden.faults import Effect
from sandbox.bitwarden.sdk import Workplace, failure_of
from sandbox.places import TESTS

pytest_plugins = ["sandbox.bitwarden.fixtures"]

SECRETS = "/api/secrets/*"


def _lost(workplace: Workplace, path: str) -> str:
    return f"error sending request for url ({workplace.bitwarden.api_url}/{path})"


def _until(true: Callable[[], bool], what: str, within: float = 5.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("does", "landed"), [("drop", "old"), ("drop_after_commit", "new")], ids=["before commit", "after commit"]
)
def test_a_lost_connection_reads_the_same_before_and_after_the_commit(
    workplace: Workplace, does: Effect, landed: str
) -> None:
    """One request, the same words; only the vault knows."""
    made = workplace.create(value="old")
    workplace.bitwarden.fault(Fault(does, verb="PUT", path=SECRETS))
    workplace.bitwarden.clear_requests()
    assert failure_of(workplace.update, made, "new") == _lost(workplace, f"secrets/{made}")
    assert workplace.stored() == [landed]
    assert [(line.verb, line.status, line.fault) for line in workplace.bitwarden.requests()] == [
        ("PUT", None, does)
    ]


def test_a_create_that_was_answered_by_nobody_may_exist(workplace: Workplace) -> None:
    """A blind retry makes a duplicate."""
    organization = workplace.bitwarden.organization_id
    path = f"organizations/{organization}/secrets"
    workplace.bitwarden.fault(Fault("drop_after_commit", verb="POST", path=f"/api/{path}", times=1))
    assert failure_of(workplace.create, "k", "v") == _lost(workplace, path)
    workplace.create("k", "v")
    assert workplace.stored() == ["v", "v"]


@pytest.mark.parametrize(
    ("status", "said"),
    [(None, "error sending request"), (504, "Received error message from server: [504 Gateway Timeout] ")],
    ids=["dropped", "with a status"],
)
def test_a_late_commit_lands_after_the_client_was_told_of_an_error(
    workplace: Workplace, status: int | None, said: str
) -> None:
    """It overwrites what was written in between, with its own older revision date."""
    made = workplace.create(value="old")
    workplace.bitwarden.fault(
        Fault("commit_late", verb="PUT", path=SECRETS, seconds=0.4, status=status, times=1)
    )
    assert failure_of(workplace.update, made, "late").startswith(said)
    assert workplace.value(made) == "old"
    workplace.update(made, "between")
    between = workplace.secrets.get(made).data.revision_date
    _until(lambda: workplace.value(made) == "late", "the write lands")
    assert workplace.secrets.get(made).data.revision_date < between


def test_a_late_update_brings_a_deleted_secret_back(workplace: Workplace) -> None:
    """It writes the whole row, and that row was not deleted when it was read."""
    made = workplace.create(value="old")
    workplace.bitwarden.fault(Fault("commit_late", verb="PUT", path=SECRETS, seconds=0.2, times=1))
    failure_of(workplace.update, made, "risen")
    workplace.secrets.delete([made])
    assert workplace.stored() == []
    _until(lambda: workplace.stored() == ["risen"], "the secret lives again")


def test_a_late_create_lands_too(workplace: Workplace) -> None:
    """A listing just after the error does not show it yet."""
    organization = workplace.bitwarden.organization_id
    workplace.bitwarden.fault(Fault("commit_late", verb="POST", path="/api/organizations/*", seconds=0.2))
    failure_of(workplace.create, "k", "late")
    assert workplace.secrets.list(organization).data.data == []
    _until(lambda: workplace.stored() == ["late"], "the write lands")


CLIENT = """
import sys
from sandbox.bitwarden.sdk import build_client
client = build_client(type("", (), dict(zip(("api_url", "identity_url", "ca_file"), sys.argv[1:4]))))
client.auth().login_access_token(sys.stdin.readline().strip())
client.secrets().update(sys.argv[4], sys.argv[5], "key", "new", "", [sys.argv[6]])
"""


@pytest.mark.parametrize(
    ("does", "landed"), [("hang", "old"), ("hang_after_commit", "new")], ids=["before commit", "after commit"]
)
def test_a_server_that_never_answers_holds_the_client_until_it_is_killed(
    workplace: Workplace, does: Effect, landed: str
) -> None:
    """The SDK has no timeout; the request is in the log while it hangs."""
    bitwarden, made = workplace.bitwarden, workplace.create(value="old")
    bitwarden.fault(Fault(does, verb="PUT", path=SECRETS))
    where = [bitwarden.api_url, bitwarden.identity_url, str(bitwarden.ca_file), bitwarden.organization_id]
    with subprocess.Popen(
        [sys.executable, "-c", CLIENT, *where, made, workplace.project],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    ) as client:
        try:
            assert client.stdin is not None
            client.stdin.write(workplace.token.encode() + b"\n")
            client.stdin.close()
            _until(lambda: any(line.verb == "PUT" for line in bitwarden.requests()), "the PUT arrives")
            with pytest.raises(subprocess.TimeoutExpired):
                client.wait(0.7)
        finally:
            client.kill()
    assert workplace.stored() == [landed]
    assert workplace.value(made) == landed


@pytest.mark.parametrize("does", ["delay", "slow_commit", "slow_answer"])
def test_a_slow_server_is_slow_and_right(workplace: Workplace, does: Effect) -> None:
    """The call takes the time and succeeds."""
    made = workplace.create(value="old")
    workplace.bitwarden.fault(Fault(does, verb="PUT", path=SECRETS, seconds=0.2))
    began = time.monotonic()
    workplace.update(made, "new")
    assert 0.2 <= time.monotonic() - began < 2
    assert workplace.stored() == ["new"]


def test_a_slow_commit_was_stamped_before_it_waited(workplace: Workplace) -> None:
    """The revision date is older than the wait, so dates are no versions."""
    made = workplace.create()
    workplace.bitwarden.fault(Fault("slow_commit", verb="PUT", path=SECRETS, seconds=0.3))
    workplace.update(made, "slow")
    age = time.time() - workplace.secrets.get(made).data.revision_date.timestamp()
    assert age >= 0.3


HTML = "<html>Bad gateway</html>"
ANSWERS = {
    "server error": (
        Fault("answer", status=500, body='{"message":"An unhandled server error has occurred."}'),
        'Received error message from server: [500 Internal Server Error] {"message":"An unhandled',
    ),
    "a proxy's html": (
        Fault("answer", status=502, body=HTML, content_type="text/html"),
        f"Received error message from server: [502 Bad Gateway] {HTML}",
    ),
    "html with 200": (
        Fault("answer", status=200, body=HTML, content_type="text/html"),
        'Received `Unsupported("text/html")` content type response when JSON was expected',
    ),
    "a redirect, which is not followed": (
        Fault("answer", status=302, body=HTML, content_type="text/html", location="https://localhost/"),
        'Received `Unsupported("text/html")` content type response when JSON was expected',
    ),
    "JSON that ends early": (Fault("garbage"), "EOF while parsing a value at line 1 column 17"),
    "JSON without its fields": (
        Fault("answer", status=200, body='{"id":"00000000-0000-4000-8000-000000000000"}'),
        "The response received was missing a required field: response.organization_id",
    ),
    "half a body": (Fault("cut_answer"), "error decoding response body"),
}


@pytest.mark.parametrize(("fault", "said"), ANSWERS.values(), ids=ANSWERS.keys())
def test_what_is_no_answer_reads_like_this(workplace: Workplace, fault: Fault, said: str) -> None:
    """The texts that a client has to tell apart, and the next call is fine."""
    made = workplace.create(value="v")
    workplace.bitwarden.fault(fault)
    assert failure_of(workplace.value, made).startswith(said)
    workplace.bitwarden.clear_faults()
    assert workplace.value(made) == "v"


def test_a_fault_strikes_the_request_it_was_meant_for(workplace: Workplace) -> None:
    """By verb and path, from the nth on, so many times; the first that matches wins."""
    made, other = workplace.create(value="v"), workplace.create(value="v")
    bitwarden = workplace.bitwarden
    bitwarden.fault(Fault("answer", verb="GET", path=f"/api/secrets/{made}", status=503, skip=1, times=1))
    bitwarden.fault(Fault("answer", verb="PUT", path=SECRETS, status=500))
    bitwarden.clear_requests()
    for secret in (other, made):
        workplace.value(secret)
    assert "[503 " in failure_of(workplace.value, made)
    assert workplace.value(made) == "v"
    assert "[500 " in failure_of(workplace.update, made, "x")
    assert [line.status for line in bitwarden.requests()] == [200, 200, 503, 200, 500]


@pytest.mark.parametrize(("does", "said"), [("explode", "no such fault"), ("answer", "needs a status")])
def test_a_fault_that_makes_no_sense_is_refused_at_once(does: str, said: str) -> None:
    """Not at the first request, where it would pass for the client's mistake."""
    with pytest.raises(ValueError, match=said):
        Fault(does)  # type: ignore[arg-type]  # the point of the test
