#!/usr/bin/env python3
"""Runs the program on damaged inputs, as a user would meet them, and reports what it does not answer well.

    tests/mutation/mutate.py --numasim bazel-bin/cli/numasim --inputs 10000 --seed 1

Each input is a case: a folder of files and a command line. It begins as one of the samples below (scripts, scenarios,
boot files, topologies, traces, logs, traces of allocations, studies, databases, recorded /proc and /sys), of which one
file is then mutated one to four times. An input is answered well if the program exits with 0, or with 1 and a message,
within its time. A run that is only long must end when it is asked to (SIGTERM); these are counted. Anything else is a
finding: its folder is kept and the command that repeats it is printed. The same seed makes the same inputs.
"""

import argparse
import collections
import gzip
import multiprocessing.pool
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

EXTREMES = ["0", "1", "-1", "2", "7", "63", "64", "65", "127", "255", "256", "4095", "4096", "4097", "65535", "65536",
            "2147483647", "2147483648", "-2147483648", "4294967295", "4294967296", "9223372036854775807",
            "9223372036854775808", "-9223372036854775808", "18446744073709551615", "18446744073709551616",
            "99999999999999999999999", "0x7fffffffffffffff", "1e308", "1.5", "-0", "00", "", "nan", "08"]
UNITS = ["", "K", "M", "G", "T", "ns", "us", "ms", "s", "m", "h", "%", "P", "k", "KiB"]
ODD = ["\0", "\n", "\r\n", "\t", "\"", "'", "#", "{", "}", "[", "]", "<", ">", "&", ",", ":", "=", "@", "\\", "\xff",
       "\u2028", "\ufeff", "%s%n", "a" * 5000, "{" * 2000, "[" * 2000]

# What a grammar-aware mutation of a script puts in.
OPERATIONS = [
    "spawn p", "spawn q", "@p cpu 0", "@p cpu 3", "@p map m 64M anon", "@p map m 1G anon policy=interleave:0-1",
    "@p map h 16M hugetlb-2M", "@p map h 2G hugetlb-1G shared", "@p map s 8M shmem shared", "@p touch m", "@p touch h",
    "@p touch m 0 1G 64K r", "@p unmap m", "@p unmap h 0 2M", "@p advise m 0 4M dontneed", "@p advise h dontneed",
    "@p fork q", "@q touch m", "@q exit", "@p exit", "@p bind m bind:0", "@p policy preferred:0", "@p move h 0",
    "@p pin m", "@p pin h 0 2M", "@p unpin m", "@p unpin h irq", "@p protect m none", "@p lock m", "pool 2M all 8",
    "pool 2M node0 100", "pool 1G node0 1", "pool 2M all 0", "overcommit 2M 20", "demote 1G node0 1",
    "mount_hugetlbfs /t pagesize=2M,size=8M,min_size=4M", "umount /t", "virtio_mem 512M", "virtio_mem 0", "offline_block node0 3",
    "cma_alloc c b 4M", "cma_release b", "sleep 5", "sleep 0", "sysctl vm.min_free_kbytes 8192", "thp enabled never",
    "machine nodes=2 node_mem=1G", "machine nodes=64 node_mem=4M", "sleep 9223372036854", "@p map big 8388607T anon",
    "machine nodes=2 node_mem=64M disk=1G", "machine nodes=1 node_mem=64M disk=1", "@p map f 8M file file=d",
    "@p map f 1G file file=/disk/d shared populate", "@p read f", "@p read f 4K 9223372036854775807", "drop_caches 1",
    "unlink /disk/d",
    "repeat 2", "repeat 1000000", "end", "@p cpu {copy}",
]
NUMBER = re.compile(r"-?\d+")
TOKEN = re.compile(r"[A-Za-z_0-9.]+|\s+|.", re.S)


class Case:
    """Files by name, the command line after the program's name, and which files are to be mutated."""

    def __init__(self, name, files, command, targets):
        self.name, self.files, self.command, self.targets = name, files, command, targets


def read(path):
    with open(path, "rb") as file:
        return file.read()


