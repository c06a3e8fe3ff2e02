#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 1800
"""With the kernel's debugging symbols, crash, drgn and gdb see in a core all that is in the guest.

Downloads the symbols of the guest's kernel, 280 MB, unless they are in the cache.
"""

import re

from elfcore import ElfCore, vmcoreinfo_value
from guest import Guest, kernel
from harness import check, check_equal, need, rspdump, run, step, tell
from readers import ENVIRONMENT, need_readers

BANNER = "Linux version {release} "
KDUMPS = ["kdump-zlib", "kdump-lzo", "kdump-snappy", "kdump-zstd"]
FILTERED = ["elf", "kdump-zlib"]  # with -d 31


def ask_crash(directory, vmlinux, core, *commands):
    """What crash prints: a list with what it says at first, and the output of each command."""
    # A file for each: crash buffers its output, and what marks could be printed comes out of order.
    answers = [directory / f"crash.{n}" for n in range(len(commands))]
    script = directory / "crash.commands"
    lines = [f"{command} > {answer}" for command, answer in zip(commands, answers)]
    script.write_text("\n".join([*lines, "quit", ""]))
    done = run(
        *("crash", "-s", "--no_scroll", "-i", script, vmlinux, core), env=ENVIRONMENT, timeout=300
    )
    texts = [done.stdout + done.stderr, *(answer.read_text() for answer in answers)]
    return [text.replace(str(core), "CORE") for text in texts]


def story(directory):
    vmlinux = kernel(debug=True)["vmlinux"]
    core, bare, qemus = (directory / name for name in ("core", "bare", "qemus"))
    kdumps = [directory / name for name in KDUMPS]
    filtered = [directory / f"{name}-31" for name in FILTERED]
    with Guest(directory, modules=["qemu_fw_cfg"], devices=["vmcoreinfo"]) as guest:
        guest.wait_ready()
        (release,) = guest.told("release")
        guest.stop()
        rspdump("--after", "stop", "-o", core, guest.gdb)
        rspdump("--after", "stop", "--vmcoreinfo", "none", "-o", bare, guest.gdb)
        for kdump in kdumps:
            rspdump("--after", "stop", "-F", kdump.name, "-o", kdump, guest.gdb)
        for name, small in zip(FILTERED, filtered):
            rspdump("--after", "stop", "-d", "31", "-F", name, "-o", small, guest.gdb)
        guest.dump(qemus)
    banner = BANNER.format(release=release)
    vmcoreinfo = ElfCore(core).vmcoreinfo()
    stext = vmcoreinfo_value(vmcoreinfo, "SYMBOL(_stext)")

    step("crash")
    # Whoever made the core, crash 8.0.2 knows only two tasks of this kernel, so that `ps` is of no
    # use, and misses the stacks of CPUs.
    commands = (
        "sys",
        "rd -a linux_banner",
        "list -h init_task task_struct.tasks -s task_struct.comm",
        "bt -a",
        "log",
        "mod",
        "kmem -i",
        f"vtop {stext}",
    )
    answers = ask_crash(directory, vmlinux, core, *commands)
    check_equal(len(answers), 1 + len(commands), "answers of crash")
    _, system, text, tasks, stacks, log, modules, memory, page = answers
    check(re.search(rf"RELEASE: {re.escape(release)}\n", system), f"sys:\n{system}")
    check(re.search(r"CPUS: 2\n", system), f"sys:\n{system}")
    check(banner in text, f"rd linux_banner:\n{text}")
    comms = re.findall(r'comm = "([^"\\]*)', tasks)
    check({"swapper/0", "init", "kthreadd"} <= set(comms), f"tasks: {comms}")
    check_equal(re.findall(r"CPU: (\d+)", stacks), ["0", "1"], "CPUs of bt -a")
    check(banner in log and "rspdump-guest: in the kernel log" in log, f"log:\n{log[-2000:]}")
    check("qemu_fw_cfg" in modules, f"mod:\n{modules}")
    check("TOTAL MEM" in memory, f"kmem -i:\n{memory}")
    check(re.search(rf"^{stext} +[0-9a-f]+ *$", page, re.MULTILINE), f"vtop:\n{page}")

    # What crash 8.0.2 complains of is this kernel: it does so with every core of it.
    step("crash says the same of QEMU's own dump")
    others = ask_crash(directory, vmlinux, qemus, *commands)
    for command, ours, theirs in zip(("its complaints", *commands), answers, others):
        check_equal(ours, theirs, command)

    step("crash says the same of kdump cores")
    for kdump in kdumps:
        others = ask_crash(directory, vmlinux, kdump, *commands)
        for command, ours, theirs in zip(("its complaints", *commands), answers, others):
            check_equal(theirs, ours, f"{kdump.name}: {command}")

    step("crash says the same of cores without the pages that -d 31 leaves out")
    for small in filtered:
        others = ask_crash(directory, vmlinux, small, *commands)
        for command, ours, theirs in zip(("its complaints", *commands), answers, others):
            theirs = theirs.replace("CORE  [PARTIAL DUMP]", "CORE")
            check_equal(theirs, ours, f"{small.name}: {command}")

    step("crash finds the kernel without VMCOREINFO, by the notes of the vCPUs")
    check(ElfCore(bare).vmcoreinfo() is None, "--vmcoreinfo none has left the note in")
    _, text = ask_crash(directory, vmlinux, bare, "rd -a linux_banner")
    check(banner in text, f"rd linux_banner:\n{text}")

    step("drgn")
    for path in (core, *kdumps, *filtered):
        check_drgn(vmlinux, path, banner)

    step("gdb")
    offset = int(vmcoreinfo_value(vmcoreinfo, "KERNELOFFSET"), 16)
    done = run(
        *("gdb", "-nx", "-batch", "-ex", f"core-file {core}"),
        *("-ex", f"symbol-file -o {offset:#x} {vmlinux}", "-ex", "print linux_banner"),
        *("-ex", "print init_task.comm", "-ex", "thread apply all backtrace 1"),
        env=ENVIRONMENT,
        timeout=300,
    )
    check(banner in done.stdout, f"gdb: {done.stdout}{done.stderr}")
    check('"swapper/0' in done.stdout, f"gdb: {done.stdout}{done.stderr}")
    stacks = re.findall(r"^Thread (\d+) \(LWP \1\):\n#0 ", done.stdout, re.MULTILINE)
    check_equal(sorted(stacks), ["1", "2"], "stacks in gdb")


def check_drgn(vmlinux, core, banner):
    import drgn
    from drgn.helpers.linux.percpu import per_cpu
    from drgn.helpers.linux.pid import find_task, for_each_task

    program = drgn.Program()
    program.set_core_dump(str(core))
    program.load_debug_info([vmlinux])
    text = program["linux_banner"].string_().decode()
    check(text.startswith(banner), f"drgn: linux_banner is {text!r}")
    comms = {task.comm.string_().decode() for task in for_each_task(program)}
    check({"init", "kthreadd"} <= comms, f"drgn: tasks are {comms}")
    # Of a task that sleeps, and is not 1 or 2: drgn 0.0.22 takes pr_pid for a PID where cores in
    # QEMU's way count vCPUs, and would show the stack of one of those.
    frames = str(program.stack_trace(find_task(program, 3)))
    check("schedule" in frames and "kthread" in frames, f"drgn: stack of a thread:\n{frames}")
    for cpu in range(2):
        task = per_cpu(program["runqueues"], cpu).curr
        check_equal(task.on_cpu.value_(), 1, f"drgn: the task on CPU {cpu} runs")


need("crash", "gdb")
need_readers()
tell(story)
