#!/usr/bin/env bash
# Run a command as if no Roost were set up here: without any ROOST_* variable,
# and with a data folder of its own that is removed when the command ends.
# Exits with the command's own status.
set -euo pipefail

for name in "${!ROOST_@}"; do
  unset "$name"
done

ROOST_DATA_DIR=$(mktemp -d "${TMPDIR:-/tmp}/roost-alone.XXXXXX")
export ROOST_DATA_DIR
trap 'rm -rf "$ROOST_DATA_DIR"' EXIT

"$@"
