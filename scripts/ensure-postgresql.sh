#!/usr/bin/env bash
# Makes sure that the database tests find PostgreSQL's programs; installs Debian's package when they are missing.
# The tests start servers of their own, so none is left running here, and no cluster is made.
set -euo pipefail

is_here() {
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

if is_here; then
    exit 0
fi

give_up() {
    printf 'The database tests need PostgreSQL: %s\nInstall it so that `initdb` is on the PATH, then try again.\n' "$1" >&2
    exit 1
}

command -v apt-get >/dev/null || give_up 'it is not here, and there is no apt-get to install it with.'

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || give_up 'it is not here, and installing it takes root or sudo.'
    as_root=(sudo)
fi

echo 'PostgreSQL is missing; installing it with apt-get.'
"${as_root[@]}" apt-get update -qq || give_up 'apt-get update failed (see above).'
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-common \
    || give_up 'apt-get install failed (see above).'
# Debian's package would make a cluster and start it; this setting of postgresql-common says not to.
"${as_root[@]}" sed -i -E "s/^#?create_main_cluster.*/create_main_cluster = false/" /etc/postgresql-common/createcluster.conf
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql \
    || give_up 'apt-get install failed (see above).'
is_here || give_up 'it was installed, but initdb is not where Debian puts it.'
