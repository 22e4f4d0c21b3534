# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion of qmapctl, which knows itself what may stand where: `qmapctl complete`.

_qmapctl() {
	local i word='' glue='' words=() kept

	# bash takes = and : for words of their own.
	for ((i = 1; i <= COMP_CWORD; i++)); do
		if [[ -n $glue || ${COMP_WORDS[i]} == [=:]* ]] && ((${#words[@]})); then
			words[-1]+=${COMP_WORDS[i]}
		else
			words+=("${COMP_WORDS[i]}")
		fi
		glue=''
		[[ ${COMP_WORDS[i]} != *[=:] ]] || glue=yes
	done
	word=${words[-1]}
	mapfile -t COMPREPLY < <("$1" complete -- "${words[@]}" 2>/dev/null)
	if [[ ${COMPREPLY[0]-} == :files ]]; then
		COMPREPLY=()
		compopt -o default
		return
	fi
	# It replaces the last of its words alone.
	kept=${word%"${word##*[=:]}"}
	COMPREPLY=("${COMPREPLY[@]#"$kept"}")
	[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
}

complete -F _qmapctl qmapctl
