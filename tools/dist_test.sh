#!/usr/bin/env bash
# Test with several processes, one a GPU (without GPUs: on CPUs).
#   tools/dist_test.sh CONFIG CHECKPOINT GPUS [arguments of tools/test.py]
# TOOL=test_vis writes the results for a server instead. Several nodes: as in dist_train.sh.
set -euo pipefail
if [ $# -lt 3 ]; then sed -n '2,4s/^# //p' "$0" >&2; exit 2; fi
CONFIG=$1; CHECKPOINT=$2; GPUS=$3; shift 3
source "$(dirname "$0")/dist_common.sh"
launch "$(dirname "$0")/${TOOL:-test}.py" "$CONFIG" "$CHECKPOINT" "$@"
