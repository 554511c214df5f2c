#!/usr/bin/env bash
# Makes sure that the tests of deploy/prometheus find promtool; takes that one program out of Debian's package when it is missing.
# The package itself (a server, its pages) is not installed.
set -euo pipefail

if command -v promtool >/dev/null; then
    exit 0
fi

needs='The tests of the alerts need promtool'
install_it='Install Prometheus so that `promtool` is on the PATH'
. "$(dirname "$0")/debian.sh"

begin_to_install promtool
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq prometheus || give_up 'apt-get download failed (see above).'
dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool || give_up 'it is not in the package.'
"${as_root[@]}" install -m 755 usr/bin/promtool /usr/local/bin/promtool
