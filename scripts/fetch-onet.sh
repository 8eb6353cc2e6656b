#!/usr/bin/env bash
# The O*NET 30.1 text release, as far as the trainer reads it: fetch-onet.sh [--url URL] [FOLDER]
#   FOLDER     where "Occupation Data.txt" and "Alternate Titles.txt" go (default .cache/onet-30.1)
#   --url URL  another place of the zip; file:///... too (default $JOBCODE_ONET_URL, or the O*NET Center's)
# No published SHA-256 of the zip is known to pin, so what is unpacked is judged by its header lines and row counts;
# whoever has one sets JOBCODE_ONET_SHA256, and it is checked.
set -euo pipefail

caller=$PWD
cd "$(dirname "$0")/.."
. scripts/lib.sh

page=https://www.onetcenter.org/database.html
url=${JOBCODE_ONET_URL:-https://www.onetcenter.org/dl_files/database/db_30_1_text.zip}
folder=
while [ $# -gt 0 ]; do
  case $1 in
    --url) url=${2:?--url needs a URL}; shift ;;
    -h | --help) sed -n '2,6s/^# //p' "$0"; exit 0 ;;
    -*) echo "fetch-onet.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
    *) [ -z "$folder" ] || { echo "fetch-onet.sh: one folder, not '$folder' and '$1'" >&2; exit 2; }; folder=$1 ;;
  esac
  shift
done
folder=${folder%/}
# A folder is meant from where the caller stands.
case $folder in
  '') folder=$cache/onet-30.1 ;;
  /*) ;;
  *) folder=$caller/$folder ;;
esac

occupations='Occupation Data.txt' occupations_header=$'O*NET-SOC Code\tTitle\tDescription'
titles='Alternate Titles.txt' titles_header=$'O*NET-SOC Code\tAlternate Title\tShort Title\tSource(s)'

# check_table FILE HEADER MIN MAX: the first line, and how many rows follow it.
check_table() {
  local header rows
  [ -f "$1" ] || { say "no file '$1'"; return 1; }
  IFS= read -r header <"$1" || true
  [ "${header%$'\r'}" = "$2" ] || { say "'$1' begins with '$header', not with '$2'"; return 1; }
  rows=$(awk 'END { print NR - 1 }' "$1")
  ((rows >= $3 && rows <= $4)) || { say "'$1' has $rows rows, not $3 to $4"; return 1; }
}

check_release() {
  check_table "$1/$occupations" "$occupations_header" 1016 1016 &&
    check_table "$1/$titles" "$titles_header" 50000 1000000
}

# fail WHAT: why, and how to get there by hand.
fail() {
  cat >&2 <<END
fetch-onet.sh: $1
By hand: on a machine that reaches $page, download the database
version 30.1 as "Text" (db_30_1_text.zip) and bring the zip here; then
  scripts/fetch-onet.sh --url "file:///PATH/TO/db_30_1_text.zip"
or unpack it yourself and name its folder wherever an O*NET folder is asked for.
END
  exit 1
}

# Takes the two files out of the zip, whatever folder they stand in there.
unpack() {
  python3 - "$1" "$2" "$occupations" "$titles" <<'END'
import pathlib, sys, zipfile
archive, folder, *names = sys.argv[1:]
try:
    with zipfile.ZipFile(archive) as release:
        for name in names:
            members = [member for member in release.namelist() if member.rpartition("/")[2] == name]
            if len(members) != 1:
                sys.exit(f"the zip has {len(members)} files called '{name}'")
            pathlib.Path(folder, name).write_bytes(release.read(members[0]))
except (zipfile.BadZipFile, OSError) as error:
    sys.exit(f"not a zip of use: {error}")
END
}

if [ -e "$folder" ]; then
  check_release "$folder" && exit 0
  fail "'$folder' is there and is not the O*NET 30.1 text release; it is left as it is. Move it away to fetch it anew"
fi

command -v curl >/dev/null || install_packages curl
mkdir -p "$(dirname "$folder")"
temp=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$temp"' EXIT

say "fetching the O*NET 30.1 text release from $url"
curl --fail --silent --show-error --location --connect-timeout 20 --retry 2 --output "$temp/release.zip" "$url" ||
  fail "cannot fetch $url"
sha256=$(sha256sum <"$temp/release.zip" | cut -d ' ' -f 1)
[ "$sha256" = "${JOBCODE_ONET_SHA256:-$sha256}" ] || fail "the zip's SHA-256 is $sha256, not $JOBCODE_ONET_SHA256"
mkdir "$temp/release"
unpack "$temp/release.zip" "$temp/release" || fail "what came from $url is not the release"
check_release "$temp/release" || fail "what came from $url is not the O*NET 30.1 text release"
mv -T "$temp/release" "$folder"
say "the O*NET 30.1 text release is in $folder"