def scripts_and_boots():
    folder = os.path.join(ROOT, "tests", "kernel_truth")
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".mm"):
            continue
        script = read(os.path.join(folder, name))
        yield Case("script", {"in.mm": script}, ["run", "in.mm", "--out", "out.pb"], ["in.mm"])
        boot = first_step(read(os.path.join(folder, name[:-3] + ".truth.json")))
        yield Case("conform", {"in.mm": script, "boot.json": boot},
                   ["conform", "in.mm", "--boot", "boot.json", "--json", "out.json"],
                   ["boot.json", "boot.json", "in.mm"])
        scenario = ('machine { boot_state_file: "boot.json" }\nworkload { script { file: "in.mm" } }\n').encode()
        yield Case("boot", {"in.mm": script, "boot.json": boot, "in.textproto": scenario},
                   ["run", "in.textproto", "--out", "out.pb"], ["boot.json"])


def first_step(recording):
    """Recordings are long; what is read of them is their machine and step 0."""
    import json
    root = json.loads(recording)
    root["steps"] = root["steps"][:1]
    return json.dumps(root, indent=1).encode()


def scenarios():
    for folder, _, names in sorted(os.walk(os.path.join(ROOT, "tests", "mutation", "samples"))):
        for name in sorted(names):
            if name.endswith(".textproto"):
                yield Case("scenario", {"in.textproto": read(os.path.join(folder, name))},
                           ["run", "in.textproto", "--out", "out.pb"], ["in.textproto"])
    studies = os.path.join(ROOT, "examples", "studies")
    for name in ["two_administrators", "unplug_over_a_pool", "forty_readers_of_zeros"]:
        text = read(os.path.join(studies, name, name + ".textproto"))
        yield Case("scenario", {"in.textproto": text}, ["run", "in.textproto", "--out", "out.pb"], ["in.textproto"])


def data_files():
    """Files of values and times that groups of guests are drawn from."""
    scenario = (b'machine { node { memory: "256M" } } workload { guests { name: "vms" arrival { file: "times.txt" } '
                b'size { file: "sizes.txt" } lifetime { file: "lives.txt" } touch { share { file: "shares.txt" } } } }\n')
    files = {"in.textproto": scenario, "times.txt": b"0s\n1ms # two at once\n1ms\n5ms\n",
             "sizes.txt": b"# measured\n64K 3\n1M 1.5\n", "lives.txt": b"1ms\n20us 7\n", "shares.txt": b"50%\n1 2\n"}
    yield Case("data", files, ["run", "in.textproto", "--out", "out.pb"],
               ["times.txt", "sizes.txt", "lives.txt", "shares.txt"])


def logs():
    """Logs of batch systems in each format, as the replay of one."""
    machine = b'node { memory: "64M" cpus: 8 }\n'
    swf = (b"; Version: 2.2\n    1   0 5  60.5 4 -1  512 4 3600 1024 1 3 1 9 1 1 -1 -1\n"
           b"2 10 0 -1 2 -1 -1 2 -1 -1 5 1 1 1 1 1 -1 -1 more\n3 20 -1 7 9 -1 -1 9 -1 -1 1 -1 1 -1 1 1 -1 -1\n")
    sacct = (b"JobID|JobName|User|State|Submit|Start|Elapsed|Timelimit|AllocCPUS|NNodes|ReqMem|MaxRSS|NTasks\n"
             b"9|sort|ann|COMPLETED|2024-03-01T12:00:00|2024-03-01T12:00:10|00:01:05|02:00:00|2|1|4Mc||\n"
             b"9.batch|batch||COMPLETED|2024-03-01T12:00:10|2024-03-01T12:00:10|00:01:05||2|1||1000K|1\n"
             b"10|sort|bob|CANCELLED|2024-03-01T12:00:00|Unknown|00:00:00|1-00:00:00|2|1|4Mn||\n")
    openb = (b"name,cpu_milli,memory_mib,creation_time,deletion_time,scheduled_time\n"
             b"a,1500,4,0,60,5\n\"b, \"\"c\"\"\",500,2,10,70,\n")
    azure = b"a,s,d,0,300,9,1,5,Unknown,2,1M\nb,s,d,60,90,9,1,5,Unknown,>4,2M\n"
    for name, text in (("jobs.swf", swf), ("jobs.sacct", sacct), ("openb.csv", openb), ("azure.csv", azure)):
        yield Case("log", {name: text, "m.textproto": machine},
                   ["replay", name, "--machine", "m.textproto", "--out", "out.pb"], [name])


