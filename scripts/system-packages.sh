#!/usr/bin/env bash
# See that the programs the whole suite drives are here: two browsers, PDF tools,
# PostgreSQL's server, Redis and coturn. As root, install with apt-get what is
# missing, starting none of it as a service; otherwise print the line that
# would, and exit 3.
set -euo pipefail

has() { command -v "$1" >/dev/null; }
has_postgresql() { has initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

missing=()
has chromium || missing+=(chromium)
has firefox-esr || missing+=(firefox-esr)
has pdftotext || missing+=(poppler-utils)
has_postgresql || missing+=(postgresql)
has redis-server || missing+=(redis-server)
has turnserver || missing+=(coturn)
has nft || missing+=(nftables)

if ((${#missing[@]} == 0)); then
  exit 0
fi

if ! has apt-get; then
  echo "The suite needs what Debian packages as: ${missing[*]}" >&2
  exit 3
fi
if ((EUID != 0)); then
  echo "The suite needs: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 3
fi

# While policy-rc.d says 101, maintainer scripts start no service.
policy=/usr/sbin/policy-rc.d
kept=$(mktemp -u "$policy.XXXXXX")
[[ -e $policy ]] && mv "$policy" "$kept"
log=$(mktemp)
put_back() {
  rm -f "$policy" "$log"
  if [[ -e $kept ]]; then mv "$kept" "$policy"; fi
}
trap put_back EXIT
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
if ! {
  "${apt[@]}" update
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
} </dev/null >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  echo "apt-get could not install: ${missing[*]}" >&2
  exit 3
fi
