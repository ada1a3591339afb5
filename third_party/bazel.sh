#!/bin/bash
# Runs Bazel (the distribution's, or the one that BAZEL names) in this repository, from any working directory.
set -euo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
# Bazel keeps its output tree under HOME and refuses to start without one, as in some CI jobs.
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
exec "${BAZEL:-/usr/bin/bazel}" "$@"
