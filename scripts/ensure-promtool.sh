#!/usr/bin/env bash
# Makes sure that the tests of deploy/prometheus find promtool; takes that one program out of Debian's package when it is missing.
# The package itself (a server, its pages) is not installed.
set -euo pipefail

if command -v promtool >/dev/null; then
    exit 0
fi

give_up() {
    printf 'The tests of the alerts need promtool: %s\nInstall Prometheus so that `promtool` is on the PATH, then try again.\n' "$1" >&2
    exit 1
}

command -v apt-get >/dev/null || give_up 'it is not here, and there is no apt-get to fetch it with.'

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || give_up 'it is not here, and installing it takes root or sudo.'
    as_root=(sudo)
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

echo 'promtool is missing; fetching it with apt-get.'
"${as_root[@]}" apt-get update -qq || give_up 'apt-get update failed (see above).'
apt-get download -qq prometheus || give_up 'apt-get download failed (see above).'
dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool || give_up 'it is not in the package.'
"${as_root[@]}" install -m 755 usr/bin/promtool /usr/local/bin/promtool
