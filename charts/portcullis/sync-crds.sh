#!/usr/bin/env bash
# Copies crds/ into the chart: Helm reads no file outside it. The source is crds/, never the copy.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(cd "$here/../../crds" && pwd)
copy_dir=$here/files/crds

case ${1:-} in
  '')
    mkdir -p "$copy_dir"
    rm -f "$copy_dir"/*.yaml
    cp "$source_dir"/*.yaml "$copy_dir"/
    ;;
  --check)
    if ! diff -ru "$source_dir" "$copy_dir"; then
      echo 'the chart holds other CRDs than crds/: run charts/portcullis/sync-crds.sh' >&2
      exit 1
    fi
    ;;
  *)
    echo 'Usage: charts/portcullis/sync-crds.sh [--check]' >&2
    exit 2
    ;;
esac
