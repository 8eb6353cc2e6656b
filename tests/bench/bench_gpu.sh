#!/bin/sh
# bench_gpu over the bundle that JOBCODE_MODEL names; skipped without one.
[ -n "${JOBCODE_MODEL:-}" ] || { echo "skipped: JOBCODE_MODEL is not set" >&2; exit 77; }
exec "$1" "$JOBCODE_MODEL" "${JOBCODE_BENCH_SECONDS:-2}"
