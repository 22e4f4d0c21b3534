#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# system/deb.sh DIR [OPTION...]: builds the Debian packages in DIR, from a copy of the files known to
# git. OPTIONs are dpkg-buildpackage's. The date of the last commit replaces that of the build. With BUILDER, a
# command, dpkg-buildpackage runs by it.

set -eu
cd "$(dirname "$0")/.."

dir=$(realpath -m "$1")
shift
version=$(dpkg-parsechangelog -S Version)
source=$dir/qmap-$version

rm -rf "$dir"
mkdir -p "$source"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
	[ ! -e "$file" ] || printf '%s\0' "$file"
done | tar -c --null --files-from=- | tar -x -C "$source"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || dpkg-parsechangelog -S Timestamp)
export SOURCE_DATE_EPOCH
cd "$source"
# shellcheck disable=SC2086 # words
${BUILDER:-} dpkg-buildpackage -us -uc -b "$@"
cd "$dir"
ls ./*.deb
