#!/usr/bin/env bash
# Runs the main job on a throw-away control plane on loopback and cleans up after itself, also when interrupted.
# PORTCULLIS_DEMO_KEEP=1 keeps the folder for a look.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
case "${1:-}" in -h|--help) sed -n 2,3p "$0" | cut -c3-; exit 0;; esac

started=$SECONDS
say() { printf '[demo %4d s] %s\n' $((SECONDS - started)) "$*"; }
say "control plane programs (built from source the first time)"
"$root/tests/controlplane/build.sh" >/dev/null

folder=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-demo.XXXXXX")
memory=$(mktemp -d /dev/shm/portcullis-demo.XXXXXX)
child=
clean() {
  trap - EXIT INT TERM
  [ -z "$child" ] || { kill -TERM "$child" 2>/dev/null || true; wait "$child" 2>/dev/null || true; }
  "$root/tests/controlplane/down.sh" "$folder/control-plane" >/dev/null 2>&1 || true
  rm -rf "$memory"
  if [ "${PORTCULLIS_DEMO_KEEP:-}" = 1 ]; then say "kept: $folder"; else rm -rf "$folder"; fi
}
trap clean EXIT
trap 'say "interrupted, cleaning up"; clean; exit 130' INT
trap 'say "stopped, cleaning up"; clean; exit 143' TERM

PORTCULLIS_SOURCE=$root "$root/build/bin/portcullis-demo" "$folder" "$memory" &
child=$!
status=0
wait "$child" || status=$?
child=
say "finished in $((SECONDS - started)) s"
exit "$status"
