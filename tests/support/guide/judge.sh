#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# See judge.py.
. ./verify.sh

said() {
    local status=0
    "$@" || status=$?
    case $status in
    0) printf true ;;
    1) printf false ;;
    *) printf error ;;
    esac
}

text() {
    base64 -d <<<"$1"
}

judge() {
    local secret name value
    secret=$(text "$1")
    text "$2" >body
    shift 2
    while (($# > 0)); do
        name=$(text "$1") value=$(text "$2")
        name=${name^^}
        export "HTTP_${name//-/_}=$value"
        shift 2 || exit
    done
    printf '%s %s\n' "$(said verify "$secret" body)" "$(said verify_plain "$secret" body)"
}

while read -r line; do
    # Bash drops an empty field at the end of a line, but not before another separator.
    IFS='|' read -ra fields <<<"$line|"
    # In a shell of its own, which ends with the headers in its environment.
    (judge "${fields[@]}")
done
