#!/usr/bin/env bash
# Stops the control plane that up.sh started in a directory. Running it again changes nothing.
set -euo pipefail

# What etcd and kube-apiserver need to stop by themselves; after it they are killed.
readonly patience=10

usage() {
  cat <<'EOF'
Usage: tests/controlplane/down.sh DIR

Stops the control plane that up.sh started in DIR: TERM first, KILL after 10 s.
Logs, keys and etcd's data stay in DIR. Does nothing when nothing runs.

Examples:
  tests/controlplane/down.sh /tmp/cp
  tests/controlplane/down.sh /tmp/cp && rm -rf /tmp/cp
EOF
}

case ${1:-} in
  -h | --help)
    usage
    exit 0
    ;;
  '' | -*)
    usage >&2
    exit 2
    ;;
esac
(($# == 1)) || { usage >&2; exit 2; }

dir=$(realpath -m -- "$1")
[[ -d $dir/run ]] || exit 0

# runs PID STARTED: a number may have been given to somebody else since, hence the start time. What
# has ended and was not waited for yet (a zombie) does not run.
runs() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -ra stat <<<"${stat##*) }" # from the third field on: the name before may hold spaces
  [[ ${stat[0]} != Z && ${stat[19]} == "$2" ]]
}

# Clients before servers, so that nobody logs the loss of the one it talks to.
for name in kube-controller-manager kube-apiserver etcd; do
  pid_file=$dir/run/$name.pid
  read -r pid started 2>/dev/null <"$pid_file" || continue
  if runs "$pid" "$started"; then
    kill -TERM "$pid" 2>/dev/null || true
    for ((i = 0; i < patience * 20; ++i)); do
      runs "$pid" "$started" || break
      sleep 0.05
    done
    if runs "$pid" "$started"; then
      printf 'control plane: %s (pid %s) ignored TERM; killing it\n' "$name" "$pid" >&2
      kill -KILL "$pid" 2>/dev/null || true
      while runs "$pid" "$started"; do sleep 0.05; done # its ports are free only then
    fi
  fi
  rm -f "$pid_file"
done
rm -f "$dir/env" # it says what is running
