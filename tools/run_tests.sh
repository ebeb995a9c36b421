#!/usr/bin/env bash
# Set up what the tests need and run them: bash tools/run_tests.sh [pytest arguments]
#
# Those of the documentation run where an argument names them; tools/check_docs.sh does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Its processes keep pytest from saying which path is missing.
for argument in "$@"; do
    [[ $argument != tests/* || -e ${argument%%::*} ]] || { echo "error: no $argument" >&2; exit 4; }
done
python=$(bash tools/setup_env.sh --tests)
# The processes fill the cores; threads inside each would only compete.
export OMP_NUM_THREADS=1
[[ "$*" == *test_docs* ]] || set -- --ignore=tests/test_docs "$@"
exec "$python" -m pytest -n logical --maxprocesses 8 "$@"
