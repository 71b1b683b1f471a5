#!/usr/bin/env bash
# Builds the programs of the test control plane from Go modules into a cache outside the clone.
# docs/development/control-plane.md says why there are three modules and what a build costs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here

# The Go release that the newest of the three modules asks for.
readonly min_go_minor=26
# A download that has said nothing final after this long has timed out. What arrived is kept.
readonly download_limit=900
readonly download_tries=4
readonly build_limit=7200
readonly heartbeat=30

usage() {
  cat <<'EOF'
Usage: tests/controlplane/build.sh [--print-dir]

Builds kube-apiserver, kube-controller-manager, kubectl, etcd and helm from Go
modules and prints, as the only line on standard output, the directory that
holds them. Progress goes to standard error. A second run finds them built.

Options:
  --print-dir   print that directory without building anything
  -h, --help    show this help

Environment:
  PORTCULLIS_CACHE   where builds are kept
                     (default: ${XDG_CACHE_HOME:-$HOME/.cache}/portcullis)

Needs Go 1.26 or newer, flock and, for a first build, about 6 GB of disk.

Examples:
  tests/controlplane/build.sh
  bin=$(tests/controlplane/build.sh) && "$bin/kubectl" version --client
  PORTCULLIS_CACHE=/var/cache/portcullis tests/controlplane/build.sh
EOF
}

