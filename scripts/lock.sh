#!/usr/bin/env bash
# Make requirements/run.lock and requirements/test.lock again: every platform,
# Python 3.11 and newer, with hashes, and without the name of any index.
# usage: scripts/lock.sh [--upgrade]
set -euo pipefail
cd "$(dirname "$0")/../requirements"

compile=(
  ../.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes
  --no-emit-index-url --no-emit-find-links --no-header --no-annotate "$@"
)
"${compile[@]}" run.in build.in -o run.lock
# What the tests run with is what people run with.
"${compile[@]}" --constraint run.lock test.in build.in -o test.lock

if grep -nE '://|^ *-(-[a-z]*(index|find-links|host)|i |f )' run.lock test.lock; then
  echo 'A lock file names an index or a host; see the lines above.' >&2
  exit 1
fi
