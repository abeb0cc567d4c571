#!/bin/sh
# `make test` five times beside two processes that keep two processors busy; prints each one's time,
# and ends with 1 where one of them failed.
set -eu
cd "$(dirname "$0")/.."
pids=
trap 'kill $pids 2>/dev/null || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
for _ in 1 2; do
    sh -c 'while :; do :; done' &
    pids="$pids $!"
done
failed=0
for run in 1 2 3 4 5; do
    log=".venv/under-load.$run.log"
    if make test >"$log" 2>&1; then verdict=ok; else verdict="failed: see $log"; failed=1; fi
    echo "$run of 5: $verdict; $(grep 'of processor time$' "$log" || echo 'no test began')"
done
exit $failed