def allocation_traces():
    """Traces of the page allocator in each format, as the replay of one."""
    machine = b'node { memory: "64M" cpus: 2 } node { memory: "64M" cpus: 2 }\n'
    ftrace = (b"# tracer: nop\n            init-1       [000] .....    25.230481: mm_page_alloc: page=0000000090b7be82 pfn=0x5260 "
              b"order=3 migratetype=2 gfp_flags=__GFP_IO|__GFP_FS|__GFP_NOWARN|__GFP_COMP|__GFP_RECLAIMABLE\n"
              b"          a [b]-7       [003] d..1.    25.231391: mm_page_alloc: page=00000000909bcc83 pfn=0x400 order=9 migratetype=1 "
              b"gfp_flags=GFP_TRANSHUGE\nCPU:3 [LOST 120 EVENTS]\n"
              b"            init-1       [001] .....    25.231400: mm_page_free: page=00000000909bcc83 pfn=0x5264 order=2\n"
              b"            init-1       [001] .....    25.231401: mm_page_free: page=00000000909bcc83 pfn=0x401 order=0\n"
              b"            init-1       [001] .....    25.231402: mm_page_free_batched: page=00000000909bcc83 pfn=0x401 order=0\n"
              b"            init-1       [001] d....    25.231403: mm_page_alloc_extfrag: page=p pfn=0x42800 alloc_order=0 fallback_order=10\n"
              b"            init-1       [002] .....    25.231404: mm_page_alloc: page=(null) pfn=0x0 order=10 migratetype=0 gfp_flags=GFP_ATOMIC\n"
              b"            init-1       [002] .....    25.231405: sched_switch: prev_comm=a\n")
    perf = (b"swapper     0 [002]  1234.567890: kmem:mm_page_alloc: page=0xffffea0000006800 pfn=0x1a0 order=0 migratetype=0 gfp_flags=GFP_ATOMIC\n"
            b"my prog  7/8 [001]  1234.567891:          1      kmem:mm_page_free: page=0xffffea0000006800 pfn=0x1a0 order=0\n")

    def entry(time, pfn, alloc, order, flags):
        return (time | pfn << 38 | alloc << 62 | order << 63 | flags << 67 | 7 << 96).to_bytes(16, "little")

    def page(cpu, entries):
        return (cpu.to_bytes(16, "little") + b"".join(entries)).ljust(4096, b"\0")
    llfree = (b"".join(number.to_bytes(4, "little") for number in (2, 4, 0x7fff)).ljust(4096, b"\0") +
              page(0, [entry(5, 0x400, 1, 9, 0xcc8), entry(9, 0x402, 0, 0, 0)]) + page(3, [entry(7, 0x800, 1, 0, 0xcc0)]))
    packed = gzip.compress(ftrace, mtime=0)
    recorded = gzip.decompress(read(os.path.join(ROOT, "tests", "workloads", "alloc_trace", "testdata", "recorded.dat.gz")))
    for name, text in (("a.ftrace", ftrace), ("a.perf", perf), ("a.llfree", llfree), ("a.ftrace.gz", packed), ("trace.dat", recorded)):
        yield Case("allocations", {name: text, "m.textproto": machine},
                   ["replay", name, "--machine", "m.textproto", "--out", "out.pb"], [name])


def topologies():
    folder = os.path.join(ROOT, "tests", "workloads", "machine", "testdata")
    scenario = b'machine { lstopo_file: "in.xml" }\nworkload { script { line: "spawn p" line: "@p map m 4M anon" } }\n'
    for name in sorted(os.listdir(folder)):
        if name.endswith(".xml"):
            yield Case("topology", {"in.xml": read(os.path.join(folder, name)), "in.textproto": scenario},
                       ["run", "in.textproto", "--out", "out.pb"], ["in.xml"])


def snapshots():
    folder = os.path.join(ROOT, "tests", "workloads", "machine", "testdata")
    xml = sorted(name for name in os.listdir(folder) if name.endswith(".xml"))
    for machine in sorted(os.listdir(folder)):
        root = os.path.join(folder, machine)
        if not os.path.isdir(root):
            continue
        files = {}
        for place, _, names in os.walk(root):
            for name in names:
                path = os.path.join(place, name)
                files[os.path.join("root", os.path.relpath(path, root))] = read(path)
        targets = sorted(files)
        files["in.xml"] = read(os.path.join(folder, xml[0]))
        yield Case("snapshot", files, ["snapshot", "--root", "root", "--topology", "in.xml", "--out", "out.txt"],
                   targets + ["in.xml"])


