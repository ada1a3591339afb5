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
cat "$log"
# A folder that was not seen would also be all right: the score must count every script.
all="${#scripts[@]}/${#scripts[@]}"
[[ ${#recordings[@]} -eq ${#scripts[@]} ]] || fail "${#recordings[@]} recordings of ${#scripts[@]} scripts"
score=$(tail -n 1 "$log")
[[ "$score" == "scripts wholly right $all,"* ]] || fail "expected 'scripts wholly right $all'"
[[ "$score" =~ "free memory "([0-9]+)/([0-9]+) ]] || fail "no figure for free memory"
[[ "${BASH_REMATCH[1]}" -eq "${BASH_REMATCH[2]}" ]] || fail "free memory: a figure is wrong"
