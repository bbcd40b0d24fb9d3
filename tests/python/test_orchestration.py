"""The examples of schedules can be read, and call commands that exist."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples" / "orchestration"
WORKFLOW = REPOSITORY / ".github" / "workflows" / "warehouse.yml"
TARGETS = set(
    re.findall(r"^([a-z-]+):.* ##", (REPOSITORY / "Makefile").read_text(), re.M)
)
# five fields of a number, a star, a range or a step
SCHEDULE = re.compile(r"^((\*|\d+(-\d+)?)(/\d+)?\s+){5}")


def calls(text: str) -> list[str]:
    """The targets of make that a text calls; prose names them in backquotes."""
    return re.findall(r"(?<!`)\bmake ([a-z-]+)", text)


def commands(path: Path) -> list[str]:
    """What an example runs."""
    if path.suffix == ".py":
        texts = [
            node.value
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        # Dagster's are given apart: run(context, "update")
        return [
            *calls("\n".join(texts[1:])),
            *(x for x in texts if x in ("update", "build")),
        ]
    if path.suffix == ".yml":
        jobs = yaml.safe_load(path.read_text())["jobs"].values()
        return calls("\n".join(s.get("run", "") for j in jobs for s in j["steps"]))
    lines = path.read_text().splitlines()
    return calls("\n".join(line for line in lines if not line.startswith("#")))


@pytest.mark.parametrize(
    "path",
    [*sorted(x for x in EXAMPLES.iterdir() if x.is_file()), WORKFLOW],
    ids=lambda path: path.name,
)
def test_an_example_updates_daily_and_builds_weekly(path):
    called = commands(path)
    assert {"update", "build"} <= set(called) <= TARGETS, called


def test_every_line_of_the_crontab_is_a_setting_or_a_schedule():
    for line in (EXAMPLES / "crontab").read_text().splitlines():
        if line and line[0] != "#" and not re.match(r"^[A-Z_]+=\S+$", line):
            assert SCHEDULE.match(line), line
            # what follows an unescaped per cent sign would be its input
            assert "%" not in line
            assert re.search(
                r"flock --wait \d+ logs/cron\.lock make \w+ +>> logs", line
            )


def test_the_workflow_has_all_that_a_run_needs():
    workflow = yaml.safe_load(WORKFLOW.read_text())
    # YAML reads the key `on` as true
    assert set(workflow[True]) == {
        "pull_request",
        "push",
        "schedule",
        "workflow_dispatch",
    }
    [schedule] = workflow[True]["schedule"]
    assert SCHEDULE.match(schedule["cron"] + " ")
    assert set(workflow["jobs"]) == {"test", "publish"}
    for job in workflow["jobs"].values():
        assert job["runs-on"] and job["timeout-minutes"]
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            assert "run" in step or re.fullmatch(r"actions/[a-z/-]+@v\d+", step["uses"])
    saved = [
        step["with"]
        for step in workflow["jobs"]["publish"]["steps"]
        if "cache" in step.get("uses", "")
    ]
    assert [step["path"] for step in saved] == ["warehouse", "warehouse"]
    assert saved[0]["key"] == saved[1]["key"]
    assert saved[0]["key"].startswith(saved[0]["restore-keys"])
