# SPDX-License-Identifier: GPL-2.0-or-later
# Stands for OpenWrt's /lib/functions.sh; see README.md. The configuration: $NETIFD/config/INTERFACE.json.
# shellcheck shell=ash disable=SC3043

append() { # VARIABLE VALUE
	eval "$1=\"\${$1:+\$$1 }\$2\""
}

config_load() {
	[ "$1" = network ]
}

config_foreach() { # FUNCTION TYPE
	local file
	for file in "$NETIFD"/config/*.json; do
		[ ! -e "$file" ] || { file=${file##*/} && "$1" "${file%.json}"; }
	done
}

config_get() { # VARIABLE SECTION OPTION
	eval "$1=\$(jq -r --arg key \"\$3\" '.[\$key] // \"\"' \"\$NETIFD/config/\$2.json\")"
}
