# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs that open cores, each asked for what it can tell without debugging symbols."""

import re

from harness import Failure, check, check_equal, need, run, skip

# What the readers say must not depend on who runs the test, nor what they do on their ~/.gdbinit.
ENVIRONMENT = {"LC_ALL": "C", "HOME": "/nonexistent"}


def need_readers():
    need("crash", "makedumpfile", "gdb", "readelf", "eu-readelf")
    try:
        import drgn  # noqa: F401
        import kdumpfile  # noqa: F401
    except ImportError as error:
        skip(f"the Python module {error.name} is not installed")


def _read(*command, **options):
    return run(*command, env=ENVIRONMENT, **options)


def check_readelf(core):
    """Both readelfs find nothing to complain of."""
    done = _read("readelf", "-hlnW", core)
    check_equal(done.stderr, "", "what readelf complains of")
    check("Warning" not in done.stdout, f"readelf warns: {done.stdout}")
    done = _read("eu-readelf", "-n", core)
    check_equal(done.stderr, "", "what eu-readelf complains of")
    check("VMCOREINFO" in done.stdout, f"eu-readelf sees no VMCOREINFO: {done.stdout[:1000]}")


def check_crash(core, release):
    done = _read("crash", "--osrelease", core)
    check_equal(done.stdout.strip(), release, "crash --osrelease")


def check_makedumpfile(core, release, directory):
    """The kernel's log is there; and a filtered copy is made, whose path is returned."""
    log = directory / f"{core.name}.dmesg"
    _read("makedumpfile", "--dump-dmesg", core, log)
    text = log.read_text(errors="replace")
    for line in (f"Linux version {release}", "rspdump-guest: in the kernel log"):
        check(line in text, f"{line!r} is not in the kernel's log:\n{text[-1500:]}")
    small = directory / f"{core.name}.filtered"
    done = _read("makedumpfile", "-D", "-d", "31", core, small)
    check("makedumpfile Completed" in done.stdout, f"makedumpfile -d 31: {done.stdout[-1500:]}")
    check_crash(small, release)
    return small


def check_gdb(core, cpus, uts_release, release):
    """Every vCPU is a thread, and the kernel's data are where the kernel has them."""
    done = _read(
        *("gdb", "-nx", "-batch", "-ex", f"core-file {core}", "-ex", "info threads"),
        *("-ex", f"x/s {uts_release:#x}"),
    )
    threads = re.findall(r"^[* ]+\d+ +(LWP \d+) ", done.stdout, re.MULTILINE)
    check_equal(threads, [f"LWP {n + 1}" for n in range(cpus)], "gdb's threads")
    check(f'"{release}"' in done.stdout, f"gdb does not read memory: {done.stdout}{done.stderr}")


def check_drgn(core, uts_release, release):
    """drgn takes it for a Linux kernel's core, and reads by virtual and by physical address."""
    import drgn

    program = drgn.Program()
    try:
        program.set_core_dump(str(core))
    except Exception as error:
        raise Failure(f"drgn does not open the core: {error}") from error
    check(program.flags & drgn.ProgramFlags.IS_LINUX_KERNEL, "drgn: not a Linux kernel's core")
    check_equal(program.platform.arch, drgn.Architecture.X86_64, "drgn: architecture")
    found = program.read(uts_release, 65).split(b"\0")[0].decode()
    check_equal(found, release, "drgn: the release in the kernel's memory")
