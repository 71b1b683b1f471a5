#!/usr/bin/env bash
# Builds the verifiers that others wrote into a cache outside the clone and prints, as the only lines on standard
# output, the programs of Go and of Rust. docs/development/differential.md says what they are for.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
# The Go release that go.mod asks for, and the Rust release that the crates do.
readonly min_go_minor=26 min_rust_minor=85

die() {
  printf 'differential: error: %s\n' "$*" >&2
  exit 1
}

command -v go >/dev/null || die "no 'go' on PATH; Go 1.$min_go_minor or newer builds go-sev-guest and go-tdx-guest"
command -v cargo >/dev/null || die "no 'cargo' on PATH; Rust 1.$min_rust_minor or newer builds sev and dcap-qvl"
# local: the Go on PATH, or a clear refusal; never another one fetched in silence.
unset GOOS GOARCH
export GOFLAGS='' GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=0
go_version=$(cd / && go env GOVERSION)
# is_release PATTERN MINOR TEXT: TEXT names release 1.N, N at least MINOR.
is_release() { [[ $3 =~ $1([0-9]+) ]] && ((BASH_REMATCH[1] >= $2)); }
is_release '^go1\.' "$min_go_minor" "$go_version" ||
  die "Go 1.$min_go_minor or newer is needed; $(command -v go) is $go_version"
rust_version=$(cargo --version)
is_release '^cargo 1\.' "$min_rust_minor" "$rust_version" ||
  die "Rust 1.$min_rust_minor or newer is needed; $(command -v cargo) is $rust_version"

cache=${PORTCULLIS_CACHE:-${XDG_CACHE_HOME:-${HOME:?set HOME or PORTCULLIS_CACHE}/.cache}/portcullis}
[[ $cache == /* ]] || cache=$PWD/$cache
# Programs are kept by what they are made of; dependencies that were compiled once are kept for all.
key=$({
  printf '%s\n%s\n' "$go_version" "$rust_version"
  cd "$here" && sha256sum go/* rust/Cargo.toml rust/Cargo.lock rust/src/*
} | sha256sum | cut -d' ' -f1)
target=$cache/differential/$key
mkdir -p "$target"
exec {lock}>"$cache/differential/lock"
flock "$lock"

# made PROGRAM COMMAND...: COMMAND writes $target/new; a program appears only whole.
made() {
  [[ -x $target/$1 ]] && return
  printf 'differential: building %s\n' "$1" >&2
  "${@:2}" >"$target/$1.log" 2>&1 || {
    # Without the addresses that the clients' messages carry.
    tail -n 20 "$target/$1.log" | sed -E 's#https?://[^/[:space:]"]+#(registry)#g' >&2
    die "$1 did not build ($target/$1.log)"
  }
  mv -f "$target/new" "$target/$1"
}
build_go() { go -C "$here/go" build -mod=readonly -buildvcs=false -trimpath -o "$target/new" .; }
build_rust() {
  cargo build --release --locked --manifest-path "$here/rust/Cargo.toml" \
    --target-dir "$cache/differential/rust-target" &&
    cp "$cache/differential/rust-target/release/foreign-verdicts" "$target/new"
}
made foreign-verdicts-go build_go
made foreign-verdicts-rust build_rust
printf '%s\n' "$target/foreign-verdicts-go" "$target/foreign-verdicts-rust"
