#!/bin/bash
# Every example runs to its end, and shows what the README says it shows.
set -uo pipefail

root="${TEST_SRCDIR:?}/${TEST_WORKSPACE:?}"
numasim="$root/cli/numasim"
cd "${TEST_TMPDIR:?}" || exit 1
fail() {
  echo "FAILED: $*"
  exit 1
}

shopt -s nullglob
examples=("$root"/examples/*.textproto "$root"/examples/*.mm)
[[ ${#examples[@]} -ge 2 ]] || fail "no examples in $root/examples"
for example in "${examples[@]}"; do
  [[ "$example" == *.study.textproto ]] && continue  # for numasim sweep
  name="$(basename "${example%.*}")"
  "$numasim" run "$example" >"$name.out" || fail "$name ends with exit status $?"
done

# The capacity planner's example is about guests that are turned away, each for its own reason.
expect() {
  grep -qE -- "$2" "$1.out" || {
    cat "$1.out"
    fail "$1: no line like '$2'"
  }
}
expect hugepages '[1-9][0-9]*  map ENOMEM'
expect hugepages '[1-9][0-9]*  accesses: SIGBUS'
expect hugepages '[1-9][0-9]*  hugetlb_failed: size=2M node=0 errno=ENOMEM function=hugetlb_acct_memory'
expect hugepages '[1-9][0-9]*  hugetlb_failed: size=1G .* function=hugetlb_acct_memory'
expect hugepages '[1-9][0-9]*  hugetlb_failed: size=2M node=0 errno=ENOSPC function=alloc_huge_page'
expect hugepages '^ +2M +all +14336 '
expect hugepages '^ +1G +all +16 '
if grep -qE 'hugetlb_failed: .*node=1' hugepages.out; then fail "hugepages: node 1 turns guests away"; fi

# A planner's example of guests that come at random: between 1% and 5% of each group find no room.
for group in vms builds; do
  read -r _ arrived _ _ dropped _ < <(grep -E "^  $group +[0-9]" guests.out) || fail "guests: no line of $group"
  ((dropped * 100 >= arrived && dropped * 20 <= arrived)) || fail "guests: $dropped of $arrived $group were dropped"
done
expect guests '^ +2M +all +40960 '
expect guests '[1-9][0-9]*  guest_failed: size=2M node=0 errno=ENOMEM function=do_mmap'
echo "${#examples[@]} examples"
