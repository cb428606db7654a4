#!/bin/bash
# SPDX-License-Identifier: MIT
# A small real swarm on loopback: tracker, one seed, three peers. Usage: tools/demo.sh [FOLDER|--trackerless]
set -euo pipefail
cd "$(dirname "$0")/.."
for name in $(compgen -e | grep '^FRESHET_' || true); do unset "$name"; done
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
export no_proxy='*'
python=/usr/bin/python3
[ -x $python ] || python=python3
if [ "${1:-}" = --trackerless ]; then
    exec $python -B tools/demo_trackerless.py build/release/freshet build/demo-trackerless
fi
exec $python -B tools/demo.py build/release/freshet build/demo "${1:-}"
