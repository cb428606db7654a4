#!/bin/bash
# SPDX-License-Identifier: MIT
# Fuzzing beyond the test run. Usage: tools/fuzz.sh campaign|coverage|planted [TARGET...]
#   campaign  FUZZ_SECONDS (600) a target, two at a time; what is learnt goes into fuzz/corpus/,
#             minimised; ends with 1 when anything was found
#   coverage  line coverage of each target's file by its corpus; at least FUZZ_COVERAGE (85) per cent
#   planted   every target finds the bug that -DFRESHET_PLANTED_BUG=ON plants, within 60 s each
# A target may name its files in comment lines "covers: core/a.c core/b.c", and the longest input
# that makes sense in one "max_len: 4096".
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

# The files whose lines a target should reach: as its line "covers: ..." says, else what it includes
# above core/base.
files_of() {
    local said header
    said=$(sed -n 's/.*covers: *//p' "fuzz/$1.c" | sed 's/ *\*\///' | xargs)
    if [ -n "$said" ]; then
        echo "$said"
        return
    fi
    while read -r header; do
        case $header in core/base/*) continue ;; esac
        if [ -f "${header%.h}.c" ]; then echo "${header%.h}.c"; fi
    done < <(sed -n 's/^#include "\(core\/.*\.h\)"/\1/p' "fuzz/$1.c") | xargs
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

coverage() {
    local target profile percent files failed=0
    tools/build.sh coverage "${targets[@]}"
    for target in "${targets[@]}"; do
        profile=build/coverage/$target
        read -ra files <<<"$(files_of "$target")"
        LLVM_PROFILE_FILE=$profile.profraw build/coverage/fuzz/"$target" -runs=0 \
            "$(corpus_of "$target")" >"$profile.log" 2>&1
        llvm-profdata merge -sparse "$profile.profraw" -o "$profile.profdata"
        percent=$(llvm-cov export -summary-only -instr-profile="$profile.profdata" \
            build/coverage/fuzz/"$target" | python3 -c '
import json, os, sys
files = [os.path.realpath(name) for name in sys.argv[1:]]
seen = count = covered = 0
for entry in json.load(sys.stdin)["data"][0]["files"]:
    if os.path.realpath(os.path.join("build/coverage", entry["filename"])) in files:
        lines = entry["summary"]["lines"]
        seen, count, covered = seen + 1, count + lines["count"], covered + lines["covered"]
print("%.1f" % (100 * covered / count) if count and seen == len(files) else "0")' "${files[@]}")
        echo "$target: $percent % of the lines of ${files[*]}"
        if python3 -c "import sys; sys.exit(not float('$percent') < $least)"; then
            echo "$target: below $least %"
            failed=1
        fi
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
