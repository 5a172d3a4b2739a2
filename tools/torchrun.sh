#!/usr/bin/env bash
# bash tools/torchrun.sh SCRIPT PROCESSES [arguments of SCRIPT]: the one place where processes are started.
# Several machines: NNODES, NODE_RANK, MASTER_ADDR, PORT. PYTHON chooses the interpreter.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
script=$1 processes=$2

# The command works in a clone after `uv sync` without activating anything.
if [ -z "${PYTHON:-}" ]; then
    PYTHON=python
    if [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && [ -x "$tools/../.venv/bin/python" ]; then
        PYTHON=$tools/../.venv/bin/python
    fi
fi

if [ "${NNODES:-1}" = 1 ] && [ -z "${PORT:-}" ]; then
    meeting=(--standalone) # any free port, so two runs on one machine do not meet
else
    meeting=(--nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}"
        --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}")
fi

export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
export PYTHONPATH="$tools/..${PYTHONPATH:+:$PYTHONPATH}"
MPM_MESSAGE_FILE=$(mktemp)
export MPM_MESSAGE_FILE
trap 'rm -f "$MPM_MESSAGE_FILE"' EXIT
status=0
"$PYTHON" -m torch.distributed.run "${meeting[@]}" --nproc_per_node="$processes" \
    "$tools/$script" "${@:3}" --launcher pytorch || status=$?
cat "$MPM_MESSAGE_FILE" >&2
exit "$status"
