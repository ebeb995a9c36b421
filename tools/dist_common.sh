# Sourced by dist_train.sh and dist_test.sh: launch SCRIPT ARGUMENTS… in $GPUS processes.
launch() {
    local nodes=${NNODES:-1} rendezvous script=$1; shift
    if [ "$nodes" -gt 1 ]; then
        rendezvous=(--nnodes "$nodes" --node-rank "${NODE_RANK:?set NODE_RANK}"
                    --master-addr "${MASTER_ADDR:?set MASTER_ADDR}" --master-port "${PORT:-29500}")
    else
        rendezvous=(--standalone)
    fi
    # the node's cores shared out; torchrun would give each process one
    local cores; cores=$(nproc)
    export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(( cores > GPUS ? cores / GPUS : 1 ))}
    export MKL_NUM_THREADS=${MKL_NUM_THREADS:-$OMP_NUM_THREADS}
    local root python; root="$(dirname "$script")/.."
    # the active environment, else the one that tools/setup_env.sh makes
    python=${PYTHON:-python}
    local has_torch='import importlib.util, sys; sys.exit(not importlib.util.find_spec("torch"))'
    if ! "$python" -c "$has_torch" 2>/dev/null && [ -x "$root/.venv/bin/python" ]; then
        python=$root/.venv/bin/python
    fi
    export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
    exec "$python" "$root/tools/dist_run.py" "${rendezvous[@]}" --nproc-per-node "$GPUS" \
        "$script" "$@" --launcher pytorch
}
