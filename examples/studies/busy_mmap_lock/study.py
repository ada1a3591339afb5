"""Huge pages of a file, and who maps them by PMDs while a process keeps its mmap_lock busy. See README.md."""

RANGES = 128
ALLOWED_S = 1  # huge pages are denied to the file before
END_S = 21
PERIOD_US = 131_000
HUGE_FAULT_US = 211.75  # a fault on a HugeTLB page holds mmap_lock so long, nearly all of it to clear the page
ROOM_US = 400  # what a period takes beside such faults and the sleep

# What part of its time the worker spends in such faults.
SHARES = {"idle": 0, "5": 5, "25": 25, "75": 75, "95": 95}
MODES = ["leave", "retry"]  # as before Linux 5.4, and as in 6.1

TEMPLATE = """# {title}.
# Written by study.py.
name: "{name}"
machine {{ node {{ memory: "8G" cpus: 4 }} }}
kernel {{ thp {{ enabled: "madvise" shmem_enabled: "never" pte_mapped: "{mode}" }} }}
workload {{
  # The tmpfs is mounted huge=always. While the file is filled it is denied huge pages.
  script {{
    name: "administrator"
    line: "pool 2M all 600"
    line: "khugepaged_set scan_sleep_millisecs {first_sleep}"
    line: "sleep 200"
    line: "thp shmem_enabled deny"
    line: "sleep 800"
    line: "thp shmem_enabled never"
{administrator}  }}
  script {{
    name: "owner"
    start: "50ms"
    line: ["spawn o", "@o cpu 1", "@o map f 256M shmem file=x", "sleep 200", "@o touch f"]
{owner}    line: "sleep 30s"
  }}
  script {{
    name: "worker"
    start: "100ms"
    line: ["spawn w", "@w cpu 2", "@w map f 256M shmem file=x", "@w map h 1200M hugetlb-2M", "sleep 200", "@w touch f"]
    line: "sleep 500ms"
{periods}  }}
}}
stop_after: "{end}s"
trace {{ interval: "50ms" counters: "node0.thp_file_mapped" counters: "node0.nr_shmem_hugepages" counters: "khugepaged_*" }}
"""


def periods(share):
    """The worker's work. It looks at each 2 MiB of the file, then holds its mmap_lock for its share of the time."""
    pages = round(PERIOD_US * share / 100 / HUGE_FAULT_US)
    rest = round(PERIOD_US - ROOM_US - pages * HUGE_FAULT_US)
    lines = ["@w touch f 0 256M 2M"]
    if pages > 0:
        lines += [f"@w touch h 0 {2 * pages}M", f"@w advise h 0 {2 * pages}M dontneed"]
    lines.append(f"sleep {rest}us")
    one = "    line: [" + ", ".join(f'"{line}"' for line in lines) + "]\n"
    return one * ((END_S - ALLOWED_S) * 1_000_000 // PERIOD_US + 2)


def scenario(name, mode, share, title, first_sleep=50, owner=(), administrator=()):
    return TEMPLATE.format(name=name, mode=mode, title=title, first_sleep=first_sleep, owner=lines_of(owner),
                           administrator=lines_of(administrator), periods=periods(share), end=END_S)


def lines_of(texts):
    return "".join(f'    line: "{text}"\n' for text in texts)


def scenarios():
    texts = {}
    for load, share in SHARES.items():
        for mode in MODES:
            name = f"{load}_{mode}"
            title = f"A file gets huge pages while a process that maps it holds its mmap_lock for {share}% of the time"
            texts[name] = scenario(name, mode, share, title)
    # khugepaged sleeps meanwhile, and goes on in its usual way at 1.25 s.
    texts["madvise_retry"] = scenario(
        "madvise_retry", "retry", 0, "A process gives a file huge pages by MADV_COLLAPSE; another one maps it too",
        400, ["sleep 750", "@o advise f 0 256M collapse"], ["sleep 150", "khugepaged_set scan_sleep_millisecs 50"])
    return texts


COLUMNS = ["lock held, %", "by PMDs after 2 s, %", "after 5 s, %", "after 10 s, %", "after 20 s, %", "left",
           "found by later scans", "all after, s"]


def row(name, run):
    # MADV_COLLAPSE maps the owner's ranges at once, and khugepaged counts none of them. Otherwise the owner, which does
    # not touch the file again, maps nothing, and khugepaged counts them all.
    by_madvise = RANGES if name.startswith("madvise") else 0

    def mapped(seconds):
        """How many ranges the worker maps by PMDs; it never loses one."""
        return max(run.at("node0.thp_file_mapped", ALLOWED_S + seconds) - by_madvise, 0)

    assert run.last("node0.nr_shmem_hugepages") == RANGES
    held = run.lock("mmap_lock")["hold_ns"]["sum"] / 1e9 / (END_S - ALLOWED_S)
    # Beside what it collapsed, khugepaged counts what a scan found mapped by base entries, and noted.
    found = run.last("khugepaged_pages_collapsed") + by_madvise - RANGES
    ends = [tenth / 10 for tenth in range(10 * (END_S - ALLOWED_S) + 1) if mapped(tenth / 10) == RANGES]
    return [100 * held, *(100 * mapped(seconds) / RANGES for seconds in (2, 5, 10, 20)), RANGES - mapped(20), found,
            ends[0] if ends else "never" if name.endswith("leave") else "later"]


def check(rows):
    held, _, _, _, end, left, found, all_after = COLUMNS
    after = COLUMNS[1:5]
    busy = ["5", "25", "75", "95"]
    leave = {load: rows[f"{load}_leave"] for load in SHARES}
    retry = {load: rows[f"{load}_retry"] for load in SHARES}
    madvise = rows["madvise_retry"]
    return [
        ("leave: what was missed is left for ever",
         all(row[time] == row[after[0]] for row in leave.values() for time in after) and
         all(leave[load][left] > 0 for load in busy)),
        ("leave: and is about the share of the time that the lock was held",
         all(abs(100 * row[left] / RANGES - row[held]) < 6 for row in leave.values())),
        ("an idle process misses nothing", leave["idle"] == retry["idle"] and leave["idle"][end] == 100),
        ("retry: up to 75% all are mapped by PMDs in the end",
         all(retry[load][left] == 0 for load in ["idle", "5", "25", "75"])),
        ("retry: at 75% it takes over three times as long as at 25%", retry["75"][all_after] > 3 * retry["25"][all_after]),
        ("retry: at 95% fewer than half are after 20 s", 0 < retry["95"][end] < 50),
        ("at 5% the eight that were missed fit the array", leave["5"][left] == 8 and retry["5"][found] == 0),
        ("from 25% on more than eight are missed, and a scan finds the others",
         all(leave[load][left] > 8 and retry[load][found] == leave[load][left] - 8 for load in ["25", "75"])),
        ("MADV_COLLAPSE leaves all of another process's, of which eight are noted",
         madvise[found] == RANGES - 8 and madvise[left] == 0 and madvise[held] < 1),
    ]
