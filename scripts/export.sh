#!/bin/sh
# Exports the requirements files from uv.lock, into the folder named (default: this project).
#   requirements.txt       what is deployed     requirements-dev.txt   all of it, for work on the project
#   requirements-node.txt  Node from PyPI, only where the system's is too old for Azurite
#   requirements-host.txt  what the worker of Microsoft's Functions host needs, for tests/host alone
#   requirements-fuzz.txt  atheris, only for make fuzz
set -eu
cd "$(dirname "$0")/.."
out=${1:-.}
uv=.venv/bin/uv
[ -x "$uv" ] || uv=uv
export_to() {
  file=$1
  shift
  {
    printf '# Exported from uv.lock by scripts/export.sh; do not edit.\n'
    "$uv" export --quiet --frozen --no-header --no-annotate --no-emit-project "$@"
  } >"$out/$file"
}
# The deployed app has no command line.
export_to requirements.txt --no-default-groups --prune rich --prune typer
export_to requirements-dev.txt --group dev
export_to requirements-node.txt --only-group node
export_to requirements-host.txt --only-group host
export_to requirements-fuzz.txt --only-group fuzz
