"""Loaded before anything else: tests keep their data in a folder that goes away."""

import atexit
import os
import shutil
import tempfile

if "ROOST_DATA_DIR" not in os.environ:
    _folder = tempfile.mkdtemp(prefix="roost-tests-")
    os.environ["ROOST_DATA_DIR"] = _folder
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)

# Where a real start collects the static files to.
os.makedirs(os.path.join(os.environ["ROOST_DATA_DIR"], "static"), exist_ok=True)
