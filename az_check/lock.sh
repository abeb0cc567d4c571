#!/bin/sh
# Resolves requirements.in again, with hashes and without the address of any registry.
set -eu
cd "$(dirname "$0")"
uv=../.venv/bin/uv
[ -x "$uv" ] || uv=uv
{
  printf '# Resolved from requirements.in by az_check/lock.sh; do not edit.\n'
  "$uv" pip compile --quiet --universal --python-version 3.13 --generate-hashes \
    --no-header --no-annotate --no-emit-index-url --no-emit-find-links requirements.in
} >requirements.txt.new
mv requirements.txt.new requirements.txt
