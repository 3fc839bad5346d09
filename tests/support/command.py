"""The `roost` command, run as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.server import ROOT


def roost(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a data folder, with no other setting than these."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ROOST_")}
    return subprocess.run(
        [sys.executable, "-m", "roost.config.cli", *arguments],
        cwd=ROOT,
        env=own | {"ROOST_DATA_DIR": str(folder)} | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
