#!/usr/bin/env bash
# Check the documentation: that the site builds and its links lead somewhere, that notebooks, examples
# and commands run: bash tools/check_docs.sh [pytest arguments]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# the tests of a file run in one process, so that the site is built once
exec bash tools/run_tests.sh --dist loadfile tests/test_docs "$@"
