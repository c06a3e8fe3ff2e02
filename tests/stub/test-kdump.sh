#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kdump cores: their bytes, raw and flattened, and how the stub is left when they cannot be written.
. "${0%/*}/common.sh"
need_reader

formats=$("$RSPDUMP" --version | sed -n 's/^Formats://p' | tr ' ' '\n' | grep '^kdump-')
[ -n "$formats" ] || skip 'no codec is built in'

rearrange() {
	PYTHONDONTWRITEBYTECODE=1 python3 "$SRC_DIR/tests/stub/rearrange.py" "$1" "$2" ||
		fail "$1 is not flattened as it should be"
}

dump() {
	start_stub "$machine"
	run 0 -f "$@" ":$port"
	end_stub 0
	left_running
}

for format in $formats; do
	dump -F "$format" -o core
	[ "$(stat -c %a core)" = 600 ] || fail "others may read the core"
	# Compressed or not, this tells that it is whole.
	run 0 info --json core
	grep -q "\"format\": *\"$format\"" output || fail "info does not know $format"
	grep -q '"complete": *true' output || fail "$format: not complete"
	grep -q '"pages": *928,' output || fail "$format: not all pages"
	[ "$format" != kdump-zlib ] || read_core

	# The same bytes, whoever compresses and however they travel.
	dump -F "$format" -j 1 -o single
	cmp core single || fail "$format: one thread and many differ"
	dump -F "$format" --flat -o flattened
	rearrange flattened again
	cmp core again || fail "$format: flattened and raw differ"
	start_stub "$machine"
	timeout 60 "$RSPDUMP" -q -F "$format" -o - ":$port" 2>errors | cat >piped
	end_stub 0
	cmp flattened piped || fail "$format: --flat and a pipe differ"
	# Into a file that can seek, stdout gets it raw.
	start_stub "$machine"
	timeout 60 "$RSPDUMP" -q -F "$format" -o - ":$port" >redirected 2>errors
	end_stub 0
	cmp core redirected || fail "$format: -o and stdout differ"
done

dump --flat --json -o flattened
grep -q '"flattened": *true' output || fail "--json does not tell that it is flattened"
rearrange flattened core
read_core
run 0 info flattened
grep -q '^core  *elf, flattened, 64 bits' output || fail "info does not know a flattened ELF core"

case $formats in
*kdump-zlib*) ;;
*) skip 'zlib is not built in' ;;
esac

# A VMCOREINFO that is only passed by belongs into the headers that were written before.
text=$(printf 'OSRELEASE=6.1.0\nPAGESIZE=4096\nSYMBOL(x)=1\n' | od -An -tx1 | tr -d ' \n')
note="0b000000 2a000000 00000000 564d434f5245494e464f0000 $text"
for how in '' --flat; do
	start_stub -e "memory 5000 42 $note" "$machine"
	# shellcheck disable=SC2086 # a word or none
	run 0 -f $how -F kdump-zlib -o core ":$port"
	end_stub 0
	[ -z "$how" ] || { rearrange core again && mv again core; }
	run 0 info --json core
	grep -q '"release": *"6.1.0"' output || fail "the late VMCOREINFO is not among the notes"
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$SRC_DIR/tests/vm python3 - core <<-'END' || fail 'no offset'
	import sys
	from kdumpcore import KdumpCore
	core = KdumpCore(open(sys.argv[1], "rb").read())
	assert core.vmcoreinfo == b"OSRELEASE=6.1.0\nPAGESIZE=4096\nSYMBOL(x)=1\n", core.vmcoreinfo
	assert core.named("VMCOREINFO")[0].desc == core.vmcoreinfo
	END
done

# Pages that cannot be read.
start_stub -e 'memory 5000 2000 unreadable' "$machine"
run 3 -f -F kdump-zlib -o core ":$port"
end_stub 0
left_running
zero=5000-7000
read_core
zero=''

# A range that begins and ends within a page: the rest of the page is zero.
start_stub "$machine"
run 0 -f -F kdump-zlib --ram 0x1800-0x27ff -o core ":$port"
end_stub 0
run 0 info --json core
grep -q '"pages": *2,' output || fail "parts of pages are not pages"

# What cannot be written, and whoever stops reading.
rm -f core
if [ -w /dev/full ]; then
	start_stub "$machine"
	timeout 60 "$RSPDUMP" -F kdump-zlib -o - ":$port" >/dev/full 2>errors
	[ $? -eq 6 ] || fail "no space left, and another exit status than 6"
	end_stub 0
	left_running
	says 'No space left on device'
fi
start_stub "$machine"
{
	timeout 60 "$RSPDUMP" -F kdump-zlib -o - ":$port" 2>errors
	echo $? >status
} | head -c 5000 >/dev/null
[ "$(cat status)" = 6 ] || fail "nobody reads any more, and another exit status than 6"
end_stub 0
left_running
says 'Broken pipe'

# ---- the command line ------------------------------------------------------------------------

run 2 --compress-level 1 -o core ":$port"
says '--compress-level means nothing to elf'
run 2 -F kdump-zlib --compress-level 10 -o core ":$port"
says '--compress-level of kdump-zlib is 1 to 9'
no_core
cat "$SRC_DIR"/*/*.[ch] | head -c 262144 >text
dump_text() {
	start_stub -e "memory 100000 40000 @$work/text" "$machine"
	run 0 -f "$@" ":$port"
	end_stub 0
}
dump_text -F kdump-zlib -o core
dump_text -F kdump-zlib --compress-level 9 -o smaller
[ "$(stat -c %s smaller)" -lt "$(stat -c %s core)" ] || fail "level 9 is not smaller than level 1"
