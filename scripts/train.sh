#!/usr/bin/env bash
# From labelled postings to a model that serves: train.sh [--config FILE] [--set KEY=VALUE]... [--once] [--port N]
#   --config FILE    default config/postings.yaml: the sample of the repository
#   --set KEY=VALUE  overrides a key of it, e.g. --set postings.0.path=/data/mine.csv; a relative path begins at the
#                    repository's root
#   --once           prints a first classification and ends
#   --port N         listens on 127.0.0.1:N (default 8080)
# Compares the methods on held-out rows, publishes the configured one where it is no worse than the model in place, and
# serves it. Where the new model is worse the exit status is 3, and nothing is served. The methods' comparison is also a
# page; the last lines say where.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

config=config/postings.yaml
sets=()
once=false
port=8080
while [ $# -gt 0 ]; do
  case $1 in
    --config) config=${2:?--config needs a file}; shift ;;
    --set) sets+=(--set "${2:?--set needs KEY=VALUE}"); shift ;;
    --once) once=true ;;
    --port) port=${2:?--port needs a number}; shift ;;
    -h | --help) sed -n '2,10s/^# //p' "$0"; exit 0 ;;
    *) echo "train.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
  esac
  shift
done

install_packages "${packages_build[@]}"
fetch_weights
build build -Dtorch=disabled
train=build/src/trainer/jobcode-train

# run_train COMMAND [OPTION...]: what it prints is shown, and kept in $said.
run_train() {
  local status=0
  said=$("$train" "$1" --config "$config" "${sets[@]}" "${@:2}") || status=$?
  printf '%s\n' "$said"
  return "$status"
}

say "comparing the methods on rows held out"
run_train evaluate
report=$(sed -n 's/^report: //p' <<<"$said")
say "fitting and publishing"
run_train fit --set report= # the comparison's page stays
published=$(sed -n 's/^published: //p' <<<"$said")
say "published $published${report:+; the comparison of the methods is $report}"
serve build "$published" "$port" "$once"
