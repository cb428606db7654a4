#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages that a list names and that are missing. Usage: tools/install.sh LIST...
# A line "a|b" means: the first of these that this Debian has; "a|command:c" is content with a command
# c from anywhere (a package from elsewhere is not replaced by Debian's). Services of what is installed do not
# start (a policy-rc.d says no while it runs).
set -euo pipefail
cd "$(dirname "$0")/.."

is_installed() {
    if [[ $1 = command:* ]]; then
        command -v "${1#command:}" >/dev/null
        return
    fi
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# The first alternative that is installed, else the first that apt knows, else the first.
choose() {
    local alternatives candidate
    IFS='|' read -ra alternatives <<<"$1"
    for candidate in "${alternatives[@]}"; do
        if is_installed "$candidate"; then echo "$candidate"; return; fi
    done
    for candidate in "${alternatives[@]}"; do
        [[ $candidate != command:* ]] || continue
        if [ -n "$(apt-cache show "$candidate" 2>/dev/null | head -1)" ]; then echo "$candidate"; return; fi
    done
    echo "${alternatives[0]}"
}

collect_missing() {
    local list line package
    missing=()
    for list in "$@"; do
        while read -r line; do
            line=${line%%#*}
            line=${line//[[:space:]]/}
            [ -n "$line" ] || continue
            package=$(choose "$line")
            is_installed "$package" || missing+=("$package")
        done <"$list"
    done
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This is no Debian; please install what these lists name: $*" >&2
    exit 1
fi
collect_missing "$@"
[ ${#missing[@]} -gt 0 ] || exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Please run as root:  apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    root=(sudo)
fi

guard=${FRESHET_POLICY_GUARD:-/usr/sbin/policy-rc.d}
guard_is_ours=
remove_guard() {
    [ -z "$guard_is_ours" ] || "${root[@]}" rm -f "$guard"
}
trap remove_guard EXIT
if [ ! -e "$guard" ]; then
    printf '#!/bin/sh\n# No service starts while freshet installs packages.\nexit 101\n' |
        "${root[@]}" tee "$guard" >/dev/null
    guard_is_ours=yes
    "${root[@]}" chmod 755 "$guard"
fi

export DEBIAN_FRONTEND=noninteractive
apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0)
"${apt[@]}" update </dev/null
collect_missing "$@" # alternatives may look different now
echo "Installing: ${missing[*]}"
"${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null
