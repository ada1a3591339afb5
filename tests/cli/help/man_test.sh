#!/bin/bash
# The manual page is one that man's formatters take without a warning, and names all subcommands and options.
set -euo pipefail

numasim="$TEST_SRCDIR/$TEST_WORKSPACE/cli/numasim"
cd "$TEST_TMPDIR"
"$numasim" help man >numasim.1

# No date, as the same program is to print the same page on any day.
complaints="$(mandoc -T lint -W warning numasim.1 | grep -v 'missing date' || true)"
if [[ -n "$complaints" ]]; then
  printf 'FAILED: mandoc:\n%s\n' "$complaints"
  exit 1
fi

mandoc -T utf8 numasim.1 | col -b >page.txt
for subcommand in $("$numasim" --help | sed -n '/^Subcommands:/,$s/^  \([a-z]*\) .*/\1/p'); do
  for word in "$subcommand" $("$numasim" "$subcommand" --help | grep -o '^  --[a-z-]*'); do
    if ! grep -q -e "$word" page.txt; then
      echo "FAILED: the manual page does not name $word of $subcommand"
      exit 1
    fi
  done
done
echo "$(wc -l <page.txt) lines, and no complaint"
