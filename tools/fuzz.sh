#!/bin/bash
# SPDX-License-Identifier: MIT
# Fuzzing beyond the test run. Usage: tools/fuzz.sh campaign|coverage|planted [TARGET...]
#   campaign  FUZZ_SECONDS (600) a target, two at a time; what is learnt goes into fuzz/corpus/,
#             minimised; ends with 1 when anything was found
#   coverage  line coverage of each of a target's files by its corpus, each judged by itself; at
#             least FUZZ_COVERAGE (85) per cent
#   planted   every target finds the bug that -DFRESHET_PLANTED_BUG=ON plants, within 60 s each
# A target names its files above its first #include, behind "covers:", and the longest input that
# makes sense, if there is one, behind "max_len:".
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-600}
least=${FUZZ_COVERAGE:-85}
mode=${1:-campaign}
shift || true
export ASAN_OPTIONS=abort_on_error=1:allocator_may_return_null=1:detect_leaks=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
if [ $# -gt 0 ]; then
    targets=("${@/%/_fuzz}")
    targets=("${targets[@]/%_fuzz_fuzz/_fuzz}")
else
    targets=()
    for source in fuzz/*_fuzz.c; do targets+=("$(basename "$source" .c)"); done
fi

corpus_of() {
    echo "fuzz/corpus/${1%_fuzz}"
}

dictionary_of() {
    local file=fuzz/${1%_fuzz}.dict
    [ ! -f "$file" ] || echo "-dict=$file"
}

length_of() {
    sed -n 's/.*max_len: *\([0-9]*\).*/-max_len=\1/p' "fuzz/$1.c" | head -1
}

# The files whose lines a target should reach.
files_of() {
    sed '/^#include/,$d' "fuzz/$1.c" | sed -n '/covers:/,$p' | grep -oE 'core/[a-z0-9_/]+\.c' || true
}

campaign_one() {
    local target=$1 corpus fresh log
    corpus=$(corpus_of "$target")
    fresh=build/fuzz/grown/$target
    log=build/fuzz/$target.log
    rm -rf "$fresh"
    mkdir -p "$fresh" build/fuzz/artifacts "$corpus"
    # shellcheck disable=SC2046
    if ! build/fuzz/fuzz/"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="build/fuzz/artifacts/$target-" \
        $(dictionary_of "$target") $(length_of "$target") "$fresh" "$corpus" >"$log" 2>&1; then
        echo "$target: FOUND SOMETHING"
        tail -30 "$log"
        return 1
    fi
    # Merging adds only what reaches code that the corpus does not reach yet.
    build/fuzz/fuzz/"$target" -merge=1 "$corpus" "$fresh" >"$log.merge" 2>&1
    echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs, nothing found," \
        "$(find "$corpus" -type f | wc -l) inputs kept"
}

campaign() {
    tools/build.sh fuzz "${targets[@]}"
    export -f campaign_one corpus_of dictionary_of length_of
    export seconds
    printf '%s\n' "${targets[@]}" | xargs -P 2 -I{} bash -c 'campaign_one {}'
}

# Lines "PER-CENT FILE" of what a target's profile says; 0 for a file that it knows nothing of.
coverage_of_files() {
    llvm-cov export -summary-only -instr-profile="$1.profdata" "build/coverage/fuzz/$2" | python3 -c '
import json, os, sys
found = {}
for entry in json.load(sys.stdin)["data"][0]["files"]:
    path = os.path.realpath(os.path.join("build/coverage", entry["filename"]))
    found[path] = entry["summary"]["lines"]
for name in sys.argv[1:]:
    lines = found.get(os.path.realpath(name), {"count": 0})
    print("%.1f" % (100 * lines["covered"] / lines["count"] if lines["count"] else 0), name)
' "${@:3}"
}

coverage() {
    local target profile percent file files failed=0
    tools/build.sh coverage "${targets[@]}"
    for target in "${targets[@]}"; do
        profile=build/coverage/$target
        mapfile -t files < <(files_of "$target")
        if [ ${#files[@]} -eq 0 ]; then
            echo "$target: names no file that it covers"
            failed=1
            continue
        fi
        LLVM_PROFILE_FILE=$profile.profraw build/coverage/fuzz/"$target" -runs=0 \
            "$(corpus_of "$target")" >"$profile.log" 2>&1
        llvm-profdata merge -sparse "$profile.profraw" -o "$profile.profdata"
        while read -r percent file; do
            echo "$target: $percent % of the lines of $file"
            if python3 -c "import sys; sys.exit(not float('$percent') < $least)"; then
                echo "$target: $file is below $least %"
                failed=1
            fi
        done < <(coverage_of_files "$profile" "$target" "${files[@]}")
    done
    return $failed
}

planted() {
    local target folder failed=0
    export ASAN_OPTIONS=${ASAN_OPTIONS/abort_on_error=1/abort_on_error=0}
    folder=build/planted
    if ! { cmake --preset fuzz -B $folder -DFRESHET_PLANTED_BUG=ON &&
        cmake --build $folder -- "${targets[@]}"; } >build/planted.log 2>&1; then
        tail -40 build/planted.log
        return 1
    fi
    mkdir -p $folder/artifacts
    for target in "${targets[@]}"; do
        rm -rf "$folder/grown" && mkdir -p "$folder/grown"
        # shellcheck disable=SC2046
        if build/planted/fuzz/"$target" -max_total_time=60 -timeout=10 -rss_limit_mb=2048 \
            -artifact_prefix="$folder/artifacts/$target-" $(dictionary_of "$target") \
            $(length_of "$target") "$folder/grown" "$(corpus_of "$target")" \
            >"$folder/$target.log" 2>&1; then
            echo "$target: did not find the planted bug in 60 s"
            failed=1
        else
            echo "$target: found it ($(grep -m1 -oE 'ERROR: [A-Za-z]+: [a-zA-Z-]+|runtime error: .*|internal check failed: .*' "$folder/$target.log" | head -1))"
        fi
    done
    return $failed
}

case $mode in
campaign | coverage | planted) "$mode" ;;
*)
    echo "usage: tools/fuzz.sh campaign|coverage|planted [TARGET...]" >&2
    exit 2
    ;;
esac
