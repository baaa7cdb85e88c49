"""`python -m sandbox.demo [up | down]`: the story; the story, left open; its end."""

import os
import sys
import time
from pathlib import Path

from sandbox import detached
from sandbox.airflow_api import NotInTime, Refused
from sandbox.demo.report import write_report
from sandbox.demo.story import OtherwiseThanTold, Story
from sandbox.demo.telling import say, warn
from sandbox.directory_lock import AlreadyRunning
from sandbox.kept import DidNotStart
from sandbox.places import ROOT
from sandbox.sandbox import Sandbox

DIRECTORY = Path(os.environ.get("SANDBOX_DIRECTORY", ROOT / ".sandbox")).resolve()
REPORT = DIRECTORY / "demo-report.json"
_SIGINT = 130


def tell(sandbox: Sandbox) -> Story:
    """The whole story, and its report."""
    began = time.monotonic()
    story = Story(sandbox, ROOT, REPORT)
    story.tell()
    write_report(REPORT, story, seconds=time.monotonic() - began)
    say(f"Written: {os.path.relpath(REPORT)}. Took {time.monotonic() - began:.0f} s.")
    return story


def demo() -> None:
    """Tell the story, and leave nothing running."""
    with Sandbox(DIRECTORY) as sandbox:
        tell(sandbox)
        say("Ending what was started …")
    say("Nothing is left running. `make up` does the same and leaves Airflow open to look around.")
    say("Next, one role with your own Bitwarden: docs/quick-start.md")


def hold() -> None:
    """What `up` starts: tell the story, say how to reach it, and stay."""
    detached.leave_when_told()
    with Sandbox(DIRECTORY) as sandbox:
        story = tell(sandbox)
        detached.announce(DIRECTORY, story.ways_in())
        detached.hold()


def up() -> None:
    """The story in a process that stays."""
    known = detached.launch(DIRECTORY, [sys.executable, "-m", "sandbox.demo", "hold"])
    say(f"Airflow:  {known['airflow']}   login: {known['username']} / {known['password']}")
    say("Try: choose Credentials in its menu, then one of them, then Rotate now. To end it: make down")


def down() -> None:
    """End what `up` left open."""
    say("Ended; nothing is left running." if detached.end(DIRECTORY) else "Nothing was open.")


def main(words: list[str]) -> int:
    """Run one of them; the exit status."""
    commands = {"": demo, "up": up, "down": down, "hold": hold}
    command = commands.get(words[0] if words else "")
    if command is None:
        warn(f"unknown: {words[0]}. Known: up, down, or nothing for the demo")
        return 2
    try:
        command()
    except KeyboardInterrupt:
        warn("Stopped by Ctrl-C; nothing is left running.")
        return _SIGINT
    except (AlreadyRunning, DidNotStart, NotInTime, OtherwiseThanTold, Refused) as wrong:
        warn(str(wrong))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