def traces(numasim, work):
    """Traces that the program itself writes of a few small runs."""
    samples = os.path.join(ROOT, "tests", "mutation", "samples")
    for name in sorted(os.listdir(samples)):
        if not name.endswith(".textproto"):
            continue
        trace = os.path.join(work, name + ".pb")
        run = subprocess.run([numasim, "run", os.path.join(samples, name), "--out", trace, "--quiet"],
                             capture_output=True, check=False)
        if run.returncode != 0:
            sys.exit(f"{name}: {run.stderr.decode()}")
        content = read(trace)
        for form in ["text", "csv", "json"]:
            yield Case("trace", {"in.pb": content}, ["dump", "in.pb", "--format", form], ["in.pb"])
        for table in ["events", "spans", "locks", "operation-times", "pageblocks"]:
            yield Case("trace", {"in.pb": content}, ["dump", "in.pb", "--format", "csv", "--table", table], ["in.pb"])
        yield Case("trace", {"in.pb": content}, ["export", "in.pb", "--perfetto", "--out", "out"], ["in.pb"])
        yield Case("trace", {"in.pb": content, "base.pb": content}, ["report", "base.pb", "in.pb", "--out", "out.html"],
                   ["in.pb"])
        for form in ["text", "json", "markdown"]:
            yield Case("trace", {"in.pb": content, "base.pb": content},
                       ["compare", "base.pb", "in.pb", "--format", form], ["in.pb"])


def studies(numasim, work):
    """Studies, and the databases of their sweeps."""
    mutation = os.path.join(ROOT, "tests", "mutation")
    scenario = read(os.path.join(mutation, "samples", "streams.textproto"))
    for name in sorted(os.listdir(os.path.join(mutation, "studies"))):
        files = {"study.textproto": read(os.path.join(mutation, "studies", name)), "streams.textproto": scenario}
        yield Case("study", files, ["sweep", "study.textproto"], ["study.textproto"] * 3 + ["streams.textproto"])
        folder = os.path.join(work, name + ".d")
        os.mkdir(folder)
        place_files(files, folder)
        run = subprocess.run([numasim, "sweep", "study.textproto", "--quiet"], cwd=folder, capture_output=True, check=False)
        if run.returncode != 0:
            sys.exit(f"{name}: {run.stderr.decode()}")
        database = read(os.path.join(folder, "study.sqlite"))
        shutil.rmtree(folder)
        yield Case("database", files | {"study.sqlite": database}, ["sweep", "study.textproto"], ["study.sqlite"])
        yield Case("database", {"study.sqlite": database}, ["report", "study.sqlite", "--out", "out.html"], ["study.sqlite"])
        yield Case("database", {"base.sqlite": database, "new.sqlite": database}, ["compare", "base.sqlite", "new.sqlite"],
                   ["new.sqlite"])


def tasks(numasim, work):
    """What a sweep on a cluster writes for its tasks, and the first of these. Slurm's part is a stand-in that keeps the files
    and takes no job."""
    folder = os.path.join(work, "tasks.d")
    mutation = os.path.join(ROOT, "tests", "mutation")
    name = sorted(os.listdir(os.path.join(mutation, "studies")))[0]
    place_files({"study.textproto": read(os.path.join(mutation, "studies", name)),
                 "streams.textproto": read(os.path.join(mutation, "samples", "streams.textproto")),
                 "bin/sbatch": b'#!/bin/sh\ntest "$1" = --version || { cp -r study.sqlite.slurm kept; false; }\n'}, folder)
    os.chmod(os.path.join(folder, "bin", "sbatch"), 0o755)
    path = os.path.join(folder, "bin") + ":" + os.environ["PATH"]
    run = subprocess.run([numasim, "sweep", "study.textproto", "--engine", "slurm", "--runs-per-task", "2"], cwd=folder,
                         capture_output=True, check=False, env=os.environ | {"PATH": path})
    if b"sbatch: exit status 1" not in run.stderr:
        sys.exit(f"{name}: {run.stderr.decode()}")
    files = {"input.pb": read(os.path.join(folder, "kept", "input.pb")),
             "job-1/job.pb": read(os.path.join(folder, "kept", "job-1", "job.pb"))}
    shutil.rmtree(folder)
    yield Case("task", files, ["sweep-task", "job-1"], sorted(files))


def all_cases(numasim, work):
    cases = list(scripts_and_boots()) + list(scenarios()) + list(data_files()) + list(logs())
    cases += list(allocation_traces()) + list(topologies()) + list(snapshots())
    return cases + list(traces(numasim, work)) + list(studies(numasim, work)) + list(tasks(numasim, work))


