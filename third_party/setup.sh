#!/bin/bash
# Makes sure that the Debian packages listed in packages.txt are installed; installs those that are missing.
# Without the right to install it prints the command to run and exits with status 1.
# NUMASIM_SKIP_SETUP=1 skips the check, for systems that get the same libraries from elsewhere.
set -euo pipefail

list="$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/packages.txt"

say() { printf 'numasim: %s\n' "$*" >&2; }

# The listed packages that are not installed, one a line.
missing_packages() {
  sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$list" | sort -u |
    comm -23 - <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' | sed -n 's/ installed$//p' | sort -u)
}

if [[ -n "${NUMASIM_SKIP_SETUP:-}" ]]; then
  exit 0
fi
if ! command -v dpkg-query >/dev/null; then
  say "this is not a Debian system. Install the equivalents of the packages in $list (Debian 12 names)," \
    "then set NUMASIM_SKIP_SETUP=1"
  exit 1
fi

mapfile -t missing < <(missing_packages)
if [[ ${#missing[@]} -eq 0 ]]; then
  exit 0
fi

if [[ "$(id -u)" -eq 0 ]]; then
  as_root=(env)
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root=(sudo -n env)
else
  say "${#missing[@]} packages are missing and this user may not install them. Run as root:"
  printf '  apt-get update && apt-get install -y --no-install-recommends %s\n' "${missing[*]}" >&2
  exit 1
fi

say "installing ${#missing[@]} packages: ${missing[*]}"
apt=("${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)
if ! "${apt[@]}" update >&2 </dev/null ||
  ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2 </dev/null; then
  say "installing failed; the packages above are needed (from Debian 12, main, with its updates)"
  exit 1
fi
