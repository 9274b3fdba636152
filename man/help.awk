# SPDX-License-Identifier: Apache-2.0
# Help of the programs as mdoc(7), for man/fill.  mode: options, command, settings, or calls (of docs/openapi.yaml).

# Text as it may stand in a line of mdoc...
function escaped(text) {
    gsub(/\\/, "\\e", text)
    return text ~ /^[.']/ ? "\\&" text : text
}

# ...and each sentence in one of its own.
function plain(text,    before) {
    while (match(text, /[.?!]\)? +[A-Z]/)) {
        before = before substr(text, 1, RSTART + RLENGTH - 2)
        sub(/ +$/, "", before)
        before = before "\n"
        text = substr(text, RSTART + RLENGTH - 1)
    }
    return escaped(before text)
}

# A word that mdoc must not take for a macro or for punctuation.
function word(text) {
    return "\\&" escaped(text)
}

function sentence(text) {
    text = toupper(substr(text, 1, 1)) substr(text, 2)
    return plain(text) (text ~ /[.?!)]$/ ? "" : ".")
}

function option(line,    name, argument, help) {
    sub(/^ +--/, "", line)
    name = line
    sub(/ .*/, "", name)
    argument = substr(line, length(name) + 1)
    help = argument
    if (match(argument, /  +/)) {
        help = substr(argument, RSTART + RLENGTH)
        argument = substr(argument, 1, RSTART - 1)
    }
    sub(/^ /, "", argument)
    if (!listed++)
        print ".Bl -tag -width Ds"
    print ".It Fl -" name (argument != "" ? " Ar " word(argument) : "")
    print sentence(help)
}

function end_list() {
    if (listed)
        print ".El"
    listed = 0
}

function end_display() {
    if (display)
        print ".Ed"
    display = 0
}

# What follows the options: paragraphs, and lines that are indented because they are to be typed or are a table.
function detail(line) {
    if (line == "") {
        end_display()
        pending = 1
    } else if (line ~ /^ /) {
        if (!display)
            print ".Bd -literal -offset indent"
        display = 1
        sub(/^  /, "", line)
        print escaped(line)
        pending = 0
    } else {
        if (display || pending) {
            end_display()
            print ".Pp"
        }
        pending = 0
        print plain(line)
    }
}

mode == "calls" && /^[a-z]+:/ { inside = $1 == "paths:"; next }
mode == "calls" && !inside { next }
mode == "calls" && /^  \// { path = substr($1, 1, length($1) - 1); next }
mode == "calls" && /^    (get|post|put|delete):/ { method = toupper(substr($1, 1, length($1) - 1)); next }
mode == "calls" && method != "" && /^      summary: / {
    if (!listed++)
        print ".Bl -tag -width Ds"
    print ".It Li " method " " word(path)
    print sentence(substr($0, index($0, ": ") + 2))
    method = ""
}

mode != "settings" && /^Options:/ { part = "options"; next }

mode == "options" {
    if (part == "options" && /^  --/)
        option($0)
    else if (part == "options")
        part = "rest"
}

mode == "command" && /^Usage: / {
    sub(/^Usage: /, "")
    print ".Dl " escaped($0)
    print ".Pp"
    next
}
mode == "command" && part == "" && NF { print sentence($0); next }
mode == "command" && part == "options" && /^  --/ {
    # These are of every command; the page names them once.
    if ($1 !~ /^--(json|config|help)$/)
        option($0)
    next
}
mode == "command" && part == "options" { end_list(); part = "details"; pending = 1; next }
mode == "command" && part == "details" { detail($0) }

# A block is prose, then "(form; unit; range)", then the line of the file.
mode == "settings" && /^$/ { prose = form = "" }
mode == "settings" && /^# \(/ { form = substr($0, 3); next }
mode == "settings" && /^# / { prose = prose (prose != "" ? " " : "") substr($0, 3); next }
mode == "settings" && /^#[a-z_]+ = / {
    name = substr($1, 2)
    value = substr($0, index($0, " = ") + 3)
    gsub(/^"|"$/, "", value)
    if (!listed++)
        print ".Bl -tag -width Ds"
    print ".It Ic " name
    print plain(prose)
    print ".Pp"
    print sentence(substr(form, 2, length(form) - 2))
    print value == "" ? "By default it is empty." : "Default:"
    if (value != "")
        print ".Li " value
}

END {
    end_list()
    end_display()
}
