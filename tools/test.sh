#!/bin/bash
# SPDX-License-Identifier: MIT
# Every kind of test, in a clean environment; the last line is "N passed, N failed".
# Usage: tools/test.sh [SECTION...] (tools/run_tests.py names them)
set -euo pipefail
cd "$(dirname "$0")/.."
for name in $(compgen -e | grep '^FRESHET_' || true); do unset "$name"; done
# Tests speak to loopback only; a proxy would stand in between.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
export no_proxy='*' LC_ALL=C.UTF-8 TZ=UTC
unset NO_COLOR COLUMNS MAKEFLAGS MFLAGS MAKELEVEL PYTHONPATH PYTHONHOME
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export HOME=$home XDG_CONFIG_HOME=$home/config XDG_STATE_HOME=$home/state
export XDG_CACHE_HOME=${XDG_CACHE_HOME:-$home/cache} XDG_RUNTIME_DIR=$home/run
mkdir -m 700 "$home/run"
# Debian's Python is the one that has Debian's libtorrent and pytest.
python=/usr/bin/python3
[ -x $python ] || python=python3
status=0
$python tools/run_tests.py "$@" || status=$?
exit "$status"
