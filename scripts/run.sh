#!/usr/bin/env bash
# From a fresh clone on Debian 12 to a classifier that serves: run.sh [--once] [--port N]
#   --once    prints a first classification and ends
#   --port N  listens on 127.0.0.1:N (default 8080)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

once=false
port=8080
while [ $# -gt 0 ]; do
  case $1 in
    --once) once=true ;;
    --port) port=${2:?--port needs a number}; shift ;;
    -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
  esac
  shift
done

install_packages "${packages_build[@]}"
fetch_weights
build build
prepare_model build
if $once; then port=0; fi

log=$(mktemp)
build/src/server/jobcode-server --config config/server.yaml --set "http.port=$port" 2> >(tee "$log" >&2) &
server=$!
trap 'kill "$server" 2>/dev/null && wait "$server" || true; rm -f "$log"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

until port=$(sed -n 's/.*"event":"listening".*"port":"\([0-9]*\)".*/\1/p' "$log") && [ -n "$port" ]; do
  kill -0 "$server" 2>/dev/null || { wait "$server"; exit 1; }
  sleep 0.05
done
python3 scripts/first.py "http://127.0.0.1:$port"

if ! $once; then
  say "serving on http://127.0.0.1:$port (Ctrl-C ends it)"
  wait "$server"
fi