# Mutations of bytes: each takes the content and a random source and returns new content.


def flip_bits(data, rng):
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def piece_of(data, rng):
    begin = rng.randrange(len(data))
    return begin, min(len(data), begin + rng.choice([1, 2, 4, 16, 100, 1000]))


def delete_piece(data, rng):
    begin, end = piece_of(data, rng)
    return data[:begin] + data[end:]


def duplicate_piece(data, rng):
    begin, end = piece_of(data, rng)
    return data[:end] + data[begin:end] * rng.choice([1, 1, 2, 50]) + data[end:]


def truncate(data, rng):
    return data[:rng.randrange(len(data) + 1)]


def overwrite_piece(data, rng):
    begin, end = piece_of(data, rng)
    return data[:begin] + rng.choice([b"\0", b"\xff", b"A"]) * (end - begin) + data[end:]


def copy_piece_elsewhere(data, rng):
    begin, end = piece_of(data, rng)
    at = rng.randrange(len(data))
    return data[:at] + data[begin:end] + data[at:]


def insert_odd(data, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(ODD).encode("utf-8", "replace") + data[at:]


# Mutations of text.


def of_text(change):
    def mutation(data, rng):
        return change(data.decode("utf-8", "surrogateescape"), rng).encode("utf-8", "surrogateescape")
    return mutation


def replace_number(text, rng):
    numbers = list(NUMBER.finditer(text))
    if not numbers:
        return text
    found = rng.choice(numbers)
    number = int(found.group())
    near = [number + 1, number - 1, number * 2, number * 1024, -number, number * 10**6, number // 2]
    new = str(rng.choice(near)) if rng.random() < 0.4 else rng.choice(EXTREMES)
    if rng.random() < 0.2:
        new += rng.choice(UNITS)
    return text[:found.start()] + new + text[found.end():]


def change_lines(text, rng):
    lines = text.split("\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind == 0:
        lines[i], lines[j] = lines[j], lines[i]
    elif kind == 1:
        del lines[min(i, j):max(i, j) + 1]
    elif kind == 2:
        lines.insert(j, lines[i])
    elif kind == 3:
        rng.shuffle(lines)
    else:
        lines[i:i] = lines[min(i, j):max(i, j) + 1][:200] * rng.choice([1, 2, 20])
    return "\n".join(lines)


def swap_tokens(text, rng):
    tokens = TOKEN.findall(text)
    words = [i for i, token in enumerate(tokens) if not token.isspace()]
    if len(words) < 2:
        return text
    i, j = rng.sample(words, 2)
    kind = rng.randrange(3)
    if kind == 0:
        tokens[i], tokens[j] = tokens[j], tokens[i]
    elif kind == 1:
        tokens[i] = tokens[j]
    else:
        del tokens[i]
    return "".join(tokens)


# Mutations that know the form of the file.


def insert_operation(text, rng):
    lines = text.split("\n")
    for _ in range(rng.choice([1, 1, 3, 10])):
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(OPERATIONS))
    return "\n".join(lines)


def insert_line_field(text, rng):
    places = [m.start() for m in re.finditer(r"line:", text)]
    if not places:
        return text
    at = rng.choice(places)
    return text[:at] + f'line: "{rng.choice(OPERATIONS)}" ' + text[at:]


def change_json(data, rng):
    """Replaces, removes or copies a value of the tree."""
    import json
    try:
        root = json.loads(data)
    except ValueError:
        return insert_odd(data, rng)
    places = []

    def walk(node):
        for key in (node if isinstance(node, dict) else range(len(node))) if isinstance(node, (dict, list)) else []:
            places.append((node, key))
            walk(node[key])

    walk(root)
    if not places:
        return data
    node, key = rng.choice(places)
    kind = rng.randrange(4)
    if kind == 0:
        other, other_key = rng.choice(places)
        node[key] = json.loads(json.dumps(other[other_key]))
    elif kind == 1:
        del node[key]
    else:
        node[key] = rng.choice([None, True, [], {}, "", "x", 0, -1, 1.5, 2**31, 2**32, 2**53, 2**63 - 1, 2**63,
                                2**64, -2**63, [[]], {"": {}}, [0] * 5000, "9" * 100])
    return json.dumps(root, indent=1).encode()


def change_xml(text, rng):
    """Removes, copies or moves an attribute or an element's tag."""
    kind = rng.randrange(4)
    attributes = list(re.finditer(r'\s([A-Za-z_]+)="([^"]*)"', text))
    tags = list(re.finditer(r"<[^>]*>", text))
    if kind == 0 and attributes:
        found = rng.choice(attributes)
        return text[:found.start()] + text[found.end():]
    if kind == 1 and attributes:
        found, other = rng.choice(attributes), rng.choice(attributes)
        value = rng.choice([other.group(2), "0x0", "0xf...f", "0x00000000", "", "0xffffffff,0xffffffff", "-1"])
        return text[:found.start(2)] + value + text[found.end(2):]
    if kind == 2 and tags:
        found = rng.choice(tags)
        return text[:found.start()] + text[found.end():]
    if not tags:
        return text
    found, at = rng.choice(tags), rng.choice(tags).start()
    return text[:at] + found.group() + text[at:]


def change_frame(data, rng):
    """Damages what a trace's frame holds and makes its checksums right again (proto/trace_frame.h says how frames lie):
    else nothing behind the checksums would ever see a damaged trace."""
    mark, head, end = 12, 12, 20
    frames = []
    at = mark
    while at + head <= len(data) - end:
        length = int.from_bytes(data[at:at + 4], "little")
        if at + head + length > len(data):
            break
        if length > 0:
            frames.append((at + head, length))
        at += head + length
    if not frames:
        return flip_bits(data, rng)
    begin, length = rng.choice(frames)
    payload = rng.choice([flip_bits, flip_bits, overwrite_piece])(data[begin:begin + length], rng)
    sizes = length.to_bytes(4, "little") + zlib.crc32(payload).to_bytes(4, "little")
    return data[:begin - head] + sizes + zlib.crc32(sizes).to_bytes(4, "little") + payload + data[begin + length:]


BYTES = [flip_bits, delete_piece, duplicate_piece, truncate, overwrite_piece, copy_piece_elsewhere, insert_odd]
TEXT = [of_text(replace_number)] * 4 + [of_text(change_lines)] * 2 + [of_text(swap_tokens)] * 2
BY_ENDING = {
    ".mm": TEXT + [of_text(insert_operation)] * 4,
    ".textproto": TEXT + [of_text(insert_line_field)] * 3,
    ".json": TEXT + [change_json] * 6,
    ".xml": TEXT + [of_text(change_xml)] * 6,
    ".pb": [change_frame] * 20,
}


def mutate(name, data, rng):
    mutations = BYTES + BY_ENDING.get(os.path.splitext(name)[1], TEXT)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 4])):
        if not data:
            break
        data = rng.choice(mutations)(data, rng)
    return data[:4 << 20]


