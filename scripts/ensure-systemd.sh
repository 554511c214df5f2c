#!/usr/bin/env bash
# Makes sure that the tests of deploy/*.service find systemd-analyze; installs Debian's package when it is missing.
# Nothing of it is started: the tests only have units read.
set -euo pipefail

is_here() {
    command -v systemd-analyze >/dev/null
}

if is_here; then
    exit 0
fi

give_up() {
    printf 'The tests of the systemd units need systemd-analyze: %s\nInstall it so that it is on the PATH, then try again.\n' "$1" >&2
    exit 1
}

command -v apt-get >/dev/null || give_up 'it is not here, and there is no apt-get to install it with.'

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || give_up 'it is not here, and installing it takes root or sudo.'
    as_root=(sudo)
fi

echo 'systemd-analyze is missing; installing it with apt-get.'
"${as_root[@]}" apt-get update -qq || give_up 'apt-get update failed (see above).'
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends systemd \
    || give_up 'apt-get install failed (see above).'
is_here || give_up 'it was installed, but systemd-analyze is not where Debian puts it.'
