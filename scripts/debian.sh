# What the scripts named ensure-… share; to be sourced. `needs` says what for, and `install_it` how to be helped by hand.

give_up() {
    printf '%s: %s\n%s, then try again.\n' "$needs" "$1" "$install_it" >&2
    exit 1
}

# Begins to install something: finds out how to become root, and fetches the list of packages.
begin_to_install() {
    command -v apt-get >/dev/null || give_up 'it is not here, and there is no apt-get to install it with.'
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || give_up 'it is not here, and installing it takes root or sudo.'
        as_root=(sudo)
    fi
    echo "$1 is missing; installing it with apt-get."
    "${as_root[@]}" apt-get update -qq || give_up 'apt-get update failed (see above).'
}

install_packages() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
        || give_up 'apt-get install failed (see above).'
}
