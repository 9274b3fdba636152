# SPDX-License-Identifier: Apache-2.0
# Turns SQL files into lines of C for #include.
#
#   mode=statements: each `-- name: thing_verb` starts a statement; the lines behind it become STATEMENT(thing_verb, "…")
#   mode=migrations: each file NNNN-name.sql becomes MIGRATION(NNNN, "name", "…")
#
# Comments stay out of statements (they are for readers of the .sql file) and in migrations (SQLite keeps them in the
# schema, where an administrator meets them).  `?` is escaped because of C's trigraphs.

function escaped(line)
{
    gsub(/\\/, "\\\\", line)
    gsub(/"/, "\\\"", line)
    gsub(/\?/, "\\?", line)
    return line
}

function finish()
{
    if (open)
        print ")"
    open = 0
}

mode == "migrations" && FNR == 1 {
    finish()
    count = split(FILENAME, parts, "/")
    file = parts[count]
    sub(/\.sql$/, "", file)
    printf "MIGRATION(%d, \"%s\"\n", substr(file, 1, 4) + 0, substr(file, 6)
    printf ","
    open = 1
}

mode == "statements" && /^-- name: / {
    finish()
    printf "STATEMENT(%s\n,", $3
    open = 1
    next
}

mode == "statements" && (/^[ \t]*--/ || /^[ \t]*$/) { next }

open { printf "\"%s\\n\"\n", escaped($0) }

END { finish() }
