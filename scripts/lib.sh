# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts share: messages, packages, building.  Sourced, never run.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# Every build folder and, unless told otherwise, every state lies below this one.
BUILD_ROOT=${SAYHOOK_BUILD_ROOT:-$TOP/build}
LOG_DIR=$BUILD_ROOT/log
# A silent step says that it lives this often, in seconds.
PROGRESS_EVERY=10

say() {
    printf '%s\n' "$*"
}

# die STATUS MESSAGE…: the statuses are those of sysexits.h.
die() {
    local status=$1
    shift
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit "$status"
}

# The last line of a log that holds text, cut to a terminal's width.
last_line() {
    tail -n 20 "$1" 2>/dev/null | grep -v '^[[:space:]]*$' | tail -n 1 | cut -c1-70 || true
}

# Prints what a running step does, every PROGRESS_EVERY seconds, until it has ended or shall end.
watch_step() {
    local pid=$1 log=$2 begun=$SECONDS ticks=0
    while ((!step_shall_end)) && kill -0 "$pid" 2>/dev/null; do
        # Ctrl-C ends the sleep, too.
        sleep 0.2 || true
        ticks=$((ticks + 1))
        if ((ticks % (PROGRESS_EVERY * 5) == 0)); then
            printf '      %3d s  %s\n' $((SECONDS - begun)) "$(last_line "$log")"
        fi
    done
}

# What a step runs gets so long to end before it is killed, in tenths of a second.
STEP_PATIENCE=100

# end_group GROUP: every process of it, for the first one's children outlive it.
end_group() {
    local waited=0
    kill -TERM -- "-$1" 2>/dev/null || true
    while kill -0 -- "-$1" 2>/dev/null && ((waited++ < STEP_PATIENCE)); do
        sleep 0.1 || true
    done
    kill -KILL -- "-$1" 2>/dev/null || true
}

# A step that must not be ended is started in the script's own group, and its caller has traps.
step_ends_itself=0

# quiet_step NAME TITLE COMMAND…: runs the command with its output in LOG_DIR/NAME.log.  What ends the script ends the
# command first: in the background it would have Ctrl-C ignored and go on, so it gets a process group of its own.
quiet_step() {
    local log=$LOG_DIR/$1.log title=$2 begun=$SECONDS status=0 pid step_shall_end=0
    shift 2
    mkdir -p "$LOG_DIR"
    printf '==> %s\n' "$title"
    if ((step_ends_itself)); then
        "$@" >"$log" 2>&1 </dev/null &
    else
        trap 'step_shall_end=1' INT TERM HUP
        set -m
        "$@" >"$log" 2>&1 </dev/null &
        set +m
    fi
    pid=$!
    watch_step "$pid" "$log"
    ((!step_shall_end)) || end_group "$pid"
    wait "$pid" 2>/dev/null || status=$?
    ((step_ends_itself)) || trap - INT TERM HUP
    ((!step_shall_end)) || die 130 "interrupted; see $log"
    if ((status != 0)); then
        printf '      %3d s  failed with status %d: see %s\n' $((SECONDS - begun)) "$status" "$log"
    else
        printf '      %3d s  done\n' $((SECONDS - begun))
    fi
    return "$status"
}

# The same, and where it fails the end of its output is shown.
step() {
    local status=0
    quiet_step "$@" || status=$?
    ((status == 0)) || tail -n 60 "$LOG_DIR/$1.log" >&2
    return "$status"
}

# --- packages -------------------------------------------------------------------------------------------------------

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        die 77 "must be root or have sudo to run: $*"
    fi
}

# Prints those packages of the lists that are not installed.
missing_packages() {
    local name
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@" | while read -r name; do
        # nginx comes in several flavours, and any of them will do.
        [[ $name == nginx-light ]] && command -v /usr/sbin/nginx >/dev/null && continue
        # Node.js from elsewhere brings npm along, and Debian's cannot stand beside it.
        [[ $name == npm ]] && command -v npm >/dev/null && continue
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || printf '%s\n' "$name"
    done
}

# Keeps the services that packages bring (nginx, on port 80) from starting, for they are none of ours; Debian's policy
# for invoke-rc.d.  Ours is told by a line of its own, and whoever installs under it holds a lock on it.
POLICY_RC=${SAYHOOK_POLICY_RC:-/usr/sbin/policy-rc.d}
POLICY_MARK='# Made by Sayhook while it installs packages, and removed behind them.'
# So long another installation may take, in seconds.
POLICY_PATIENCE=900

policy_is_ours() {
    [[ -f $POLICY_RC ]] && grep -qxF -- "$POLICY_MARK" "$POLICY_RC" 2>/dev/null
}

# Nothing can remove it behind a script that was killed, but the next one.
remove_leftover_policy() {
    if policy_is_ours && flock -n "$POLICY_RC" true; then
        say "Removing $POLICY_RC, which an installation that was killed left behind."
        (as_root rm -f "$POLICY_RC") || say "Remove it by hand: with it no service starts that a package brings." >&2
    fi
}

