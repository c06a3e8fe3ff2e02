#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Flags: the user's with all their blanks and quotes, ours, and who wins.
. "${0%/*}/common.sh"

enter flags

configure "CFLAGS=-O1 -g1  -DTEXT='\"two words\"'" 'CPPFLAGS=-DHASH=#' LIBS=-lm
make_says rspdump
contains make.out "-O1 -g1  -DTEXT='\"two words\"'"
contains make.out '-DHASH=#'
contains make.out ' -lm'
contains make.out -D_FORTIFY_SOURCE=
contains make.out -fstack-protector-strong
contains make.out -fstack-clash-protection
contains make.out '-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed'
case $(uname -m) in
x86_64) contains make.out -fcf-protection ;;
aarch64) contains make.out -mbranch-protection=standard ;;
esac
lacks make.out -Werror
run_make V=1 arch/notes.o
contains make.out "-DTEXT='\"two words\"'"

# The user's come last, so that they win; make's over configure's.
make_says arch/error.o CFLAGS=-Wno-shadow
grep -q -e '-Wshadow.* -Wno-shadow ' make.out || fail "our flags come after the user's"
# Fortification without optimisation is a warning for each file.
lacks make.out _FORTIFY_SOURCE
make_says arch/error.o CFLAGS='-O2 -O0'
make_says arch/error.o CFLAGS=-O0
lacks make.out _FORTIFY_SOURCE
make_says arch/error.o CPPFLAGS=-D_FORTIFY_SOURCE=1
contains make.out _FORTIFY_SOURCE=1
lacks make.out _FORTIFY_SOURCE=3

configure --disable-hardening
contains configure.out 'hardening   none'
make_says rspdump
lacks make.out _FORTIFY_SOURCE
lacks make.out -pie
lacks make.out -fstack-protector
lacks make.out -fstack-clash-protection

configure --enable-werror --enable-debug
make_says arch/error.o
contains make.out ' -Werror '
contains make.out '-Og -g3'
configure --enable-debug CFLAGS=-O3
make_says arch/error.o
lacks make.out -Og
contains make.out -O3

configure --enable-coverage
make_says rspdump
contains make.out --coverage

configure --enable-sanitize
contains configure.out 'sanitizers  address,undefined'
make_says rspdump
contains make.out '-fsanitize=address,undefined -fno-omit-frame-pointer'
lacks make.out _FORTIFY_SOURCE
configure --enable-sanitize=thread
contains Makefile -fsanitize=thread
# libFuzzer has a main() of its own, which only what is to be fuzzed wants.
if command -v clang >/dev/null &&
	echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' >fuzz.c &&
	clang -fsanitize=fuzzer -o fuzz fuzz.c 2>/dev/null; then
	configure CC=clang --enable-sanitize=address,fuzzer
	contains Makefile '-fsanitize=address,fuzzer-no-link'
	make_says rspdump
	lacks make.out '-fsanitize=fuzzer '
	if grep -q '^HAVE_CMOCKA = 1' Makefile; then
		make_says tests/fuzz/fuzz_packets
		contains make.out '-fsanitize=fuzzer '
		lacks make.out tests/fuzz/replay
	fi
fi

configure 'CFLAGS=-O2 -no-pie'
make_says rspdump
lacks make.out ' -pie'

# Another compiler takes other flags; all that it is given, it has to take without a word.
if command -v clang >/dev/null; then
	configure CC=clang --enable-werror
	contains Makefile -Wshadow
	lacks Makefile -Wlogical-op
	run_make libarch.a
	lacks make.out warning:
fi
