#!/usr/bin/env bash
# Makes sure that the browser tests find `chromium`; installs Debian's package when it is missing.
set -euo pipefail

if command -v chromium >/dev/null; then
    exit 0
fi

needs='The browser tests need Chromium'
install_it='Install it so that `chromium` is on the PATH'
. "$(dirname "$0")/debian.sh"

begin_to_install Chromium
install_packages chromium
