#!/usr/bin/env bash
# Makes sure that the tests of deploy/*.service find systemd-analyze; installs Debian's package when it is missing.
# Nothing of it is started: the tests only have units read.
set -euo pipefail

if command -v systemd-analyze >/dev/null; then
    exit 0
fi

needs='The tests of the systemd units need systemd-analyze'
install_it='Install it so that it is on the PATH'
. "$(dirname "$0")/debian.sh"

begin_to_install systemd-analyze
install_packages systemd
