#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How the guest is left: as it was found, running, or stopped.
. "${0%/*}/common.sh"

# left HOW ARGUMENT... -- SETTING...
left() {
	how=$1
	shift
	arguments=''
	while [ "$1" != -- ]; do
		arguments="$arguments $1"
		shift
	done
	shift
	start_stub "$@" "$machine"
	# shellcheck disable=SC2086 # words
	run 0 $arguments -f -o core ":$port"
	end_stub 0
	"left_$how"
}

left running --
left running --after auto --
left running --after resume --
left stopped --after stop --

# QEMU 7.2 tells by itself that it stopped a guest, so this one stood still before.
panicked='monitor info status = VM status: paused (guest-panicked)'
sed '/^unsolicited/d' "$machine" >quiet.machine
machine=quiet.machine
left stopped --
left stopped --after auto --
left running --after resume --
# QEMU 10.0 does not, and the monitor tells.
newer='monitor info version = 10.0.13'
left running -- -e "$newer"
left stopped -- -e "$newer" -e "$panicked"
left running --after resume -- -e "$newer" -e "$panicked"
