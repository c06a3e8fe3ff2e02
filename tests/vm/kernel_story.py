# SPDX-License-Identifier: GPL-2.0-or-later
"""The story of kernel-*: Debian's kernel of some CPU is booted and stopped, and cores of it are
taken, an ELF and a kdump core. What is in them is compared with what the guest's kernel says of
itself, with its memory, and with QEMU's own walk of the page tables; and readers that know the CPU
find the kernel's data by virtual addresses."""

import json
import time
from dataclasses import dataclass

import kdumpfile
from core_story import Truth
from elfcore import ElfCore
from guest import Guest
from harness import Failure, check, check_equal, rspdump, step, tell
from kdumpcore import KdumpCore
from kdumpfile.exceptions import KDumpBaseException

UTSNAME = 6, 65  # strings of struct new_utsname, and bytes of each
UTS_KEYS = ("sysname", "nodename", "release", "version", "machine")
BOOT_SECONDS = 240
STOPS = 200


@dataclass
class Kind:
    """What sets the guest of one test apart."""

    foreign: str  # as fetch-foreign.sh names the kernel
    program: str
    arch: str  # as our program names it
    elf_machine: int
    elf_class: int = 2
    kdump_class: int = 0  # the kernel's, where that of ELF is of another by the memory that it has
    order: str = "<"
    machine: str = "virt"
    cpu: str = "max"
    memory: str = "256M"
    terminal: str = "ttyS0"
    append: tuple = ()
    extra: tuple = ()
    said: str = ""  # a text on the console that shows that the guest is of the kind
    # The readers that translate addresses of this CPU by its page tables.
    readers: tuple = ("drgn", "libkdumpfile")
    # libkdumpfile has to be told where the page tables are: it finds the direct map by them, and
    # them by their virtual address.
    tell_root: bool = False
    # kdump headers that libkdumpfile up to 0.5.1 does not know: the project's own reader reads them.
    padded: bool = False
    # Pages of RAM of which the kernel keeps no record: a flat mem_map begins behind page 0 and ends
    # before the firmware's tables.
    without_record: int = 0
    # Virtual addresses of all of RAM are in PT_LOADs, where there is an address for it.
    direct_map: bool = True


def check_kernel(*arguments, **kind):
    tell(lambda directory: story(directory, Kind(*arguments, **kind)))


def story(directory, kind):
    step(f"boot {kind}")
    guest = Guest(
        directory,
        program=kind.program,
        foreign=kind.foreign,
        machine=kind.machine,
        cpu=kind.cpu,
        memory=kind.memory,
        terminal=kind.terminal,
        append=kind.append,
        extra=kind.extra,
    )
    with guest:
        guest.wait_ready(BOOT_SECONDS)
        truth = stop_in_kernel(guest, kind)
        check(kind.said in guest.console(), f"the guest did not say {kind.said!r}")
        names = guest.told("uname")

        step("take the cores")
        elf, kdump = directory / "core", directory / "kdump"
        rspdump("--after", "stop", "-o", elf, guest.gdb)
        rspdump("--after", "stop", "-F", "kdump-zlib", "-o", kdump, guest.gdb)
        filtered = directory / "filtered"
        told = rspdump("--after", "stop", "-d", "31", "--json", "-o", filtered, guest.gdb).stdout

        step("look at the ELF core")
        core = ElfCore(elf)
        check_equal(core.header.machine, kind.elf_machine, "e_machine")
        check_equal((core.elf_class, core.order), (kind.elf_class, kind.order), "class and order")
        check_equal(core.vmcoreinfo(), truth.vmcoreinfo, "VMCOREINFO")
        check_equal(truth.value("OSRELEASE"), names[2], "OSRELEASE")
        check_story(elf, kind, names[2], kind.elf_class)
        check_story(kdump, kind, names[2], kind.kdump_class or kind.elf_class)
        check_loads(core, guest, truth, kind)

        step("compare the memory")
        for first, last in truth.ram:
            for at in range(first, last + 1, 1 << 24):
                size = min(1 << 24, last + 1 - at)
                expected = guest.memory(at, size)
                check(core.read(at, size) == expected, f"the core's memory from {at:#x}")

        step("what dump level 31 left out")
        check_filtered(filtered, core, kind, json.loads(told), int(guest.told("free")[0]))

        step("read by virtual addresses")
        uts = guest.memory(translate(guest, truth.uts), UTSNAME[0] * UTSNAME[1])
        check_equal(strings(uts)[: len(names)], names, "utsname in memory")
        if "drgn" in kind.readers:
            for path in (elf, filtered):
                read = read_by_drgn(path, truth.uts, len(uts))
                check_equal(read, uts, f"utsname as drgn reads it from {path.name}")
        if kind.padded:
            check_padded_kdump(kdump, core, truth, names)
            return
        root = kind.tell_root and translate(guest, truth.symbol("swapper_pg_dir"))
        check_kdump(kdump, truth, uts, names, "libkdumpfile" in kind.readers, root)


