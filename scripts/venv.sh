#!/usr/bin/env bash
# Make .venv hold what requirements/<name>.lock says, checked by hash, and the
# `roost` command. Does nothing when that is already so.
# usage: scripts/venv.sh run|test
set -euo pipefail
cd "$(dirname "$0")/.."

name=$1
lock=requirements/$name.lock
stamp=.venv/.installed-$name

# What the environment was made from: this folder (scripts inside it name it),
# the lock, and the file that names the command.
wanted() {
  printf '%s\n' "$PWD"
  cat "$lock" pyproject.toml
}

if [[ -x .venv/bin/python && -f $stamp ]] && cmp -s "$stamp" <(wanted); then
  exit 0
fi

made_elsewhere() {
  local file
  for file in .venv/.installed-*; do
    [[ -f $file && $(head -n 1 "$file") != "$PWD" ]] && return 0
  done
  return 1
}

# The first that can make an environment, or else the first that is new enough. The system's own goes
# first: it is kept secure by the system's updates, and built for speed.
find_python() {
  local candidate found=
  for candidate in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      found=${found:-$candidate}
      if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        found=$candidate
        break
      fi
    fi
  done
  [[ -n $found ]] && echo "$found"
}

if ! .venv/bin/python -c 'import pip' 2>/dev/null || made_elsewhere; then
  if ! python=$(find_python); then
    echo 'Roost needs Python 3.11 or newer: apt-get install python3 python3-venv' >&2
    exit 3
  fi
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "Roost needs the venv module of Python $version: apt-get install python$version-venv" >&2
    exit 3
  fi
  echo "Making the virtual environment in .venv"
  rm -rf .venv
  "$python" -m venv .venv
fi

echo "Installing what $lock names"
rm -f "$stamp"
if command -v uv >/dev/null; then
  install=(uv pip install --quiet --python .venv/bin/python)
else
  install=(.venv/bin/python -m pip install --quiet --disable-pip-version-check)
fi
"${install[@]}" --require-hashes -r "$lock"
"${install[@]}" --no-deps --no-build-isolation -e .
wanted >"$stamp"