def place_files(files, folder):
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)


def limits(memory):
    """Keeps a mutant from taking the whole host; address space is a resource like any other to be refused."""
    def apply():
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return apply


def execute(command, folder, options):
    """The exit status, or None for a program that does not end; whether it was asked to; both outputs' ends."""
    with open(os.path.join(folder, "stdout"), "wb") as out, open(os.path.join(folder, "stderr"), "wb") as err:
        program = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   preexec_fn=limits(options.memory << 20))
        asked = False
        try:
            status = program.wait(options.patience)
        except subprocess.TimeoutExpired:
            asked = True
            program.terminate()
            try:
                status = program.wait(options.patience)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
                status = None
    with open(os.path.join(folder, "stderr"), "rb") as err:
        return status, asked, err.read(4096).decode("utf-8", "replace")


def judge(status, asked, message, subcommand):
    """What is wrong with an answer; empty if nothing is."""
    if status is None:
        return "hangs: not even SIGTERM ends it"
    if asked:
        return "" if status in (0, 1, 128 + signal.SIGTERM, -signal.SIGTERM) else f"asked to end, exit status {status}"
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    if status == 0 or (status == 2 and subcommand in ("compare", "sweep")):  # something is worse, runs failed
        return ""
    if status != 1:
        return f"exit status {status}"
    if not message.strip() or re.fullmatch(r"numasim[a-z ]*:[\s:;]*", message.strip()):
        return "exit status 1 with no message"
    # Under a sanitizer malloc() says that it gives no such block; the program hands on what libtracecmd says.
    message = re.sub(r"==\d+==WARNING: \w+Sanitizer failed to allocate 0x[0-9a-f]+ bytes", "", message)
    # What only the program's author can make sense of.
    for inner in ["std::", "internal error", "check failed", "AddressSanitizer", "runtime error:", "Sanitizer:", "[json.exception"]:
        if inner in message:
            return f"speaks of its inside: {inner}"
    return ""


