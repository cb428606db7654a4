#!/bin/bash
# SPDX-License-Identifier: MIT
# What takes too long for every test run: the DHT with 10,000 and 50,000 nodes, an hour of each node's
# life simulated; swarms over uTP of thirty and more; a daemon that is killed 5,000 times; one GiB by
# uTP and encrypted, to and from each foreign client.
# Usage: tools/soak.sh [SCENARIO:NODES:SEED|kills:ROUNDS:SEED|gigabyte...]; ends with "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/.."
runs=("$@")
if [ ${#runs[@]} -eq 0 ]; then
    runs=(dht:10000:1 dht:10000:2 dht_churn:10000:1 dht_sybils:10000:1 dht_eclipse:10000:1
        dht:50000:1 kills:5000:1 gigabyte)
    for seed in 11 12 13 14 15; do
        runs+=("utp:40:$seed" "utp_loss:30:$seed" "utp_reorder:30:$seed" "utp_far:30:$seed"
            "utp_mixed:40:$seed" "nat:20:$seed" "holepunch:20:$seed")
    done
fi
passed=0 failed=0
for run in "${runs[@]}"; do
    IFS=: read -r scenario nodes seed <<<"$run"
    if [ "$scenario" = gigabyte ]; then
        echo "== one GiB with foreign clients"
        if FRESHET=$PWD/build/release/freshet /usr/bin/python3 -m pytest -q -s -p no:cacheprovider \
            tests/interop/gigabyte.py; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
        fi
        continue
    fi
    if [ "$scenario" = kills ]; then
        echo "== a daemon is killed $nodes times, seed $seed"
        if FRESHET=$PWD/build/release/freshet /usr/bin/python3 tests/program/kill_rounds.py "$nodes" "$seed"; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
        fi
        continue
    fi
    echo "== freshet sim $scenario --nodes $nodes --seed $seed"
    if build/release/freshet sim "$scenario" --nodes "$nodes" --seed "$seed"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
