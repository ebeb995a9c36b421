#!/usr/bin/env bash
# Segment several videos with several processes, one a GPU (without GPUs: on CPUs).
#   tools/dist_predict.sh GPUS [arguments of mmvseg predict]
# Each process takes every GPUS-th video. Several nodes: as in dist_train.sh.
set -euo pipefail
if [ $# -lt 2 ]; then sed -n '2,4s/^# //p' "$0" >&2; exit 2; fi
GPUS=$1; shift
source "$(dirname "$0")/dist_common.sh"
launch "$(dirname "$0")/demo_video.py" "$@"
