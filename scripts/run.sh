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
build build -Dtorch=disabled
prepare_model build
serve build "$model" "$port" "$once"
