# SPDX-License-Identifier: GPL-2.0-or-later
"""The story of test-core-*: a guest of some kind is stopped, its core taken, and nothing in the
core differs from what QEMU's own dump, the guest's own kernel and every reader say."""

import stat
import struct
from dataclasses import dataclass

import compare_notes
from compare_cores import compare
from elfcore import PT_LOAD, PT_NOTE, ElfCore, parse_notes, vmcoreinfo_value
from gdbclient import GdbClient
from guest import Guest
from harness import check, check_equal, rspdump, run, step, tell
from readers import (
    check_crash,
    check_drgn,
    check_gdb,
    check_makedumpfile,
    check_readelf,
    need_readers,
)

PAGE = 4096
TEXT = 0xFFFFFFFF80000000  # __START_KERNEL_map of x86-64
CR4_LA57 = 1 << 12


@dataclass
class Kind:
    """What sets the guest of one test apart."""

    machine: str = "q35"
    cpu: str = "max"
    memory: str = "256M"
    gdb: str = "tcp"
    append: tuple = ()
    driver: bool = False  # the kernel tells QEMU where its VMCOREINFO is
    levels: int = 5  # of page tables
    high_memory: bool = False  # there is RAM above 4 GiB
    big: bool = False  # too big for more than one copy on the disk


def check_core(**kind):
    need_readers()
    tell(lambda directory: story(directory, Kind(**kind)))


def story(directory, kind):
    step(f"boot {kind}")
    guest = Guest(
        directory,
        machine=kind.machine,
        cpu=kind.cpu,
        memory=kind.memory,
        gdb=kind.gdb,
        append=kind.append,
        devices=["vmcoreinfo"] if kind.driver else [],
        modules=["qemu_fw_cfg"] if kind.driver else [],
    )
    with guest:
        guest.wait_ready()
        guest.stop()
        check_kind(guest, kind)

        step("take the core")
        ours = directory / "core"
        rspdump("--after", "stop", "-o", ours, guest.gdb, timeout=600)
        check_equal(guest.status(), "paused", "the guest after --after stop")
        cores = [ours]
        if not kind.big:
            cores.append(directory / "everything")
            rspdump("--after", "stop", "--ram", "all", "-o", cores[1], guest.gdb)
            check_equal(guest.status(), "paused", "the guest after --after stop")
        check_output(directory, cores)

        step("take QEMU's own")
        qemus_memory, qemus_notes = take_reference(guest, directory, kind.big)
        truth = Truth(guest)

        step("compare the memory")
        taken = check_memory(ours, qemus_memory, truth)
        for everything in cores[1:]:
            check_same_memory(everything, qemus_memory)

        step("compare the notes")
        theirs = ElfCore(qemus_notes)
        for core in map(ElfCore, cores):
            differences = list(compare_notes.compare(core, theirs))
            check(not differences, "the notes differ:\n" + "\n".join(differences))
            check_equal(core.vmcoreinfo(), truth.vmcoreinfo, "VMCOREINFO")
        check_equal(theirs.vmcoreinfo() is not None, kind.driver, "QEMU's VMCOREINFO is there")

        step("look at the headers")
        for core in map(ElfCore, cores):
            check_headers(core)
        check_mappings(ElfCore(ours), guest, truth)

        step("open it with everything")
        check_readelf(ours)
        for core in cores:
            check_crash(core, truth.release)
        check_gdb(ours, cpus=2, uts_release=truth.uts_release, release=truth.release)
        check_drgn(ours, truth.uts_release, truth.release)
        filtered = check_makedumpfile(ours, truth.release, directory)
        comparison = compare(filtered, qemus_memory)
        check(comparison.a_is_in_b, f"what makedumpfile has kept is not QEMU's:\n{comparison}")
        check(
            0 < comparison.equal < taken / 2,
            f"makedumpfile -d 31 has kept {comparison.equal} pages",
        )

        step("let the guest go")
        with GdbClient(guest.gdb) as client:
            check_equal(client.ask("qqemu.PhyMemMode"), "0", "physical memory mode, as it was")
        check_equal(guest.status(), "paused", "the guest before it is released")
        rspdump("release", guest.gdb)
        check_equal(guest.status(), "running", "the guest after it is released")
        guest.wait_alive()


class Truth:
    """What the guest's own kernel says, read past the stub. order: of its bytes, as struct has it."""

    def __init__(self, guest, order="<"):
        (self.release,) = guest.told("release")
        self.ram = [tuple(int(end, 16) for end in line.split("-")) for line in guest.told("ram")]
        # /sys/kernel/vmcoreinfo gives the address of the note, and the room for it, not its size.
        ((address, room),) = (line.split() for line in guest.told("vmcoreinfo"))
        page = guest.memory(int(address, 16), int(room, 16))
        _, size, _ = struct.unpack_from(order + "III", page)
        (note,) = parse_notes(page[: 24 + (size + 3 & ~3)], order)
        self.vmcoreinfo = note.desc
        # The virtual addresses of the kernel's own struct new_utsname, and of the release in it.
        self.uts = self.symbol("init_uts_ns") + int(self.value("OFFSET(uts_namespace.name)"))
        self.uts_release = self.uts + 2 * 65

    def value(self, key):
        return vmcoreinfo_value(self.vmcoreinfo, key)

    def symbol(self, name):
        return int(self.value(f"SYMBOL({name})"), 16)


