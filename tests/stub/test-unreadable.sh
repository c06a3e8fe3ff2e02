#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Pages that cannot be read: exit status 3, zeros in the core, and a list of them.
. "${0%/*}/common.sh"
need_reader

zero='5000-7000 3ff000-400000'
for way in 'error E14' 'error E79' 'error E.no' 'error-tail' 'partial'; do
	start_stub -e 'memory 5000 2000 unreadable' -e 'memory 3ff000 1000 unreadable' -e "$way" \
		"$machine"
	run 3 -f -v -o core ":$port"
	end_stub 0
	left_running
	read_core
	grep -q '12.0 KiB could not be read, in 2 places from 0x5000 on' errors ||
		fail "it does not say how much is missing"
	grep -q 'cannot be read: 0x5000-0x6fff$' errors || fail "0x5000 is not listed"
	grep -q 'cannot be read: 0x3ff000-0x3fffff$' errors || fail "0x3ff000 is not listed"
done

# Larger reads have to be taken apart.
start_stub -e 'memory 105000 1000 unreadable' -e 'limit 65536' \
	-e 'supported PacketSize=20020;qXfer:features:read+;multiprocess+' "$machine"
run 3 -f -v -o core ":$port"
end_stub 0
zero=105000-106000
read_core
grep -q 'cannot be read: 0x105000-0x105fff$' errors || fail "0x105000 is not listed"
