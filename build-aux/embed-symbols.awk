# SPDX-License-Identifier: Apache-2.0
# Turns a table of names (code point in hexadecimal, tab, name) into lines of C for #include: SYMBOL(0x00A2, "cent").
# The table is searched by halves, so a line out of order stops the build, as does one that is not plain words.

BEGIN { FS = "\t" }

/^#/ || /^$/ { next }

# Numbers of different lengths compare as text once the shorter has leading zeros.
{ place = substr("00000000" $1, length($1) + 1) }

NF != 2 || $1 !~ /^[0-9A-F]+$/ || $2 !~ /^[a-z0-9' ]+$/ || length($2) > 60 || place <= last {
    print FILENAME ":" FNR ": out of order, or not a code point and a name of plain words" > "/dev/stderr"
    failed = 1
    exit
}

{
    printf "SYMBOL(0x%s, \"%s\")\n", $1, $2
    last = place
}

END { exit failed }