def stop_in_kernel(guest, kind):
    """Stops the guest where QEMU can tell what the kernel's addresses are: while a user's program
    runs, none of them is mapped on some CPUs, and on others the program may not see them."""
    for _ in range(STOPS):
        guest.stop()
        truth = Truth(guest, kind.order)
        try:
            translate(guest, truth.symbol("_stext"))
            translate(guest, truth.uts)
            return truth
        except Failure:
            guest.cont()
            time.sleep(0.05)
    raise Failure(f"the kernel was not to be seen in {STOPS} stops")


def check_filtered(path, whole, kind, told, free):
    """The kernel's own records of its pages were understood: as many pages are free as it said on its
    console, in KiB, and what was kept is as it was."""
    pages = told["pages"]
    size = pages["page_bytes"]
    left_out = sum(pages[name] for name in ("cache", "private_cache", "user", "free", "offline"))
    print(f"{pages}, of which the kernel had {free} KiB free")
    check_equal(pages["undecided"], kind.without_record, "pages that are undecided")
    check_equal(pages["kept"] + left_out, pages["total"], "pages that are kept or left out")
    # Some are on the lists of a CPU, or were taken or freed since.
    check(0.75 * free < pages["free"] * size / 1024 < 1.1 * free, "free pages are not its free pages")
    check(pages["struct_bytes"] >= pages["total"] * 32, "no page structures were read")
    kept, core = 0, ElfCore(path)
    for load in core.loads:
        kept += load.filesz
        for at in range(load.paddr, load.paddr + load.filesz, 1 << 24):
            length = min(1 << 24, load.paddr + load.filesz - at)
            check_kept(core.read(at, length), whole.read(at, length), size, at)
    check(kept < pages["total"] * size / 2, f"{kept} bytes were kept")


def check_kept(data, expected, size, at):
    """A short gap is zeros."""
    if data == expected:
        return
    for offset in range(0, len(data), size):
        page = data[offset : offset + size]
        if page.strip(b"\0"):
            check(page == expected[offset : offset + size], f"the page at {at + offset:#x}")


def strings(uts):
    count, size = UTSNAME
    return [uts[n * size : (n + 1) * size].split(b"\0")[0].decode() for n in range(count)]


def check_story(core, kind, release, core_class):
    """What our own program says of the core."""
    told = json.loads(rspdump("info", "--json", core).stdout)
    check_equal(told["arch"], kind.arch, f"info {core.name}: CPU")
    check_equal(told["bits"], {1: 32, 2: 64}[core_class], f"info {core.name}: bits")
    check_equal(told["byte_order"], {"<": "little", ">": "big"}[kind.order], "byte order")
    check_equal(told["cpus"], 2, f"info {core.name}: CPUs")
    check_equal(told["release"], release, f"info {core.name}: release")


