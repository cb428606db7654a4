#!/bin/bash
# SPDX-License-Identifier: MIT
# Manual pages and completions from the program's option table. Usage: generate.sh PROGRAM FOLDER
set -euo pipefail
program=$1
folder=$2
rm -rf "$folder"
mkdir -p "$folder/man" "$folder/completions"
for page in $("$program" man --list); do
    "$program" man "$page" | gzip -9n >"$folder/man/$page.1.gz"
done
for shell in bash zsh fish; do
    "$program" completions "$shell" >"$folder/completions/freshet.$shell"
done
touch "$folder/stamp"
