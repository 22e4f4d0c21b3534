#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks the module by the kernel's own checkpatch: 0 errors. The script comes with the package of the
# kernel's source, from which tests/vm/guest_lib.sh keeps it (build_rmnet); SKIP without it.

cd "$(dirname "$0")/.." || exit 1

script=$(find "$PWD"/build/vm/*/scripts -name checkpatch.pl 2>/dev/null | head -n 1)
if [ -z "$script" ]; then
	echo "SKIP module: checkpatch: none in build/vm; tests/vm/run.sh fetches it"
	exit 0
fi
if ! command -v perl >/dev/null; then
	echo "SKIP module: checkpatch: no perl"
	exit 0
fi
# Only errors of --strict count; its warnings include LINUX_VERSION_CODE, which an out-of-tree module
# needs. checkpatch leaves a file in its working directory, so give it one of its own.
files=("$PWD"/kmod-shim/*.[ch] "$PWD/include/qmap/shim.h")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
said=$(cd "$dir" && perl "$script" --no-tree --strict --terse --max-line-length=100 -f "${files[@]}" 2>&1)
if ! grep -q '^total: ' <<<"$said"; then
	echo "FAIL module: checkpatch does not run: $(tail -n 1 <<<"$said")"
	exit 1
fi
if grep ': ERROR: ' <<<"$said"; then
	echo "FAIL module: checkpatch has errors"
	exit 1
fi
echo "PASS module: checkpatch --strict: 0 errors"
