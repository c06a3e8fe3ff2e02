#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The stub goes away in the middle, at the beginning or at the end: exit status 4, and no core.
. "${0%/*}/common.sh"

# lost TEXT SETTING...
lost() {
	text=$1
	shift
	start_stub "$@" "$machine"
	run 4 --timeout 1 --retry 0 -o core ":$port"
	end_stub 0
	grep -q "$text" errors || fail "it does not say: $text"
	[ ! -e core ] || fail "there is a core"
	rm -f core.partial
}

closed='closed the connection\|Connection reset by peer\|Broken pipe'
for nth in 2 4 8 20 60 200 1000; do
	lost "$closed" -e "close $nth"
	lost "$closed" -e "truncate $nth"
done
lost 'silent for 1 second' -e 'silent 300'

# When all memory is read, the core is whole, whatever the stub makes of the good-bye.
need_reader
start_stub -e deaf-to-detach "$machine"
run 4 --timeout 1 --retry 0 -o core ":$port"
end_stub 0
grep -q ': core: .* of memory' errors || fail "it does not tell of the core"
grep -q 'leaving the stub: .*silent for 1 second.*the guest may stand still now' errors ||
	fail "it does not tell of the guest"
[ ! -e core.partial ] || fail "core.partial is still there"
read_core
rm core

# And then it talks nonsense.
start_stub -e 'bad-checksum 300' "$machine"
run 5 --retry 0 -o core ":$port"
end_stub 0
says 'wrong checksum'
no_core
left_running
