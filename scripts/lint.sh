#!/usr/bin/env bash
# Formatting, layers, forbidden calls, shell syntax and clang-tidy; prints what failed and exits 1.
#   scripts/lint.sh              clang-tidy looks at the sources that differ from main's merge base
#   scripts/lint.sh FILE...      clang-tidy looks at these sources
#   scripts/lint.sh --no-tidy    all but clang-tidy: seconds
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
tidy=yes files=()
for argument in "$@"; do
  case "$argument" in
    -h|--help) sed -n '2,5p' "$0" | cut -c3-; exit 0;;
    --no-tidy) tidy=no;;
    -*) echo "scripts/lint.sh: unknown option $argument; see --help" >&2; exit 2;;
    *) files+=("$argument");;
  esac
done
started=$SECONDS failed=()
say() { printf 'lint: [%3d s] %s\n' $((SECONDS - started)) "$*"; }

# step NAME COMMAND...: its output is shown only where it fails.
step() {
  local name=$1 output; shift
  if output=$("$@" 2>&1); then say "$name: ok"; else
    say "$name: FAILED"
    printf '%s\n' "$output" | head -60 | sed 's/^/    /'
    failed+=("$name")
  fi
}

formatting() {
  local bad
  bad=$(git ls-files -z '*.h' '*.cpp' | xargs -0 -P "$(nproc)" -n 16 clang-format-14 --dry-run -Werror 2>&1 |
        grep -oE '^[^: ]+:[0-9]+:[0-9]+: error' | cut -d: -f1 | sort | uniq -c | sort -rn)
  [ -z "$bad" ] || { echo "lines to change, file (make format rewrites them):"; echo "$bad"; return 1; }
}

shell_syntax() {
  local status=0 file
  while IFS= read -r -d '' file; do
    [ "$(head -c 2 "$file")" = '#!' ] && head -1 "$file" | grep -q sh && { bash -n "$file" || status=1; }
  done < <(git ls-files -z '*.sh' .ci)
  return $status
}

python_syntax() {
  git ls-files -z '*.py' | xargs -0 -r python3 -c 'import ast, sys; [ast.parse(open(p).read(), p) for p in sys.argv[1:]]'
}

# Calls that have no place in some folders. Comments don't count; quoted field names of others' files do not either.
forbid() {  # WHY PATTERN PATHSPEC...
  local why=$1 pattern=$2 found; shift 2
  found=$(git grep -nE -e "$pattern" -- "$@" | grep -vE '^[^:]+:[0-9]+: *(//|\*|#)' || true)
  [ -z "$found" ] || { printf '%s\n%s\n' "$why" "$found"; return 1; }
}
forbidden_calls() {
  local status=0 ours=('src/*' 'kbs/*' 'operator/*')
  forbid "certificates are always checked; there is no switch" 'set_validate_certificates|SSL_VERIFY_NONE' "${ours[@]}" || status=1
  forbid "a body is read within limits, not by extract_*()" 'extract_(json|string|vector|utf8string|utf16string)\(' "${ours[@]}" || status=1
  forbid "a continuation that nobody observes ends the process when it throws" '\.then\(' "${ours[@]}" ':!src/http/client_body.h' || status=1
  forbid "OpenSSL stays in src/crypto, TLS in src/http" 'EVP_|openssl/|\bX509_|\bBIO_' "${ours[@]}" ':!src/crypto/*' ':!src/http/*' || status=1
  forbid "in src/http OpenSSL is for TLS alone" 'EVP_' 'src/http/*' || status=1
  forbid "no shell" '\b(system|popen)\(' "${ours[@]}" || status=1
  forbid "bytes are compared by SameBytes or, where secret, in constant time" '\b(memcmp|bcmp)\(' "${ours[@]}" ':!src/crypto/*' || status=1
  forbid "wire bytes go through FixedLayout and ByteReader" 'reinterpret_cast|__attribute__ *\(\(packed' "${ours[@]}" ':!src/crypto/*' ':!src/http/*' || status=1
  # src/kube/backoff.cpp: a pause's jitter needs no secrecy.
  forbid "randomness is a port" '\b(rand|srand|random_device|mt19937(_64)?)\b' "${ours[@]}" ':!src/crypto/*' ':!src/kube/backoff.cpp' || status=1
  forbid "there is no insecure mode; only kubeconfig's field is named, to be refused" '[Ii]nsecure|skip_?[Vv]erify|allow_?[Uu]nverified' \
    "${ours[@]}" ':!src/kube/kubeconfig.*' || status=1
  forbid "no unbounded string functions" '\b(strcpy|strcat|sprintf|gets|strtok|alloca)\(' "${ours[@]}" || status=1
  forbid "a TODO is an issue, not a comment" '\b(TODO|FIXME|XXX)\b' "${ours[@]}" || status=1
  return $status
}

changed_sources() {
  if [ ${#files[@]} -gt 0 ]; then printf '%s\n' "${files[@]}"; return; fi
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null || git rev-parse HEAD)
  { git diff --name-only --diff-filter=d "$base" -- '*.cpp'; git ls-files --others --exclude-standard '*.cpp'; } | sort -u |
    grep -E '^(src|kbs|operator)/' || true
}

clang_tidy() {
  local cache build sources
  sources=$(changed_sources | grep '\.cpp$' || true)
  [ -n "$sources" ] || { echo "no changed sources"; return 0; }
  # The clang preset's commands: g++ has options that clang does not know. Configuring is enough.
  cache=${PORTCULLIS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/portcullis}
  export PORTCULLIS_BUILD_ROOT=${PORTCULLIS_BUILD_ROOT:-$cache/build/$(printf %s "$root" | sha256sum | cut -c1-16)}
  build=$PORTCULLIS_BUILD_ROOT/fuzz
  mkdir -p "$build"
  cmake --preset fuzz >"$build/configure.log" 2>&1 || { tail -5 "$build/configure.log"; return 1; }
  printf '%s\n' "$sources" | xargs -P "$(nproc)" -n 1 clang-tidy-14 -p "$build" --quiet --warnings-as-errors='*' 2>&1 |
    grep -vE '^[0-9]+ warnings? (generated|treated)' | { ! grep -E '(warning|error):'; }
}

step "formatting" formatting
step "layers" python3 tests/layers/layers_test.py "$root"
step "TRY outside braces" python3 tests/base/try_stays_out_of_braces.py src kbs operator tests
step "forbidden calls" forbidden_calls
step "shell syntax" shell_syntax
step "python syntax" python_syntax
if [ "$tidy" = yes ]; then
  say "clang-tidy: $(changed_sources | grep -c '\.cpp$' || true) sources"
  step "clang-tidy" clang_tidy
fi
if [ ${#failed[@]} -gt 0 ]; then
  say "failed: $(IFS=,; echo "${failed[*]}" | sed 's/,/, /g')"
  exit 1
fi
say "nothing to complain about"