# An administrator's own stays, and does as well.
make_policy() {
    if policy_is_ours; then
        say "Waiting for another installation."
        flock -w "$POLICY_PATIENCE" "$POLICY_RC" true || true
    fi
    [[ ! -e $POLICY_RC ]] || return 1
    # shellcheck disable=SC2016  # the inner shell's
    printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" |
        as_root sh -c 'umask 022 && set -C && cat >"$1" && chmod 755 "$1"' sh "$POLICY_RC"
}

# A step that ends itself has Ctrl-C ignored, which apt-get would inherit.
apt_get() {
    as_root env --default-signal=INT DEBIAN_FRONTEND=noninteractive apt-get -q "$@"
}

# apt_install PACKAGE…: to be called in a shell of its own, as a step is, whose traps it takes: that shell outlives
# whatever ends apt-get, so that the policy goes.
apt_install() {
    local lock stopped=0 status=0
    trap 'stopped=1' INT TERM HUP
    # A source that this machine cannot reach need not hold what is wanted: installing decides.
    apt_get update || status=$?
    ((status <= 128 && !stopped)) || exit 130
    if make_policy; then
        trap 'as_root rm -f "$POLICY_RC"' EXIT
        exec {lock}<"$POLICY_RC"
        flock -n "$lock" || true
    fi
    status=0
    apt_get -y --no-install-recommends -o Dpkg::Use-Pty=0 install "$@" || status=$?
    ((!stopped)) || exit 130
    exit "$status"
}

# install_step TITLE PACKAGE…: half an installation is worse than a late end, and what it made must go: both are waited
# for.
install_step() {
    local interrupted=0 status=0 step_ends_itself=1
    trap 'interrupted=1; say "Interrupted: waiting for apt-get to end."' INT TERM HUP
    step packages "$1" apt_install "${@:2}" || status=$?
    trap - INT TERM HUP
    ((!interrupted)) || die 130 "interrupted"
    return "$status"
}

# install_packages LIST…: installs what the lists name and the machine lacks.
install_packages() {
    local missing
    command -v apt-get >/dev/null || die 69 "this is no Debian: install the packages of $* by hand"
    remove_leftover_policy
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]} > 0)) || return 0
    # Asked here, where the terminal is: a step has none.
    ((EUID == 0)) || { command -v sudo >/dev/null && sudo -v; } || die 77 "must be root or have sudo to install: ${missing[*]}"
    install_step "Installing ${#missing[@]} packages: ${missing[*]}" "${missing[@]}"
}

# --- building -------------------------------------------------------------------------------------------------------

configure_is_stale() {
    [[ ! -x $TOP/configure || ! -f $TOP/Makefile.in || $TOP/configure.ac -nt $TOP/configure || $TOP/Makefile.am -nt $TOP/Makefile.in ]]
}

configure_into() {
    local folder=$1
    shift
    mkdir -p "$folder"
    cd "$folder" || return
    # In a step there is no errexit: a failure must be the function's own.
    rm -f .configured-with
    "$TOP/configure" "$@" || return
    printf '%s\n' "$*" >.configured-with
}

make_in() {
    local folder=$1
    shift
    make -C "$folder" -j "$(nproc)" "$@"
}

# Two makes in one folder spoil each other's files.  So long one waits for another, in seconds: the slowest machine builds
# everything within it.
BUILD_PATIENCE=1800

# hold_lock FILE WHO PATIENCE: puts into lock a descriptor that holds the lock of FILE, which another of WHO may have.
hold_lock() {
    mkdir -p "${1%/*}" || return
    exec {lock}>>"$1" || return
    if ! flock -n "$lock"; then
        say "Waiting for another $2."
        flock -w "$3" "$lock" || die 75 "another $2 has been at it for $(($3 / 60)) minutes; see who holds $1 (fuser)"
    fi
}

# with_build_lock COMMAND…: with the builds below BUILD_ROOT to itself.  Commands inherit the lock, so that it is held while
# any of them runs, even where this script was killed; nothing may be started under it that stays.
with_build_lock() {
    local lock status=0
    hold_lock "$BUILD_ROOT/lock" "script that builds below $BUILD_ROOT" "$BUILD_PATIENCE" || return
    "$@" || status=$?
    exec {lock}>&-
    return "$status"
}

# build NAME CONFIGURE-OPTION… [-- MAKE-TARGET…]: brings BUILD_ROOT/NAME up to date; only what changed is made again.
build() {
    with_build_lock build_alone "$@"
}

build_alone() {
    local name=$1 options=() targets=() folder=$BUILD_ROOT/$1
    shift
    while (($# > 0)) && [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    (($# == 0)) || targets=("${@:2}")
    if configure_is_stale; then
        step autoreconf "Generating configure" env -C "$TOP" autoreconf -fi || return
    fi
    if [[ ! -f $folder/Makefile || ! -f $folder/.configured-with || $(<"$folder/.configured-with") != "${options[*]}" ]]; then
        step "configure-$name" "Configuring $folder" configure_into "$folder" "${options[@]}" || return
    fi
    step "build-$name" "Building $folder" make_in "$folder" "${targets[@]}"
}
