#!/bin/sh
# Resolves pyproject.toml again: uv.lock, and the requirements files exported from it.
# The lock keeps versions and hashes and drops the addresses of the registry it was made with, so that
# every machine installs from the registry it is configured for (docs/dev/adr/0002-lock-without-addresses.md).
set -eu
cd "$(dirname "$0")/.."
rm -f uv.lock
uv=.venv/bin/uv
[ -x "$uv" ] || uv=uv
"$uv" lock --quiet
sed -i.bak -E \
  -e 's#registry = "[^"]*"#registry = "https://registry.invalid/simple"#' \
  -e 's#url = "[^"]*/([^"/]+)"#filename = "\1"#' uv.lock
rm -f uv.lock.bak
scripts/export.sh
