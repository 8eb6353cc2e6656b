#!/usr/bin/env bash
# run.sh TARGET CORPUS [OPTION...]: fuzzes for JOBCODE_FUZZ_S seconds (default 60) from the corpus, which stays as it is.
set -eu
target=$1 corpus=$2
shift 2
found=$(mktemp -d)
trap 'rm -rf "$found" /dev/shm/jobcode-fuzz-*' EXIT
"$target" -max_total_time="${JOBCODE_FUZZ_S:-60}" -artifact_prefix="$found/" -print_final_stats=1 "$@" "$found" "$corpus" ||
  { find "$found" -name '*-*' -exec sh -c 'echo "$1:"; base64 "$1"' _ {} \; ; exit 1; }
