#!/bin/sh
# Is the policy a good one, and will the app have it? azd runs it before each deployment.
#   LANYARD_POLICY    the policy: a file, a folder, the address of a blob (default: lanyard.yaml)
set -eu
cd "$(dirname "$0")/.."
. scripts/policy.sh
"${LANYARD:-.venv/bin/lanyard}" validate "$policy"
case ${LANYARD_POLICY:-} in
https://*) ;;
*) "${PYTHON:-.venv/bin/python}" scripts/package.py --holds "$policy" ;;
esac
