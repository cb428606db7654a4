#!/bin/bash
# SPDX-License-Identifier: MIT
# Configures and builds one CMake preset, quietly unless it fails. Usage: tools/build.sh PRESET
# [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
log=build/$preset.log
mkdir -p build
if command -v ccache >/dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER=${CMAKE_C_COMPILER_LAUNCHER-ccache}
fi
echo "Building ($preset) ..."
if ! { cmake --preset "$preset" -Wno-dev && cmake --build "build/$preset" -- "$@"; } >"$log" 2>&1; then
    grep -E -A8 'error|FAILED|Error' "$log" | head -80 >&2 || true
    echo "The $preset build failed; all of it is in $log" >&2
    exit 1
fi
grep -E -A4 'warning:' "$log" | head -40 >&2 || true
