#!/bin/sh
# Writes the software bill of materials of what is deployed (CycloneDX 1.5, from uv.lock): FILE.json
set -eu
cd "$(dirname "$0")/.."
out=${1:?a file to write}
mkdir -p "$(dirname "$out")"
uv=.venv/bin/uv
[ -x "$uv" ] || uv=uv
# As for requirements.txt: no command line. The lock names no registry, and so no package URL does.
"$uv" export --quiet --frozen --format cyclonedx1.5 --no-default-groups --prune rich --prune typer 2>/dev/null \
  | sed -E 's#(pkg:pypi/[^"?]+)\?repository_url=[^"]*#\1#' >"$out"
printf '%s: %s packages\n' "$out" "$(grep -c '"purl"' "$out")"
