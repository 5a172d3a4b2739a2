#!/usr/bin/env bash
# bash tools/torchrun.sh SCRIPT PROCESSES [arguments of SCRIPT]: the one place where processes are started.
# Several machines: NNODES, NODE_RANK, MASTER_ADDR, PORT. MAX_RESTARTS (0): how often all processes start again after one
# of them died; a training goes on from its last checkpoint. PYTHON chooses the interpreter.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
script=$1 processes=$2
MAX_RESTARTS=${MAX_RESTARTS:-0}

resumes_from_the_last() {
    while [ $# -gt 0 ]; do
        if [ "$1" = --resume ] && [[ ${2:--} = -* || $2 = auto ]] || [ "$1" = --resume=auto ]; then return 0; fi
        shift
    done
    return 1
}

# Processes start again with the same arguments, so without this a restart would begin anew.
if [ "$MAX_RESTARTS" != 0 ] && [ "$script" = train.py ] && ! resumes_from_the_last "${@:3}"; then
    echo "MAX_RESTARTS=$MAX_RESTARTS needs --resume, without a checkpoint: a restart goes on from the last one" >&2
    exit 2
fi

# The command works in a clone after `uv sync` without activating anything.
if [ -z "${PYTHON:-}" ]; then
    PYTHON=python
    if [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && [ -x "$tools/../.venv/bin/python" ]; then
        PYTHON=$tools/../.venv/bin/python
    fi
fi

if [ "${NNODES:-1}" = 1 ] && [ -z "${PORT:-}" ]; then
    meeting=(--standalone) # any free port, so two runs on one machine do not meet
elif [ "$MAX_RESTARTS" != 0 ]; then
    # Only this kind of meeting tells the other machines of a restart.
    if [ "${NODE_RANK:-0}" = 0 ]; then is_host=1; else is_host=0; fi
    meeting=(--nnodes="${NNODES:-1}" --rdzv_backend=c10d --rdzv_id=mpm --rdzv_conf="is_host=$is_host"
        --rdzv_endpoint="${MASTER_ADDR:-127.0.0.1}:${PORT:-29500}")
else
    meeting=(--nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}"
        --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}")
fi
if [ "$MAX_RESTARTS" != 0 ]; then
    meeting+=(--max_restarts="$MAX_RESTARTS")
    # A store of its own for each start: in the shared one processes find addresses of dead ones and wait for them
    # (pytorch issue 135712).
    export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
fi

export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
export PYTHONPATH="$tools/..${PYTHONPATH:+:$PYTHONPATH}"
MPM_MESSAGE_FILE=$(mktemp)
export MPM_MESSAGE_FILE
trap 'rm -f "$MPM_MESSAGE_FILE"' EXIT
status=0
"$PYTHON" -m torch.distributed.run "${meeting[@]}" --nproc_per_node="$processes" \
    "$tools/$script" "${@:3}" --launcher pytorch || status=$?
# After a restart that helped, what was wrong before is no news.
if [ "$status" != 0 ]; then cat "$MPM_MESSAGE_FILE" >&2; fi
exit "$status"
