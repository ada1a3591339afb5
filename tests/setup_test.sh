#!/bin/bash
# Tests third_party/setup.sh with stand-ins for dpkg-query, id, sudo and apt-get.
set -uo pipefail
source tests/shell_testing.sh
setup_script="$PWD/third_party/setup.sh"

# setup_with USER_ID SUDO_STATUS APT_STATUS INSTALLED...: runs a copy of setup.sh whose list is `alpha` and
# `beta` (`gamma` is commented out). Leaves the output in $output, the exit status in $status, and what was called
# in $work/calls.
setup_with() {
  local user_id="$1" sudo_status="$2" apt_status="$3" tool
  shift 3
  mkdir -p "$work/bin"
  cp "$(readlink -f "$setup_script")" "$work/setup.sh"
  printf '# a comment\nalpha\nbeta # why\n\n#gamma\n' >"$work/packages.txt"
  printf '#!/bin/bash\nprintf "%%s installed\\n" %s\n' "$*" >"$work/bin/dpkg-query"
  printf '#!/bin/bash\necho %s\n' "$user_id" >"$work/bin/id"
  printf '#!/bin/bash\n[[ "$*" == *true* ]] && exit %s\nshift\necho sudo >>%s/calls\nexec "$@"\n' \
    "$sudo_status" "$work" >"$work/bin/sudo"
  printf '#!/bin/bash\necho "apt-get $*" >>%s/calls\nexit %s\n' "$work" "$apt_status" >"$work/bin/apt-get"
  for tool in "$work"/bin/*; do chmod +x "$tool"; done
  : >"$work/calls"
  output="$(unset NUMASIM_SKIP_SETUP && PATH="$work/bin:/usr/bin:/bin" "$work/setup.sh" 2>&1)"
  status=$?
}

TestNothingMissingIsSilent() {
  setup_with 0 1 0 alpha beta
  expect_equal "$status" 0
  expect_equal "$output" ""
  expect_equal "$(cat "$work/calls")" ""
}

TestRootInstallsOnlyWhatIsMissing() {
  setup_with 0 1 0 alpha
  expect_equal "$status" 0
  expect_equal "$(grep -c ' update' "$work/calls")" 1
  expect_contains "$(tail -n 1 "$work/calls")" "install -y --no-install-recommends beta"
  expect_equal "$(grep -c 'alpha\|gamma\|sudo' "$work/calls")" 0
}

TestUserWithSudoInstallsThroughIt() {
  setup_with 1000 0 0
  expect_equal "$status" 0
  expect_contains "$(cat "$work/calls")" "sudo"
  expect_contains "$(tail -n 1 "$work/calls")" "install -y --no-install-recommends alpha beta"
}

TestUserWithoutRightsGetsTheCommandToRun() {
  setup_with 1000 1 0 beta
  expect_equal "$status" 1
  expect_contains "$output" "apt-get update && apt-get install -y --no-install-recommends alpha"
  expect_equal "$(cat "$work/calls")" ""
}

TestFailedInstallationFails() {
  setup_with 0 1 100 alpha
  expect_equal "$status" 1
  expect_contains "$output" "installing failed"
}

TestCheckCanBeSkipped() {
  setup_with 1000 1 0
  expect_equal "$(NUMASIM_SKIP_SETUP=1 PATH="$work/bin:/usr/bin:/bin" "$work/setup.sh" 2>&1; echo $?)" 0
}

run_tests
