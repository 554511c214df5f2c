#!/usr/bin/env bash
# Makes sure that the tests of deploy/nginx.conf find nginx; installs Debian's package when it is missing.
# The tests start nginx themselves, so Debian's service is never started.
set -euo pipefail

is_here() {
    command -v nginx >/dev/null || [ -x /usr/sbin/nginx ]
}

if is_here; then
    exit 0
fi

give_up() {
    printf 'The tests behind a proxy need nginx: %s\nInstall it so that `nginx` is on the PATH, then try again.\n' "$1" >&2
    exit 1
}

command -v apt-get >/dev/null || give_up 'it is not here, and there is no apt-get to install it with.'

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || give_up 'it is not here, and installing it takes root or sudo.'
    as_root=(sudo)
fi

# Debian starts a service as soon as it is installed, unless this program says no; where there is one already, it stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    "${as_root[@]}" sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi

echo 'nginx is missing; installing it with apt-get.'
"${as_root[@]}" apt-get update -qq || give_up 'apt-get update failed (see above).'
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light \
    || give_up 'apt-get install failed (see above).'
is_here || give_up 'it was installed, but nginx is not where Debian puts it.'
