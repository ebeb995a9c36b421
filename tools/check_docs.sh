#!/usr/bin/env bash
# Check the documentation: that the site builds and its links lead somewhere, that notebooks, examples
# and commands run: bash tools/check_docs.sh [pytest arguments, some of the files in tests/test_docs]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# the tests of a file run in one process, so that the site is built once
[[ "$*" == *test_docs* ]] || set -- tests/test_docs "$@"
exec bash tools/run_tests.sh --dist loadfile "$@"
