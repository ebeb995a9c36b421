#!/usr/bin/env bash
# Make or reuse the Python environment that mmvseg runs in, and print the path of its python.
#
#   bash tools/setup_env.sh                what mmvseg needs, in .venv
#   bash tools/setup_env.sh --tests        and what the tests and the documentation need
#   bash tools/setup_env.sh --active       in the environment that is active now, not in .venv
#   bash tools/setup_env.sh --torch-index URL
#                                          torch from another index, here without CUDA
#
# Environment: PYTHON (interpreter for a new .venv), MMVSEG_ACTIVE_ENV=1 (as --active).
# A run that finds everything done takes no time. No compiler is needed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

with_tests=0 active=${MMVSEG_ACTIVE_ENV:-0} torch_index=
while [ $# -gt 0 ]; do
    case $1 in
        --tests) with_tests=1 ;;
        --active) active=1 ;;
        --torch-index) torch_index=${2:?--torch-index needs a URL}; shift ;;
        -h|--help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit ;;
        *) echo "error: unknown option $1 (see bash tools/setup_env.sh --help)" >&2; exit 2 ;;
    esac
    shift
done

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3.10 python3 python}; do
        if is_new_enough "$candidate"; then echo "$candidate"; return; fi
    done
    fail "no Python >= 3.10 found${PYTHON:+ (PYTHON=$PYTHON)}; install one, or run:" \
         "PYTHON=/path/to/python bash tools/setup_env.sh"
}

# Run a command with its output in the log; show that it is alive, and the log if it fails.
step() {
    local title=$1 start=$SECONDS pid; shift
    "$@" >>"$log" 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        if [ -t 2 ]; then printf '\r  %s ... %d s ' "$title" $((SECONDS - start)) >&2
        elif [ $(((SECONDS - start) % 30)) = 29 ]; then say "  $title ... $((SECONDS - start)) s"; fi
        sleep 1
    done
    if ! wait "$pid"; then
        say ''; tail -n 15 "$log" >&2
        fail "$title failed; the whole log is in $log"
    fi
    [ ! -t 2 ] || printf '\r' >&2
    say "  $title: done in $((SECONDS - start)) s"
}

if [ "$active" = 1 ]; then
    python=$(command -v python || command -v python3) || fail 'no python on the PATH'
    is_new_enough "$python" || fail "$python is older than 3.10; activate a newer environment"
    in_env='import os, sys; sys.exit(sys.prefix == sys.base_prefix and "CONDA_PREFIX" not in os.environ)'
    "$python" -c "$in_env" || fail "--active, but no environment is active ($python)"
else
    python=$PWD/.venv/bin/python
    if [ ! -x "$python" ] || ! is_new_enough "$python"; then
        [ -w . ] || fail "no permission to write into $PWD: activate an environment and use --active"
        base=$(find_python)
        say "Making .venv with $("$base" --version)"
        "$base" -m venv --clear .venv >&2 ||
            fail "python -m venv failed (on Debian and Ubuntu: apt-get install python3-venv)"
    fi
fi

prefix=$("$python" -c 'import sys; print(sys.prefix)')
log=$prefix/mmvseg_setup.log
hash=$(cat requirements/*.txt setup.py pyproject.toml tools/setup_env.sh | "$python" -c \
    'import hashlib, os, sys; print(hashlib.sha256(sys.stdin.buffer.read() + os.getcwd().encode()).hexdigest()[:16])')
stamp=$prefix/.mmvseg_$hash
if [ -e "$stamp" ] && { [ $with_tests = 0 ] || [ -e "$stamp.tests" ]; }; then
    echo "$python"; exit
fi

installed() { "$python" -c "import importlib.metadata as m, sys; m.version('$1')" 2>/dev/null; }
install() { "$python" -m pip install --disable-pip-version-check "$@"; }

[ -w "$prefix" ] || fail "no permission to write into $prefix"
say "Installing into $prefix (log: $log)"
: >"$log"
# In an environment of the user's own the ranges hold; in .venv the tested versions.
pins=(-c requirements/tested.txt)
[ "$active" = 0 ] || pins=()
if ! installed torch; then
    # Pinned in any case: the newest torch may be newer than what the stack runs on.
    step 'torch (the largest part)' install -c requirements/tested.txt torch \
        ${torch_index:+--index-url "$torch_index"}
fi
# setup.py leaves out what would be installed over a compiled mmcv.
wanted=.
[ $with_tests = 0 ] || wanted='.[tests,docs]'
step 'the OpenMMLab stack, libraries and mmvseg' install ${pins[@]+"${pins[@]}"} -e "$wanted"
report=$("$python" tools/doctor.py 2>&1) || { say "$report"; fail 'the environment is not sound; see above'; }

rm -f "$prefix"/.mmvseg_*
touch "$stamp"
[ $with_tests = 0 ] || touch "$stamp.tests"
echo "$python"
