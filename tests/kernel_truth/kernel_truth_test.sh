#!/bin/bash
# Every recorded script, run from its recorded boot state, must answer and count what the real kernel did.
set -uo pipefail

root="${TEST_SRCDIR:?}/${TEST_WORKSPACE:?}"
here="$root/tests/kernel_truth"
shopt -s nullglob
scripts=("$here"/*.mm)
recordings=("$here"/*.truth.json)
fail() {
  echo "FAILED: $*"
  exit 1
}

[[ ${#scripts[@]} -gt 0 ]] || fail "no scripts in $here"
for script in "${scripts[@]}"; do
  [[ -e "${script%.mm}.truth.json" ]] || fail "$script has no recording"
done

log="${TEST_TMPDIR:?}/log"
python3 "$here/check_truth.py" --verbose \
  --run "$root/cli/numasim conform {script} --boot {boot} --json {out}" "$here" >"$log"
status=$?
cat "$log"
[[ $status -eq 0 ]] || fail "check_truth.py ended with status $status"
# A folder that was not seen would also be all right: the score must count every script.
all="${#scripts[@]}/${#scripts[@]}"
[[ ${#recordings[@]} -eq ${#scripts[@]} ]] || fail "${#recordings[@]} recordings of ${#scripts[@]} scripts"
tail -n 1 "$log" | grep -q "^scripts wholly right $all," || fail "expected 'scripts wholly right $all'"