def check_kind(guest, kind):
    """The guest is of the kind that this test is about."""
    cr4 = int(guest.hmp("info registers").split("CR4=")[1].split()[0], 16)
    check_equal(5 if cr4 & CR4_LA57 else 4, kind.levels, "levels of page tables")
    high = any(int(line.split("-")[1], 16) >= 1 << 32 for line in guest.told("ram"))
    check_equal(high, kind.high_memory, "the guest has RAM above 4 GiB")


def check_output(directory, cores):
    """The cores are nobody else's to read, and nothing else is left."""
    for core in cores:
        mode = stat.S_IMODE(core.stat().st_mode)
        check_equal(oct(mode), oct(0o600), f"mode of {core.name}")
    left = [path.name for path in directory.glob("*.partial*")]
    check_equal(left, [], "files left behind")


def take_reference(guest, directory, big):
    """QEMU's own dump: the paths of a core with its memory, and of an ELF core with its notes."""
    memory, notes = directory / "qemus", directory / "qemus.notes"
    if not big:
        guest.dump(memory)
        return memory, memory
    # QEMU writes all of a guest's zeros into an ELF core. And up to 8.1 it only knows the
    # flattened form of kdump, which libkdumpfile 0.5.1 does not read.
    flattened = directory / "qemus.flattened"
    guest.dump(flattened, format="kdump-zlib")
    run("sh", "-c", 'makedumpfile -R "$1" <"$2"', "sh", memory, flattened)
    guest.dump(notes, begin=0, length=1)
    return memory, notes


def check_memory(ours, qemus, truth):
    """All that is in our core is as in QEMU's, and the guest's RAM is whole in it.

    Returns the number of its pages.
    """
    comparison = compare(ours, qemus)
    check(comparison.a_is_in_b, f"our memory differs from QEMU's:\n{comparison}")
    for first, last in truth.ram:
        for missing_first, missing_end in comparison.only_b:
            check(
                missing_end * PAGE <= first or missing_first * PAGE > last,
                f"the guest's RAM {first:#x}-{last:#x} is not whole in the core:\n{comparison}",
            )
    return comparison.equal


def check_same_memory(everything, qemus):
    comparison = compare(everything, qemus)
    check(
        comparison.a_is_in_b and not comparison.only_b,
        f"with --ram all, our memory is not QEMU's:\n{comparison}",
    )


def check_headers(core):
    """What formats ask of an ELF core and readers rely on without looking."""
    check_equal(core.header.type, 4, "e_type (ET_CORE)")
    check_equal(core.header.machine, 62, "e_machine (EM_X86_64)")
    check_equal(core.header.version, 1, "e_version")
    check_equal(core.header.ehsize, 64, "e_ehsize")
    check_equal(core.header.phoff, 64, "e_phoff, where makedumpfile takes it to be")
    check_equal(core.header.phentsize, 56, "e_phentsize")
    check_equal(core.header.shnum, 0, "e_shnum")
    types = [segment.type for segment in core.segments]
    check_equal(types, [PT_NOTE] + [PT_LOAD] * (len(types) - 1), "p_type of the segments")
    check_equal({segment.align for segment in core.segments}, {0}, "p_align")
    first_data = min(load.offset for load in core.loads)
    notes = core.segments[0]
    check(notes.offset >= 64 + 56 * len(types), "the notes lie in the program headers")
    check(notes.offset + notes.filesz <= first_data, "crash wants the notes in front of the memory")
    for load in core.loads:
        check_equal(load.memsz, load.filesz, f"p_memsz of {load}")
        check(load.offset + load.filesz <= core.size, f"{load} ends behind the end of the file")


def translate(guest, vaddr):
    """The physical address of a virtual one, by QEMU's own walk of the page tables."""
    reply = guest.hmp(f"gva2gpa {vaddr:#x}").strip()
    return int(reply.removeprefix("gpa: "), 16) if reply.startswith("gpa: ") else reply


def check_mappings(core, guest, truth):
    """The core knows the kernel's virtual addresses, the ones that the guest's MMU knows."""
    mapped = [load for load in core.loads if load.vaddr != load.paddr]
    for load in mapped:
        for first, last in truth.ram:
            # Firmware's tables at the end of RAM are in a PT_LOAD, but not in the kernel's map.
            first, last = max(first, load.paddr), min(last, load.paddr + load.memsz - 1)
            if first > last:
                continue
            for paddr in (first, last):
                vaddr = load.vaddr + paddr - load.paddr
                check_equal(translate(guest, vaddr), paddr, f"what is mapped at {vaddr:#x}")

    stext = truth.symbol("_stext")
    check(
        any(load.vaddr <= stext < load.vaddr + load.memsz for load in mapped),
        f"no PT_LOAD has the kernel's text at {stext:#x}",
    )
    for first, last in truth.ram:
        check(
            any(
                load.vaddr < TEXT and load.paddr <= first and last < load.paddr + load.memsz
                for load in mapped
            ),
            f"no PT_LOAD has the direct map of {first:#x}-{last:#x}",
        )
