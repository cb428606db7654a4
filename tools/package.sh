#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes the .deb from the release build and says where it is.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf build/package
mkdir -p build/package
if ! (cd build/release && cpack --config CPackConfig.cmake) >build/package.log 2>&1; then
    tail -40 build/package.log >&2
    exit 1
fi
rm -rf build/package/_CPack_Packages
ls build/package/*.deb
