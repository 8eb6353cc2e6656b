#!/usr/bin/env bash
# The scripts are clean for shellcheck (77: not installed).
set -eu
command -v shellcheck >/dev/null || { echo "skipped: shellcheck is not installed"; exit 77; }
cd "$1"
shellcheck -x .ci/run scripts/*.sh tests/*/*.sh docker/*.sh deploy/*.in
