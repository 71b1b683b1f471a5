#!/usr/bin/env bash
# Installs, by name, the Debian packages of scripts/packages.txt that are missing. Does nothing where all are there.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
  -h|--help)
    echo "usage: scripts/bootstrap.sh [--check]"
    echo "Installs missing Debian packages (needs root). --check only lists them; exit 1 where some are missing."
    exit 0;;
esac

mapfile -t wanted < <(grep -v '^#' scripts/packages.txt)
missing=()
for package in "${wanted[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "${1:-}" = --check ]; then
  printf 'missing: %s\n' "${missing[*]}"
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "bootstrap: these packages are missing and installing them needs root: ${missing[*]}" >&2
  echo "bootstrap: run: sudo scripts/bootstrap.sh" >&2
  exit 2
fi
started=$SECONDS
echo "bootstrap: installing ${#missing[@]} packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# The daemons of some packages are only wanted as programs: nothing is started.
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$policy"; chmod +x "$policy"; made_policy=1
  trap 'rm -f "$policy"' EXIT
fi
log=$(mktemp)
{ apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 &
apt=$!
trap 'kill $apt 2>/dev/null; wait $apt; exit 130' INT TERM  # a job in the background does not hear of Ctrl-C
last=$SECONDS
while kill -0 $apt 2>/dev/null; do
  sleep 1
  if [ $((SECONDS - last)) -ge 15 ]; then
    last=$SECONDS
    unpacked=$(grep -c '^Setting up' "$log" || true)
    echo "bootstrap: [$((SECONDS - started)) s] ${unpacked} packages set up, with what they need"
  fi
done
if ! wait $apt; then
  tail -20 "$log" >&2
  echo "bootstrap: apt-get failed; the whole log is in $log" >&2
  exit 1
fi
rm -f "$log"
[ -z "$made_policy" ] || rm -f "$policy"
echo "bootstrap: done in $((SECONDS - started)) s"
