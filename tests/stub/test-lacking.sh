#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A stub or a guest that lacks what a core needs, and stubs that try to keep us busy for ever: exit
# status 5, one line, and the guest runs again.
. "${0%/*}/common.sh"

# lacking TEXT SETTING...
lacking() {
	text=$1
	shift
	start_stub "$@" "$machine"
	run 5 -o core ":$port"
	end_stub 0
	says "$text"
	no_core
	left_running
}

# "info mtree -f", in the form in which it travels
mtree='answer qRcmd,696e666f206d74726565202d66'
lacking 'no RAM map' -e "$mtree <<
."
lacking 'no RAM map' -e "$mtree 4f4b"
lacking 'no RAM map' -e 'monitor info mtree -f = unknown command: info mtree'
lacking 'does not tell what its CPU is' -e 'supported PacketSize=1000;multiprocess+'
lacking 'E00' -e 'answer qXfer:features:read:target.xml:0,ffc E00'
lacking '"z80"' -e 'object features:target.xml <target><architecture>z80</architecture></target>'
lacking 'XML entities' -e 'object features:target.xml <!DOCTYPE t [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;">]><t>&b;</t>'
lacking 'includes too much' -e 'object features:core.xml <t><xi:include href="core.xml"/></t>'
lacking 'an object of more than' -e endless-object
lacking 'an empty packet of threads' -e 'answer qfThreadInfo m'
lacking 'the stub lists no threads' -e 'answer qfThreadInfo l' -e 'answer qsThreadInfo l'
lacking 'more than 4096 threads' -e endless-threads
