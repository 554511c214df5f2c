#!/usr/bin/env bash
# Makes what deploy/compose.yaml takes from deploy/secrets: passwords, keys and a token, by chance. What is there already stays.
# Run it as root after `make install`. Compose hands files on as they are, so that each belongs to the user that reads it in its
# container: 10001 (the service, and whoever looks after its database) or 999 (PostgreSQL).
set -euo pipefail
umask 077

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/secrets}
python=${PYTHON:-$here/../.venv/bin/python}

# make NAME COMMAND…: the output of the command becomes the file, whole or not at all.
make() {
    local file=$folder/$1
    shift
    [ -e "$file" ] && return
    "$@" >"$file.partial"
    mv "$file.partial" "$file"
}

# The line of ~/.pgpass of one role: database:5432:DATABASE:ROLE:PASSWORD.
pgpass() {
    printf 'database:5432:myositis_cds:%s:%s\n' "$1" "$(cat "$folder/$2")"
}

jwk_set() {
    "$python" -c '
import json
from joserfc.jwk import ECKey, RSAKey
made = ECKey.generate_key("P-384"), RSAKey.generate_key(3072)
print(json.dumps({"keys": [key.as_dict(private=True) | {"kid": key.thumbprint()} for key in made]}))'
}

mkdir -p "$folder"
for name in owner-password service-password pseudonym-key session-key metrics-token; do
    make "$name" openssl rand -hex 32
done
make pgpass pgpass myositis_cds service-password
make owner-pgpass pgpass myositis_cds_owner owner-password
make smart-key.json jwk_set

if [ "$(id -u)" -eq 0 ]; then
    chown 10001:10001 "$folder"/*
    chown 999:999 "$folder/owner-password"
else
    printf 'Now, as root: chown 10001:10001 %s/* && chown 999:999 %s/owner-password\n' "$folder" "$folder" >&2
fi
