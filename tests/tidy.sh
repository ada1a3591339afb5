#!/bin/bash
# Runs clang-tidy with the tree's .clang-tidy; the exit status is 0 if it finds nothing.
#   tests/tidy.sh                  the .cc files that differ from the branch main, or are not committed yet
#   tests/tidy.sh --all            every .cc file: about 8 seconds of CPU time each
#   tests/tidy.sh sim/path.cc ...  these files
# A changed header is checked through the .cc files that include it: name one of those, or use --all.
set -euo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

changed_files() {
  local base
  base="$(git merge-base main HEAD 2>/dev/null || git rev-parse HEAD)"
  { git diff --name-only --diff-filter=d "$base" -- '*.cc'; git ls-files --others --exclude-standard -- '*.cc'; } | sort -u
}

case "${1:-}" in
  '') mapfile -t files < <(changed_files) ;;
  --all) mapfile -t files < <(git ls-files -- '*.cc') ;;
  *) files=("$@") ;;
esac
if [[ ${#files[@]} -eq 0 ]]; then
  echo 'clang-tidy: no .cc file has changed' >&2
  exit 0
fi

# The classes generated from .proto files must be there to be included.
third_party/bazel.sh build --config=check //proto/... >/dev/null 2>&1 </dev/null ||
  { third_party/bazel.sh build --config=check //proto/... </dev/null; exit 1; }

flags="$(mktemp -d)"
trap 'rm -rf "$flags"' EXIT
printf '%s\n' -xc++ -std=c++20 "-I$PWD" -isystem "$(readlink -f bazel-bin)" >"$flags/compile_flags.txt"

if ! printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy-19 -p "$flags" --quiet 2> >(grep -v 'warnings\? generated' >&2); then
  echo 'clang-tidy: see above' >&2
  exit 1
fi
echo "clang-tidy: ${#files[@]} files, nothing found" >&2