def translate(guest, vaddr):
    """The physical address of a virtual one in the kernel, by QEMU's own walk of the page tables. A
    vCPU that was stopped in a user's program may not have the kernel in its own, and firmware may run
    without any: then the address comes back as it is."""
    found = []
    for cpu in range(2):
        guest.hmp(f"cpu {cpu}")
        reply = guest.hmp(f"gva2gpa {vaddr:#x}").strip()
        if reply.startswith("gpa: "):
            found.append(int(reply.removeprefix("gpa: "), 16))
    if not found:
        raise Failure(f"QEMU does not find {vaddr:#x}: {reply}")
    return next((paddr for paddr in found if paddr != vaddr), vaddr)


def check_loads(core, guest, truth, kind):
    """The core knows the kernel's virtual addresses, the ones that the guest's MMU knows."""
    mapped = [load for load in core.loads if load.vaddr != load.paddr]
    if kind.direct_map:
        check(mapped, "no PT_LOAD has virtual addresses")
    for load in mapped:
        for first, last in truth.ram:
            # What is at the end of RAM may be the firmware's, and not in the kernel's map.
            first, last = max(first, load.paddr), min(last, load.paddr + load.memsz - 1)
            if first > last:
                continue
            for paddr in (first, last):
                vaddr = load.vaddr + paddr - load.paddr
                check_equal(translate(guest, vaddr), paddr, f"what is mapped at {vaddr:#x}")
    stext = truth.symbol("_stext")
    load = next((x for x in core.loads if x.vaddr <= stext < x.vaddr + x.memsz), None)
    check(load, f"no PT_LOAD has the kernel's text at {stext:#x}")
    check_equal(load.paddr + stext - load.vaddr, translate(guest, stext), "where _stext is")


def read_by_drgn(core, vaddr, size):
    import drgn

    program = drgn.Program()
    try:
        program.set_core_dump(str(core))
        check(program.flags & drgn.ProgramFlags.IS_LINUX_KERNEL, "drgn: no Linux kernel's core")
        return program.read(vaddr, size)
    except Exception as error:
        raise Failure(f"drgn: {error}") from error


def check_padded_kdump(path, elf, truth, names):
    core = KdumpCore(path.read_bytes(), from_phys_base=True)
    check_equal([word.decode() for word in core.utsname[: len(names)]], names, "utsname")
    check_equal(core.vmcoreinfo, truth.vmcoreinfo, "VMCOREINFO of the kdump core")
    check_equal(core.notes, elf.notes, "notes of the kdump core")
    pages = sum(last + 1 - first for first, last in truth.ram) // core.block
    check_equal((len(core.ram), len(core.held)), (pages, pages), "pages of the kdump core")
    for address, data in elf.pieces(1 << 24):
        check(core.read(address, len(data)) == data, f"the kdump core's memory from {address:#x}")


def check_kdump(path, truth, uts, names, translates, root):
    try:
        core = kdumpfile.kdumpfile(file=str(path))
        core.attr["addrxlat.ostype"] = "linux"
        if root:
            core.attr["addrxlat.default.rootpgt.as"] = kdumpfile.KDUMP_MACHPHYSADDR
            core.attr["addrxlat.default.rootpgt.addr"] = root
        told = [core.attr[f"linux.uts.{key}"] for key in UTS_KEYS[: len(names)]]
        check_equal(told, names, "libkdumpfile: utsname")
        vmcoreinfo = bytes(memoryview(core.attr["linux.vmcoreinfo.raw"]))
        check_equal(vmcoreinfo, truth.vmcoreinfo, "libkdumpfile: VMCOREINFO")
        if translates:
            found = core.read(kdumpfile.KDUMP_KVADDR, truth.uts, len(uts))
            check_equal(found, uts, "utsname as libkdumpfile reads it")
    except KDumpBaseException as error:
        raise Failure(f"libkdumpfile: {error}") from error
