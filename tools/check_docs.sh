#!/usr/bin/env bash
# Check the documentation: that the site builds and its links lead somewhere, that notebooks, examples
# and commands run: bash tools/check_docs.sh [pytest arguments]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec bash tools/run_tests.sh tests/test_docs "$@"
