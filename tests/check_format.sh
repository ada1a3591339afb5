#!/bin/bash
# Checks that every C++ file of the tree is formatted as .clang-format says, with --fix formats them instead; and
# that none has a conditional expression with co_await.
set -euo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

mode=(--dry-run -Werror)
if [[ "${1:-}" == --fix ]]; then mode=(-i); fi

# In a checkout without git (a source archive) all files count, but not Bazel's links into its output tree.
cpp_files() {
  git ls-files -z --cached --others --exclude-standard -- '*.h' '*.cc' 2>/dev/null ||
    find . -name .git -prune -o -type f \( -name '*.h' -o -name '*.cc' \) -print0
}

cpp_files | xargs -0 -r ls -d 2>/dev/null | xargs -r -d '\n' clang-format-19 --style=file "${mode[@]}" || {
  echo 'formatting: the files above are not formatted; `tests/check_format.sh --fix` formats them' >&2
  exit 1
}

# A coroutine that g++ 12 gets wrong, see docs/architecture.md.
if cpp_files | xargs -0 -r ls -d 2>/dev/null | xargs -r -d '\n' grep -nE 'co_await \(|\? *co_await|[^:]: *co_await' /dev/null; then
  echo 'formatting: no co_await in a conditional expression, please: write an if' >&2
  exit 1
fi