bold='' red='' green='' reset=''
if [[ -t 2 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' reset=$'\e[0m'
fi
say() { printf '%scontrol plane:%s %s\n' "$bold" "$reset" "$*" >&2; }
die() {
  printf '%scontrol plane: error:%s %s\n' "$red" "$reset" "$*" >&2
  exit 1
}

print_dir_only=false
case ${1:-} in
  '') ;;
  --print-dir) print_dir_only=true ;;
  -h | --help)
    usage
    exit 0
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac
(($# <= 1)) || { usage >&2; exit 2; }

# What a build depends on is written here and in the modules, not in the caller's settings.
# GOTOOLCHAIN=local: the Go on PATH, or a clear refusal; never another one fetched in silence.
unset GOOS GOARCH
export GOFLAGS='' GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=0

command -v go >/dev/null || die "no 'go' on PATH; Go 1.$min_go_minor or newer builds the control plane"
go_version=$(cd / && go env GOVERSION GOOS GOARCH | paste -sd' ')
if ! [[ $go_version =~ ^(devel )?go1\.([0-9]+) ]] || ((BASH_REMATCH[2] < min_go_minor)); then
  die "Go 1.$min_go_minor or newer builds the control plane; $(command -v go) is ${go_version%% *}"
fi

# required_version MODULE_DIR MODULE: the version that MODULE_DIR/go.mod requires.
required_version() {
  awk -v module="$2" '$1 == "require" { sub(/^require /, "") } $1 == module { print $2; exit }' \
    "$here/$1/go.mod"
}

kube_version=$(required_version kube k8s.io/kubernetes)
helm_version=$(required_version helm helm.sh/helm/v4)
[[ $kube_version =~ ^v([0-9]+)\.([0-9]+)\. ]] || die "kube/go.mod requires no k8s.io/kubernetes"
kube_major=${BASH_REMATCH[1]} kube_minor=${BASH_REMATCH[2]}

# Without these kube-apiserver calls itself v0.0.0-master, and Helm and kubectl compare versions.
kube_ldflags='-s -w'
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  kube_ldflags+=" -X $package.gitVersion=$kube_version"
  kube_ldflags+=" -X $package.gitMajor=$kube_major -X $package.gitMinor=$kube_minor"
  kube_ldflags+=" -X $package.gitCommit=go-module -X $package.gitTreeState=clean"
  kube_ldflags+=" -X $package.buildDate=1970-01-01T00:00:00Z"
done

readonly components=(etcd kube helm) # the quickest to fail comes first
declare -A packages=(
  [etcd]='go.etcd.io/etcd/server/v3'
  [kube]='k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager k8s.io/kubernetes/cmd/kubectl'
  [helm]='helm.sh/helm/v4/cmd/helm'
)
# The programs, in the order of the packages: etcd's package would else make a program "server".
declare -A programs=(
  [etcd]='etcd'
  [kube]='kube-apiserver kube-controller-manager kubectl'
  [helm]='helm'
)
declare -A ldflags=(
  [etcd]='-s -w'
  [kube]=$kube_ldflags
  [helm]="-s -w -X helm.sh/helm/v4/internal/version.version=$helm_version"
)

content_key() {
  {
    printf '%s\n' "$go_version"
    for c in "${components[@]}"; do
      printf '%s %s %s\n' "$c" "${packages[$c]}" "${ldflags[$c]}"
      cat "$here/$c/go.mod" "$here/$c/go.sum"
    done
  } | sha256sum | cut -d' ' -f1
}

cache=${PORTCULLIS_CACHE:-${XDG_CACHE_HOME:-${HOME:?set HOME or PORTCULLIS_CACHE}/.cache}/portcullis}
[[ $cache == /* ]] || cache=$PWD/$cache
root=$cache/controlplane
target=$root/$(content_key)
bin=$target/bin

if $print_dir_only; then
  printf '%s\n' "$bin"
  exit 0
fi

# is_built COMPONENT: programs only ever appear in bin/ whole, by rename.
is_built() {
  local program
  for program in ${programs[$1]}; do
    [[ -x $bin/$program ]] || return 1
  done
}
all_built() {
  local c
  for c in "${components[@]}"; do is_built "$c" || return 1; done
}

if all_built; then
  printf '%s\n' "$bin"
  exit 0
fi

mkdir -p "$target" || die "cannot create $target; set PORTCULLIS_CACHE to a directory you may write"
exec {lock}>"$root/lock"
if ! flock --nonblock "$lock"; then
  say "another build is running; waiting for it"
  flock "$lock"
fi

mkdir -p "$bin" "$target/log"
rm -rf "$target"/build.* # left by a build that was killed: the lock is ours, so nobody uses them

child=''
work=''
# shellcheck disable=SC2329  # called by the traps below
clean_up() {
  # The child is timeout(1), which leads a process group and passes the signal on to all of it.
  if [[ -n $child ]] && kill -TERM "$child" 2>/dev/null; then wait "$child" 2>/dev/null || true; fi
  [[ -z $work ]] || rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# run_watched LABEL UNIT LOG SECONDS COMMAND...: runs COMMAND, all it says going to LOG (a line for
# each UNIT done), with a sign of life on standard error every $heartbeat seconds. Returns COMMAND's
# status; 124 when time ran out.
run_watched() {
  local label=$1 unit=$2 log=$3 limit=$4 since=$SECONDS last=$SECONDS
  shift 4
  timeout --kill-after=10 "$limit" "$@" >"$log" 2>&1 </dev/null {lock}>&- &
  child=$!
  while kill -0 "$child" 2>/dev/null; do
    sleep 1
    if ((SECONDS - last >= heartbeat)); then
      last=$SECONDS
      say "$label, $((SECONDS - since)) s, $(wc -l <"$log") $unit"
    fi
  done
  local status=0
  wait "$child" || status=$?
  child=''
  return "$status"
}

# show_log FILE: the end of FILE without the addresses that Go's messages carry; they say where this
# machine gets its modules from and would otherwise end up in other people's build logs.
show_log() {
  tail -n 20 "$1" | sed -E \
    -e 's#https?://[^/[:space:]"]+#(module proxy)#g' \
    -e 's#(lookup) [^[:space:]:]+( on [^[:space:]]+)?#\1 (module proxy)#g' \
    -e 's#(dial|read|write) tcp [^ ]+(->[^ ]+)?#\1 tcp (address)#g' >&2
}

# Only silence is worth another try: a refusal (404, 410, checksum mismatch, connection refused)
# would be the same the next time.
timed_out() { # STATUS LOG
  (($1 == 124)) || grep -qiE \
    'i/o timeout|timeout exceeded|deadline exceeded|timed out|handshake timeout|504 Gateway|unexpected EOF|connection reset' \
    "$2"
}

download() { # COMPONENT
  local log=$target/log/$1.download.log status try
  for ((try = 1; ; ++try)); do
    status=0
    # Loading the packages fetches exactly the modules that the build needs.
    # shellcheck disable=SC2086  # a list of packages
    run_watched "$1: fetching" modules "$log" "$download_limit" \
      go -C "$here/$1" list -mod=readonly -deps -f '{{with .Error}}{{.}}{{end}}' ${packages[$1]} || status=$?
    ((status != 0)) || return 0
    if ((try == download_tries)) || ! timed_out "$status" "$log"; then
      show_log "$log"
      die "$1: could not fetch its modules ($log)"
    fi
    say "$1: timed out; try $((try + 1)) of $download_tries in $((try * 5)) s"
    sleep $((try * 5))
  done
}

build() { # COMPONENT
  local log=$target/log/$1.build.log output program
  work=$(mktemp -d "$target/build.XXXXXX")
  # One program is named; several take their names from their packages.
  output=$work/
  [[ ${programs[$1]} == *' '* ]] || output=$work/${programs[$1]}
  # -v writes a line per compiled package, which is what makes the heartbeat show progress.
  # shellcheck disable=SC2086  # a list of packages
  run_watched "$1: compiling" packages "$log" "$build_limit" \
    go -C "$here/$1" build -mod=readonly -buildvcs=false -trimpath -v \
    -ldflags "${ldflags[$1]}" -o "$output" ${packages[$1]} || {
    show_log "$log"
    die "$1: did not build ($log)"
  }
  for program in ${programs[$1]}; do
    mv -f "$work/$program" "$bin/$program"
  done
  rm -rf "$work"
  work=''
}

for component in "${components[@]}"; do
  if is_built "$component"; then
    say "$component: already built"
    continue
  fi
  started=$SECONDS
  say "$component: fetching modules"
  download "$component"
  say "$component: compiling (modules after $((SECONDS - started)) s)"
  build "$component"
  say "$component: ${green}built${reset} in $((SECONDS - started)) s: ${programs[$component]}"
done

say "all built in $SECONDS s"
printf '%s\n' "$bin"
