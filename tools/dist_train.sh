#!/usr/bin/env bash
# bash tools/dist_train.sh CONFIG GPUS [arguments of train.py]; without CUDA, GPUS processes on the CPU.
# Several machines: run it on each with NNODES, NODE_RANK, MASTER_ADDR and PORT set.
# MAX_RESTARTS=3 bash tools/dist_train.sh CONFIG GPUS --resume: goes on from the last checkpoint when a process dies.
if [ $# -lt 2 ]; then
    echo "usage: bash tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]" >&2
    exit 2
fi
exec bash "$(dirname "$0")/torchrun.sh" train.py "$2" "$1" "${@:3}"
