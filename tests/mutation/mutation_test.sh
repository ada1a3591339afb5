#!/bin/bash
# A few hundred of the inputs that mutate.py makes, and that it notices what it is there to notice.
set -uo pipefail

root="${TEST_SRCDIR:?}/${TEST_WORKSPACE:?}"
source "$root/tests/shell_testing.sh"

mutate() { python3 "$root/tests/mutation/mutate.py" --keep "$work/kept" "$@"; }

TestEveryMutatedInputIsAnsweredWell() {
  local log status=0
  log="$(mutate --numasim "$root/cli/numasim" --inputs 400 --seconds 50)" || status=$?
  echo "$log"
  expect_equal "$status" 0
}

# A program that answers each of its commands badly in another way.
TestBadAnswersAreFindings() {
  cat >"$work/bad" <<'END'
#!/bin/bash
[[ "$*" == run*--quiet ]] && exec cp "$0" "$4"  # a trace to begin with
[[ "$*" == sweep*--quiet ]] && exec cp "$0" study.sqlite  # and a database
if [[ "$*" == *"--engine slurm"* ]]; then  # and what a cluster's task gets
  mkdir -p kept/job-1; cp "$0" kept/input.pb; cp "$0" kept/job-1/job.pb; echo 'sbatch: exit status 1' >&2; exit 1
fi
case "$1" in
  run | replay) kill -SEGV $$ ;;
  conform) exit 1 ;;
  dump | compare | report | export) echo 'trace.cc:5: check failed: a == b' >&2; exit 1 ;;
  sweep | sweep-task) exit 3 ;;
  snapshot) trap '' TERM; while :; do sleep 1; done ;;
esac
END
  chmod +x "$work/bad"
  local log status=0
  log="$(mutate --numasim "$work/bad" --inputs 12 --patience 1)" || status=$?
  expect_equal "$status" 1
  expect_contains "$log" "ended by SIGSEGV"
  expect_contains "$log" "exit status 1 with no message"
  expect_contains "$log" "exit status 3"
  expect_contains "$log" "speaks of its inside: check failed"
  expect_contains "$log" "hangs: not even SIGTERM ends it"
  expect_contains "$log" "12 inputs, 12 findings"
  expect_contains "$log" "cd $work/kept/1-"
}

TestOneSeedMakesTheSameInputs() {
  cat >"$work/show" <<'END'
#!/bin/bash
[[ "$*" == run*--quiet ]] && exec cp "$0" "$4"
[[ "$*" == sweep*--quiet ]] && exec cp "$0" study.sqlite
if [[ "$*" == *"--engine slurm"* ]]; then
  mkdir -p kept/job-1; cp "$0" kept/input.pb; cp "$0" kept/job-1/job.pb; echo 'sbatch: exit status 1' >&2; exit 1
fi
find . -type f ! -name std\* | sort | xargs cat | cksum >&2
kill -ABRT $$
END
  chmod +x "$work/show"
  local first second
  first="$(mutate --numasim "$work/show" --inputs 20 --seed 9 | grep -v seed | sort)"
  second="$(mutate --numasim "$work/show" --inputs 20 --seed 9 --jobs 1 | grep -v seed | sort)"
  expect_equal "$first" "$second"
}

run_tests
