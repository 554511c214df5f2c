#!/usr/bin/env bash
# Makes sure that the browser tests find `chromium`; installs Debian's package when it is missing.
set -euo pipefail

if command -v chromium >/dev/null; then
    exit 0
fi

give_up() {
    printf 'The browser tests need Chromium: %s\nInstall it so that `chromium` is on the PATH, then try again.\n' "$1" >&2
    exit 1
}

command -v apt-get >/dev/null || give_up 'it is not here, and there is no apt-get to install it with.'

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || give_up 'it is not here, and installing it takes root or sudo.'
    as_root=(sudo)
fi

echo 'Chromium is missing; installing it with apt-get.'
"${as_root[@]}" apt-get update -qq || give_up 'apt-get update failed (see above).'
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium \
    || give_up 'apt-get install failed (see above).'
