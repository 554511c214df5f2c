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

needs='The tests behind a proxy need nginx'
install_it='Install it so that `nginx` is on the PATH'
. "$(dirname "$0")/debian.sh"

begin_to_install nginx
# Debian starts a service as soon as it is installed, unless this program says no; where there is one already, it stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    "${as_root[@]}" sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
install_packages nginx-light
is_here || give_up 'it was installed, but nginx is not where Debian puts it.'
