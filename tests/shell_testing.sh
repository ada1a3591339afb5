# Helpers for shell tests: source it, define functions named Test..., call run_tests.

expect_equal() {
  if [[ "$1" != "$2" ]]; then
    printf '%s: expected "%s", got "%s"\n' "${FUNCNAME[1]}" "$2" "$1" >&2
    failures=$((failures + 1))
  fi
}

expect_contains() {
  if [[ "$1" != *"$2"* ]]; then
    printf '%s: "%s" does not contain "%s"\n' "${FUNCNAME[1]}" "$1" "$2" >&2
    failures=$((failures + 1))
  fi
}

# Runs every function whose name starts with Test, each in an empty directory $work of its own.
run_tests() {
  failures=0
  local name count=0
  for name in $(compgen -A function Test); do
    work="$(mktemp -d)"
    "$name"
    rm -rf "$work"
    count=$((count + 1))
  done
  echo "$count tests, $failures failed expectations"
  [[ $count -gt 0 && $failures -eq 0 ]]
}
