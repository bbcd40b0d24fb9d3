"""dbt-bouncer finds nothing to complain about."""

import subprocess
import sys
from pathlib import Path

from conftest import REPOSITORY, Warehouse


def test_bouncer_lets_the_project_in(warehouse: Warehouse, tmp_path: Path):
    result = warehouse.dbt("parse")
    assert result.succeeded, result.output
    config = (REPOSITORY / "dbt-bouncer.yml").read_text()
    target = warehouse.target()
    (tmp_path / "dbt-bouncer.yml").write_text(
        config.replace("dbt_artifacts_dir: target", f"dbt_artifacts_dir: {target}")
    )
    bouncer = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt-bouncer")),
            "run",
            "--config-file",
            str(tmp_path / "dbt-bouncer.yml"),
            "--show-all-failures",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert bouncer.returncode == 0, bouncer.stdout
