# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion of qmapctl, which knows itself what may stand where: `qmapctl complete`.

function __qmapctl_complete
    set -l words (commandline -opc)[2..-1] (commandline -ct)
    set -l found (qmapctl complete -- $words 2>/dev/null)
    if test "$found[1]" = :files
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $found
    end
end

complete -c qmapctl -f -a '(__qmapctl_complete)'
