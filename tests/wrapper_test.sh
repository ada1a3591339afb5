#!/bin/bash
# Tests ./numasim with stand-ins for the set-up, Bazel and the simulator.
set -uo pipefail
source tests/shell_testing.sh
wrapper_script="$PWD/numasim"

# A repository in "$work/the repo" whose build exits with BUILD_STATUS and whose program says where and how it runs.
make_repository() {
  local build_status="$1"
  repository="$work/the repo"
  mkdir -p "$repository/third_party" "$repository/bazel-out/k8-opt/bin/cli" "$work/elsewhere"
  cp "$(readlink -f "$wrapper_script")" "$repository/numasim"
  printf '#!/bin/bash\n' >"$repository/third_party/setup.sh"
  printf '#!/bin/bash\ncat >/dev/null\necho "bazel said $*"\nexit %s\n' "$build_status" \
    >"$repository/third_party/bazel.sh"
  cat >"$repository/bazel-out/k8-opt/bin/cli/numasim" <<'END'
#!/bin/bash
printf '%s|' "$PWD" "$@"
cat
exit 7
END
  chmod +x "$repository"/third_party/*.sh "$repository/bazel-out/k8-opt/bin/cli/numasim"
}

TestRunsInTheCallersDirectoryWithItsArgumentsInputAndStatus() {
  make_repository 0
  local output status
  output="$(cd "$work/elsewhere" && echo input | "../the repo/numasim" run "a b.textproto" 2>&1)"
  status=$?
  expect_equal "$output" "$work/elsewhere|run|a b.textproto|input"
  expect_equal "$status" 7
}

TestWorksThroughALink() {
  make_repository 0
  ln -s "$repository/numasim" "$work/elsewhere/sim"
  expect_equal "$(cd "$work/elsewhere" && ./sim </dev/null)" "$work/elsewhere|"
}

TestFailedBuildShowsItsOutputAndRunsNothing() {
  make_repository 1
  local output status
  output="$("$repository/numasim" run </dev/null 2>&1)"
  status=$?
  expect_equal "$status" 1
  expect_equal "$output" "bazel said build --config=opt //cli:numasim"
}

TestFailedSetUpRunsNothing() {
  make_repository 0
  printf '#!/bin/bash\nexit 1\n' >"$repository/third_party/setup.sh"
  local output status
  output="$("$repository/numasim" run </dev/null 2>&1)"
  status=$?
  expect_equal "$status" 1
  expect_equal "$output" ""
}

run_tests
