"""What the demo proved, for programs: `.sandbox/demo-report.json`."""

import json
from pathlib import Path

from sandbox.demo.story import Story


def write_report(path: Path, story: Story, *, seconds: float) -> None:
    """One entry per credential with its last rotation, what Slack was told, and how long it took."""
    credentials = [
        {
            "name": result.role.name,
            "engine": result.outcome["engine"],
            "strategy": result.outcome["strategy"],
            "outcome": result.outcome["outcome"],
            "version": result.outcome["version"],
            "old_refused": result.old_refused,
            "new_accepted": result.new_accepted,
            "consumers": result.outcome["consumers"],
            "run_id": result.run_id,
            "state": result.state,
        }
        for result in story.results.values()
    ]
    report = {"credentials": credentials, "slack": story.slack_messages, "seconds": round(seconds, 1)}
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
