#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The program as it is built by default is hardened: read from the program, and not from the flags
# that it was built with.
. "${0%/*}/common.sh"

need readelf
compiler=${CC:-gcc}

# hardened FILE: prints what it lacks.
hardened() {
	LC_ALL=C readelf -hlWd "$1" >elf
	LC_ALL=C readelf -W --dyn-syms "$1" >symbols
	grep -Eq '^ *Type: +DYN' elf || echo 'position independence'
	grep -q 'BIND_NOW' elf || echo 'binding at the start'
	grep -q 'GNU_RELRO' elf || echo 'relocations that are read only'
	grep -Eq 'GNU_STACK .* RW +0x' elf || echo 'a stack that does not run'
	! grep -Eq '^ +LOAD .* RWE ' elf || echo 'memory that is either written or run'
	grep -q ' UND __stack_chk_fail' symbols || echo 'the stack protector'
	grep -Eq ' UND __(v|f)?(sn)?printf_chk' symbols || echo '_FORTIFY_SOURCE'
}

enter hardening
configure --enable-werror
run_make -j2 rspdump
hardened rspdump >lacking
[ ! -s lacking ] || {
	cat lacking
	fail "the program lacks some of its hardening"
}

# All of it is missed where there is none.
echo 'int main(void) { return 0; }' >bare.c
$compiler -O2 -fno-stack-protector -no-pie -Wl,-z,norelro -Wl,-z,lazy -Wl,-z,execstack -o bare bare.c ||
	skip "$compiler cannot make a program without hardening"
hardened bare >lacking
for what in position binding relocations stack protector FORTIFY; do
	contains lacking "$what"
done
