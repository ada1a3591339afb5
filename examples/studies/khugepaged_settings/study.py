"""What khugepaged's settings give in huge pages, and cost in CPU time and memory. See README.md."""

START_S = 5  # from when on the residents' memory may have huge pages
END_S = 1206

# What is there of each 2 MiB of the residents, who have 128 of these each: how it comes, and which pages.
RANGES = 128
PAGES = 512
FILLS = {
    "full": (["touch h"], lambda page: True),
    "freed_32": (["touch h", "advise h 0 256M dontneed 64K"], lambda page: page % 16 != 0),
    "freed_128": (["touch h", "advise h 0 256M dontneed 16K"], lambda page: page % 4 != 0),
    "sparse_64": (["touch h 0 256M 32K"], lambda page: page % 8 == 0),
    "sparse_1": (["touch h 0 256M 2M"], lambda page: page == 0),
}
TOTAL = RANGES * len(FILLS)
TOUCHED = RANGES * sum(there(page) for _, there in FILLS.values() for page in range(PAGES))

# pages_to_scan, scan_sleep_millisecs, max_ptes_none; the first three are the kernel's own.
DEFAULT = (4096, 10_000, 511)
SETTINGS = {
    "off": DEFAULT,  # nobody wants huge pages
    "default": DEFAULT,
    "pages_x10": (40_960, 10_000, 511),
    "sleep_1s": (4096, 1000, 511),
    "sleep_100ms": (4096, 100, 511),
    "sleep_10ms": (4096, 10, 511),
    "none_255": (4096, 100, 255),
    "none_64": (4096, 100, 64),
    "none_0": (4096, 100, 0),
}

TEMPLATE = """# khugepaged with pages_to_scan {pages}, scan_sleep_millisecs {sleep}, max_ptes_none {none}. Written by study.py.
name: "{name}"
machine {{
  node {{ memory: "8G" cpus: 8 }}
  node {{ memory: "8G" cpus: 8 }}
}}
kernel {{ thp {{ enabled: "madvise" }} }}
workload {{
  script {{
    name: "administrator"
    line: "khugepaged_set pages_to_scan {pages}"
    line: "khugepaged_set scan_sleep_millisecs {sleep}"
    line: "khugepaged_set max_ptes_none {none}"
  }}
{scripts}}}
stop_after: "{end}s"
trace {{
  interval: "1s"
  counters: "node*.nr_anon_pages" counters: "node*.nr_anon_transparent_hugepages" counters: "khugepaged_*"
  counters: "node*.thp_scan_exceed_none_pte"
}}
"""

RESIDENT = """  script {{
    name: "{name}"
    start: "100ms"
    line: ["spawn p", "@p cpu {cpu}", "@p map h 256M anon", {fill}]
    line: ["sleep 4700", "@p advise h 0 256M {advice}", "sleep {end}s"]
  }}
"""

# On node 0, a new one each 5 s.
JOBS = """  script {{
    name: "job"
    start: "10s"
    copies: 10
    stagger: "5s"
    loops: 100
    line: ["spawn j", "@j cpu 1", "@j map h 32M anon", "@j touch h", "@j advise h 0 32M {advice}", "sleep 49900", "@j exit"]
  }}
"""


def scenario(name, pages, sleep, none):
    advice = "nohugepage" if name == "off" else "hugepage"
    scripts = ""
    for cpu, (fill, (lines, _)) in enumerate(FILLS.items(), start=8):  # on node 1
        filling = ", ".join(f'"@p {line}"' for line in lines)
        scripts += RESIDENT.format(name=fill, cpu=cpu, end=END_S, fill=filling, advice=advice)
    scripts += JOBS.format(advice=advice)
    return TEMPLATE.format(name=name, pages=pages, sleep=sleep, none=none, end=END_S, scripts=scripts)


def scenarios():
    return {name: scenario(name, *settings) for name, settings in SETTINGS.items()}


COLUMNS = ["pages", "sleep, ms", "none", "after 1 min, %", "after 5 min, %", "after 20 min, %", "jobs, %", "added, MiB",
           "full scans", "collapsed", "refused", "CPU for residents, s", "for jobs, s", "lock held, s", "longest, ms"]


def covered(run, node, seconds):
    """Which part of a node's anonymous memory is mapped by PMDs, in percent."""
    pages = run.at(f"node{node}.nr_anon_pages", START_S + seconds)
    return 100 * PAGES * run.at(f"node{node}.nr_anon_transparent_hugepages", START_S + seconds) / pages


def entries_of_refused(limit):
    """How many entries of a range that is refused khugepaged looks at, on average: up to one that is empty too many."""
    entries = []
    for _, there in FILLS.values():
        empty = [page for page in range(PAGES) if not there(page)]
        entries += [page + 1 for page in empty[limit:limit + 1]]
    return sum(entries) / len(entries) if entries else 0


