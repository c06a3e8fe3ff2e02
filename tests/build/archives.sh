#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What layering.sh checks in the sources holds in what the compiler made of them: no archive lacks
# a function that a room has which it may not know.
. "${0%/*}/common.sh"

need nm
: "${BUILD_DIR:?}"

for room in arch layout rsp client; do
	nm --defined-only --extern-only "$BUILD_DIR/lib$room.a" 2>/dev/null |
		awk 'NF == 3 { print $3 }' | sort -u >$room.has
	nm --undefined-only "$BUILD_DIR/lib$room.a" 2>/dev/null |
		awk '$1 == "U" { print $2 }' | sort -u | comm -23 - $room.has >$room.lacks
done
if [ ! -s arch.has ] || [ ! -s rsp.lacks ]; then
	fail "nm shows no symbols"
fi

status=0
apart() { # ROOM OTHER
	comm -12 "$1.lacks" "$2.has" >both
	if [ -s both ]; then
		echo "$1 uses of $2:"
		cat both
		status=1
	fi
}
apart arch layout
apart arch rsp
apart arch client
apart layout rsp
apart layout client
apart rsp arch
apart rsp layout
apart rsp client

# Two rooms with a function of the same name, and the linker takes whichever comes first.
sort arch.has layout.has rsp.has client.has | uniq -d >twice
if [ -s twice ]; then
	echo "in more than one room:"
	cat twice
	status=1
fi
exit $status
