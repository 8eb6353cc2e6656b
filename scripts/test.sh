#!/usr/bin/env bash
# The whole test suite, on a machine that may be new. Ends with "N passed, N failed, N skipped".
#   JOBCODE_ONET_DIR   an O*NET text release; without it the tests that rebuild the default model are skipped
#   JOBCODE_FUZZ_S     seconds for each fuzz target (default 60)
#   JOBCODE_DEPLOY_ROOTFS=1  runs the Dockerfile's steps in a root of their own, too (root, debootstrap, minutes)
#   JOBCODE_SCHEMATHESIS_EXAMPLES  requests that schemathesis makes up for each operation (default 20)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

passed=0 failed=0 skipped=0

# count NAME LOG: adds up meson's closing summary.
count() {
  local n
  for n in 'Ok:' 'Expected Fail:'; do passed=$((passed + $(sum "$n" "$2"))); done
  for n in 'Fail:' 'Unexpected Pass:' 'Timeout:'; do failed=$((failed + $(sum "$n" "$2"))); done
  skipped=$((skipped + $(sum 'Skipped:' "$2")))
}

sum() { awk -v name="$1" 'index($0, name) == 1 { n += substr($0, length(name) + 1) } END { print n + 0 }' "$2"; }

# run NAME FOLDER [MESON TEST OPTION...]
run() {
  local name=$1 folder=$2
  shift 2
  say "testing: $name"
  local log=$folder/test-summary.log
  meson test -C "$folder" --print-errorlogs "$@" 2>&1 | grep -v '^\[[0-9]*/[0-9]*\] ' | tee "$log" || true
  grep -q '^Ok:' "$log" || { say "$name: no test ran"; failed=$((failed + 1)); }
  count "$name" "$log"
}

install_packages "${packages_build[@]}" "${packages_test[@]}"
fetch_weights
install_tools api
install_tools deploy
build build-release -Dtorch=disabled -Dwerror=true
prepare_model build-release

export JOBCODE_WEIGHTS=$PWD/$weights JOBCODE_MODEL=$PWD/$model
export MESON_TESTTHREADS=$(($(nproc) + 1)) # many tests wait more than they compute
run "release" build-release
configure build-torch -Dtorch=enabled -Dwerror=true
run "release, with libtorch" build-torch --suite torch # builds what these need

build build-asan -Dtorch=disabled -Dwerror=true --buildtype=debugoptimized -Db_sanitize=address,undefined
build build-tsan -Dtorch=disabled -Dwerror=true --buildtype=debugoptimized -Db_sanitize=thread
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:suppressions=$PWD/tests/support/tsan.supp
run "address and undefined-behaviour sanitizers" build-asan --suite unit --suite api
run "thread sanitizer" build-tsan --suite threads --suite api

CC=clang CXX=clang++ build build-clang -Dtorch=disabled -Dwerror=true -Dfuzz=true --buildtype=debugoptimized \
  -Db_sanitize=address,undefined -Db_lundef=false
unset MESON_TESTTHREADS # a fuzz target never waits
run "clang: fuzz targets" build-clang --suite fuzz

printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
