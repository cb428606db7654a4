#!/bin/bash
# SPDX-License-Identifier: MIT
# Fuzzing beyond the test run. Usage: tools/fuzz.sh campaign|coverage|planted [TARGET...]
#                                    tools/fuzz.sh judge TARGET LOG
#   campaign  FUZZ_SECONDS (600) a target, two at a time; what is learnt goes into fuzz/corpus/,
#             minimised; ends with 1 when anything was found
#   coverage  line coverage of each of a target's files by its corpus, each judged by itself; at
#             least FUZZ_COVERAGE (85) per cent
#   planted   every target finds the bug that -DFRESHET_PLANTED_BUG=ON plants, within 60 s each
#   judge     does a log show the planted bug of that target, and not something else?
# A target says above its first #include which files are its own, behind "covers:"; in which one a
# bug is planted, behind "planted:"; what shows that bug, behind "finds:" (texts with " :: " between
# them, all of which the first report must have); and, if there is one, the longest input that makes
# sense, behind "max_len:".
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-600}
least=${FUZZ_COVERAGE:-85}
mode=${1:-campaign}
shift || true
log=
if [ "$mode" = judge ] && [ $# -eq 2 ]; then
    log=$2
    set -- "$1"
fi
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
    sed '/^#include/,$d' "fuzz/$1.c" | sed -n '/covers:/,$p' | grep -oE '(core|services)/[a-z0-9_/]+\.c' || true
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

# What a log says first: a failed check, or a sanitizer's words and its stack up to an empty line.
first_report() {
    sed -n '/internal check failed:/{p;q}
        /ERROR: [A-Za-z]*Sanitizer:\|runtime error:/,/^ *$/p' "$1" | sed '/^ *$/q'
}

judge() {
    local target=$1 report said part rest
    report=$(first_report "$2")
    said=$(sed '/^#include/,$d' "fuzz/$target.c" | sed -n 's/.*finds: *//p' | sed 's/ *\*\/$//')
    if [ -z "$said" ]; then
        echo "$target: does not say what it finds"
        return 1
    fi
    rest="$said :: "
    while [ -n "$rest" ]; do
        part=${rest%% :: *}
        rest=${rest#*" :: "}
        if [[ $report != *"$part"* ]]; then
            echo "$target: did not find the planted bug, no \"$part\" in:" \
                "$(head -3 <<<"${report:-nothing found}")"
            return 1
        fi
    done
    echo "$target: found it ($said)"
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
        build/planted/fuzz/"$target" -max_total_time=60 -timeout=10 -rss_limit_mb=2048 \
            -artifact_prefix="$folder/artifacts/$target-" $(dictionary_of "$target") \
            $(length_of "$target") "$folder/grown" "$(corpus_of "$target")" \
            >"$folder/$target.log" 2>&1 || true
        judge "$target" "$folder/$target.log" || failed=1
    done
    return $failed
}

case $mode in
campaign | coverage | planted) "$mode" ;;
judge) judge "${targets[0]}" "${log:?a log to judge}" ;;
*)
    echo "usage: tools/fuzz.sh campaign|coverage|planted [TARGET...] | judge TARGET LOG" >&2
    exit 2
    ;;
esac
