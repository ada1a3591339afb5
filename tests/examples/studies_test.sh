#!/bin/bash
# Every study runs; its scenarios are as their program writes them, and what its README claims holds.
set -uo pipefail

root="${TEST_SRCDIR:?}/${TEST_WORKSPACE:?}"
fail() {
  echo "FAILED: $*"
  exit 1
}

shopt -s nullglob
studies=("$root"/examples/studies/*/README.md)
[[ ${#studies[@]} -gt 0 ]] || fail "no studies in $root/examples/studies"
status=0
for readme in "${studies[@]}"; do
  study="$(basename "$(dirname "$readme")")"
  echo "== $study"
  python3 "$root/examples/studies/run_study.py" "$study" --check \
    --numasim "$root/cli/numasim" || status=1
done
[[ $status -eq 0 ]] || fail "see above"
