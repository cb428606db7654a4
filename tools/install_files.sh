#!/bin/bash
# SPDX-License-Identifier: MIT
# Puts the built program, its manual pages and completions in place. Usage: install_files.sh
# DESTDIR PREFIX
set -euo pipefail
cd "$(dirname "$0")/.."
DESTDIR=$1 cmake --install build/release --prefix "$2" >build/install.log
echo "Installed $1${2%/}/bin/freshet"