def cpu_s(collapsed, copied, refused_entries, rounds):
    """khugepaged's CPU time by the cost model: it is in no counter.

    A range that is refused has its entries looked at up to one too many, one that is collapsed all, twice: in the scan, and
    with mmap_lock held for writing. Then come a huge page; a copy of each page that is there, which is freed then, and
    zeros for the others; and the mapping. In each further round its PMD is looked at.
    """
    look = 10  # scan_pte_ns
    huge_page = 300 + PAGES * 4  # buddy_block_ns, prep_page_ns
    copy, clear, free, install = 600, 410, 56 + 38, 300  # pcp_free_ns and buddy_page_ns free a page
    cleared = PAGES * collapsed - copied
    looked_at = refused_entries + collapsed * (2 * PAGES + rounds)
    return (look * looked_at + (huge_page + install) * collapsed + (copy + free) * copied + clear * cleared) / 1e9


def row(name, run):
    huge = run.last("node1.nr_anon_transparent_hugepages")  # the residents lose none
    added = run.last("node1.nr_anon_pages") - TOUCHED
    collapsed = run.last("khugepaged_pages_collapsed")
    refused = [run.last(f"node{node}.thp_scan_exceed_none_pte") for node in (0, 1)]
    jobs = [covered(run, 0, seconds) for seconds in range(600, 1200)]
    held = run.lock("mmap_lock", "node1")["hold_ns"]  # the residents'
    scans = run.last("khugepaged_full_scans")
    entries = entries_of_refused(SETTINGS[name][2])
    return [*SETTINGS[name], *(covered(run, 1, seconds) for seconds in (60, 300, 1200)), sum(jobs) / len(jobs), added / 256,
            scans, collapsed, sum(refused), cpu_s(huge, PAGES * huge - added, entries * refused[1], scans),
            cpu_s(collapsed - huge, PAGES * (collapsed - huge), PAGES * refused[0], 0), held["sum"] / 1e9,
            held["max"] / 1e6]


def check(rows):
    _, _, _, minute, five, end, jobs, added, scans, collapsed, refused, cpu, jobs_cpu, held, longest = COLUMNS
    off, default, pages, sleep_1s, sleep_100ms, sleep_10ms, none_255, none_64, none_0 = rows.values()
    limits = [sleep_100ms, none_255, none_64, none_0]

    def falls(column):
        values = [row[column] for row in limits]
        return all(more > less for more, less in zip(values, values[1:]))

    return [
        ("the CPU time for the residents is what mmap_lock is held longer, within 2%",
         all(abs(row[held] - off[held] - row[cpu]) < 0.02 * row[cpu] for row in rows.values() if row is not off)),
        ("default: after five minutes not half of the residents' memory is by PMDs, after twenty all",
         default[five] < 50 and default[end] == 100),
        ("default: not one full scan", default[scans] == 0),
        ("default: a third of what is made is for jobs, which have nothing from it",
         default[collapsed] > 1.4 * TOTAL and default[jobs] < 2),
        ("ten times the pages or a tenth of the sleep: the same",
         pages[five] == sleep_1s[five] == 100 and abs(pages[jobs] - sleep_1s[jobs]) < 3 and
         abs(pages[collapsed] - sleep_1s[collapsed]) < 0.02 * pages[collapsed]),
        ("jobs have more the shorter the sleep", default[jobs] < sleep_1s[jobs] < sleep_100ms[jobs] < sleep_10ms[jobs]),
        ("10 ms for 100 makes no more huge pages", sleep_10ms[collapsed] == sleep_100ms[collapsed]),
        ("all the CPU time is under 0.2% of a CPU",
         all(row[cpu] + row[jobs_cpu] < 0.002 * END_S for row in rows.values())),
        ("no hold of mmap_lock is longer than 0.5 ms, whatever the settings",
         all(row[longest] < 0.5 for row in rows.values())),
        ("max_ptes_none 511 adds over three quarters of what was touched", sleep_100ms[added] > 0.75 * TOUCHED / 256),
        ("255 has most of the coverage for a seventh of that",
         none_255[end] > 95 and none_255[added] < sleep_100ms[added] / 6.9),
        ("a lower limit covers less and adds less", falls(end) and falls(added) and none_0[added] == 0),
        ("refuses more", all(a[refused] < b[refused] for a, b in zip(limits, limits[1:]))),
        ("and costs CPU time in each round, but the less the sooner it ends",
         none_255[cpu] > sleep_100ms[cpu] > none_64[cpu] > none_0[cpu]),
        ("and nothing changes any more after a minute", all(row[minute] == row[end] for row in limits)),
    ]