def by_kind(cases):
    kinds = collections.defaultdict(list)
    for case in cases:
        kinds[case.name].append(case)
    return [kinds[kind] for kind in sorted(kinds)]


def run_one(number, kinds, options, work):
    rng = random.Random(options.seed * 1_000_003 + number)
    # Kinds in turn, so that those with few samples are not rare.
    case = rng.choice(kinds[number % len(kinds)])
    files = dict(case.files)
    target = rng.choice(case.targets)
    files[target] = mutate(target, files[target], rng)
    folder = os.path.join(work, f"{options.seed}-{number}")
    os.mkdir(folder)
    place_files(files, folder)
    status, asked, message = execute([options.numasim] + case.command, folder, options)
    problem = judge(status, asked, message, case.command[0])
    if problem or (asked and options.show_long):
        report(number, case, folder, message, problem or "long, asked to end", options)
    shutil.rmtree(folder)
    return case.name, status, asked, bool(problem)


def report(number, case, folder, message, problem, options):
    kept = os.path.join(options.keep, f"{options.seed}-{number}")
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder, kept)
    command = " ".join(["SLURM_ARRAY_TASK_ID=0"] * (case.name == "task") + [options.numasim] + case.command)
    print(f"FINDING {case.name} {options.seed}-{number}: {problem}\n  cd {kept} && {command}\n"
          f"  {message.strip()[:600]}\n", end="", flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numasim", required=True, help="the program")
    parser.add_argument("--inputs", type=int, default=400, help="how many; 0: until interrupted")
    parser.add_argument("--seconds", type=float, default=0, help="stop after so long; 0: no limit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", help="only these: allocations, boot, conform, data, database, log, scenario, script, snapshot, study, task, topology or trace")
    parser.add_argument("--first", type=int, default=0, help="number of the first input, to repeat one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time")
    parser.add_argument("--patience", type=float, default=10, help="seconds an input may take, and to end when asked")
    parser.add_argument("--memory", type=int, default=4096, help="MiB of address space; 0: no limit (for sanitizers)")
    parser.add_argument("--keep", default=os.path.join(tempfile.gettempdir(), "numasim_mutation"),
                        help="where the inputs of findings go")
    parser.add_argument("--show-long", action="store_true", help="also keep what had to be asked to end")
    options = parser.parse_args()
    options.numasim = os.path.abspath(options.numasim)
    os.environ["SLURM_ARRAY_TASK_ID"] = "0"  # what sweep-task is told; nothing else looks at it
    if subprocess.run([options.numasim, "--help"], capture_output=True, check=False,
                      preexec_fn=limits(options.memory << 20)).returncode != 0:
        options.memory = 0  # a sanitizer's build, which maps terabytes
    return options


def numbers(options, begun):
    """Of the inputs to run, until there are enough or the time is up."""
    number = options.first
    while options.inputs == 0 or number < options.first + options.inputs:
        if options.seconds and time.monotonic() - begun > options.seconds:
            return
        yield number
        number += 1


def main():
    options = parse_arguments()
    tally, findings, long_ones, begun = collections.Counter(), 0, 0, time.monotonic()
    os.makedirs(options.keep, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        kinds = by_kind(case for case in all_cases(options.numasim, work) if options.kind in (None, case.name))
        if not kinds:
            sys.exit(f"--kind {options.kind}: is not known; expected one of those in --help")
        todo, lock = numbers(options, begun), threading.Lock()

        def work_through(_):
            results = []
            while True:
                with lock:
                    number = next(todo, None)
                if number is None:
                    return results
                results.append(run_one(number, kinds, options, work))

        with multiprocessing.pool.ThreadPool(options.jobs) as pool:
            for kind, status, asked, finding in sum(pool.map(work_through, range(options.jobs)), []):
                tally[kind, "asked to end" if asked else status] += 1
                long_ones += asked
                findings += finding
    for (kind, status), count in sorted(tally.items(), key=str):
        print(f"{kind:10} {status!s:>14} {count:7}")
    print(f"{sum(tally.values())} inputs, {findings} findings, {long_ones} long runs asked to end, "
          f"{time.monotonic() - begun:.0f} s, seed {options.seed}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
