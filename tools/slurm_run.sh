#!/usr/bin/env bash
# bash tools/slurm_run.sh PARTITION JOB_NAME SCRIPT [arguments of SCRIPT]: one torchrun a node, under srun.
# GPUS (8), GPUS_PER_NODE (8), CPUS_PER_TASK (5 a GPU), PORT (29500), SRUN_ARGS; MAX_RESTARTS as in torchrun.sh.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
GPUS=${GPUS:-8}
GPUS_PER_NODE=${GPUS_PER_NODE:-8}
if [ "$GPUS" -lt "$GPUS_PER_NODE" ]; then GPUS_PER_NODE=$GPUS; fi
if [ $((GPUS % GPUS_PER_NODE)) -ne 0 ]; then
    echo "GPUS=$GPUS is not a multiple of GPUS_PER_NODE=$GPUS_PER_NODE" >&2
    exit 2
fi
NNODES=$((GPUS / GPUS_PER_NODE))
export NNODES PORT="${PORT:-29500}"
# shellcheck disable=SC2086,SC2016  # SRUN_ARGS is a list; the quoted variables are those of each node
srun --partition="$1" --job-name="$2" --nodes="$NNODES" --ntasks="$NNODES" --ntasks-per-node=1 \
    --gres="gpu:$GPUS_PER_NODE" --cpus-per-task="$((${CPUS_PER_TASK:-5} * GPUS_PER_NODE))" --kill-on-bad-exit=1 \
    ${SRUN_ARGS:-} bash -c '
        export NODE_RANK=$SLURM_NODEID
        MASTER_ADDR=${MASTER_ADDR:-$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)}
        export MASTER_ADDR
        exec bash "$@"' _ "$tools/torchrun.sh" "$3" "$GPUS_PER_NODE" "${@:4}"
