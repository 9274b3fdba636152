# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the checks of `make lint` share: each is a list of facts about the tree, told as TAP.  Sourced, never run.

set -u
cd "${top_srcdir:-$(dirname "${BASH_SOURCE[0]}")/../..}" || exit 99
facts=0

# fact TITLE COMMAND…: holds where the command prints nothing and succeeds; what it prints is what breaks the rule.
fact() {
    local title=$1 out status=0
    shift
    facts=$((facts + 1))
    out=$("$@" 2>&1) || status=$?
    if [[ -z $out && $status == 0 ]]; then
        printf 'ok %d - %s\n' "$facts" "$title"
    else
        awk '{ print "# " $0 }' <<<"${out:-status $status}"
        printf 'not ok %d - %s\n' "$facts" "$title"
    fi
}

# skip TITLE REASON
skip() {
    facts=$((facts + 1))
    printf 'ok %d - %s # SKIP %s\n' "$facts" "$1" "$2"
}

# fact_with TOOL TITLE COMMAND…: skipped where the tool is not installed.
fact_with() {
    local tool=$1
    shift
    if command -v "$tool" >/dev/null; then
        fact "$@"
    else
        skip "$1" "$tool is not installed"
    fi
}

finish() {
    printf '1..%d\n' "$facts"
}

c_files() {
    find "$@" -name '*.[ch]' | sort
}

# code FILE…: the files as FILE:LINE:CODE, without comments and the contents of strings.
code() {
    awk '
    FNR == 1 { comment = 0 }
    {
        line = $0
        gsub(/\\./, "", line)
        if (line !~ /^ *# *include/)
            gsub(/"[^"]*"/, "\"\"", line)
        out = ""
        while (line != "") {
            at = index(line, comment ? "*/" : "/*")
            if (!at) {
                if (!comment)
                    out = out line
                break
            }
            if (!comment)
                out = out substr(line, 1, at - 1)
            line = substr(line, at + 2)
            comment = !comment
        }
        if (out ~ /[^ \t]/)
            print FILENAME ":" FNR ":" out
    }' "$@"
}
