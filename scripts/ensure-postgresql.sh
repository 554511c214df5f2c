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

needs='The database tests need PostgreSQL'
install_it='Install it so that `initdb` is on the PATH'
. "$(dirname "$0")/debian.sh"

begin_to_install PostgreSQL
install_packages postgresql-common
# Debian's package would make a cluster and start it; this setting of postgresql-common says not to.
"${as_root[@]}" sed -i -E "s/^#?create_main_cluster.*/create_main_cluster = false/" /etc/postgresql-common/createcluster.conf
install_packages postgresql
is_here || give_up 'it was installed, but initdb is not where Debian puts it.'
