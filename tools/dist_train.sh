#!/usr/bin/env bash
# Train with several processes, one a GPU (without GPUs: on CPUs).
#   tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# Several nodes: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
set -euo pipefail
if [ $# -lt 2 ]; then sed -n '2,4s/^# //p' "$0" >&2; exit 2; fi
CONFIG=$1; GPUS=$2; shift 2
source "$(dirname "$0")/dist_common.sh"
launch "$(dirname "$0")/train.py" "$CONFIG" "$@"
