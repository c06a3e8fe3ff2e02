#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A stub that nothing is known of gets one request at a time and a '+' for each answer: bhyve, kgdb
# and gem5 drop what comes earlier. It is no use for a dump of physical memory, and says so.
. "${0%/*}/common.sh"

sed '/^unsolicited/d' "$machine" >careful.machine
start_stub -e careful -e 'physical -1' careful.machine
run 5 -o core ":$port"
end_stub 0
says 'virtual addresses only'
no_core
[ "$(grep '^> ' log | tail -n 1)" = '> D;1' ] || fail "D is not the last word"
