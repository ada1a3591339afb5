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
# In three steps, two of them behind an exit (load_oom, load_khugepaged_fragmented), all pages on the PCP lists of CPU 0
# went back to the buddy allocator: something of order 1 to 3 was freed besides, right after a bulk free (free_high in
# free_unref_page_commit). No operation of the script does that.
[[ $((BASH_REMATCH[2] - BASH_REMATCH[1])) -le 3 ]] || fail "free memory: more than these three figures are wrong"
