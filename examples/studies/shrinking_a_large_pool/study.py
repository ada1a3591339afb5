"""hugetlb_lock while a pool shrinks. See README.md."""

SIZES = {"1k": 1_000, "100k": 100_000, "500k": 500_000}
KEPT = 1_000
SHRINKS = {"before": "locked", "after": "batched"}

TEMPLATE = """# A pool of {pages:,} free pages is given up at 5 s, while eight processes map, touch and unmap huge pages of the {kept:,}
# that stay. Written by study.py.
name: "{name}"
machine {{
  node {{ memory: "512G" cpus: 16 }}
  node {{ memory: "512G" cpus: 16 }}
}}
kernel {{
  hugetlb {{ shrink: "{shrink}" }}
}}
workload {{
  script {{
    name: "boot"
    line: "pool 2M all {all}"
  }}
  script {{
    name: "administrator"
    start: "5s"
    line: "pool 2M all {kept}"
  }}
{loads}}}
trace {{ interval: "1s" counters: "hugetlb-2M.*" }}
"""

LOAD = """  script {{
    name: "load{cpu}"
    start: "4900ms"
    loops: 100
    line: "spawn p"
    line: "@p cpu {cpu}"
    line: "@p map a 32M hugetlb-2M"
    line: "@p touch a"
    line: "@p exit"
  }}
"""
LOAD_CPUS = [1, 2, 3, 4, 17, 18, 19, 20]  # four of each node


def scenarios():
    loads = "".join(LOAD.format(cpu=cpu) for cpu in LOAD_CPUS)
    return {
        f"{size}_{when}": TEMPLATE.format(name=f"{size}_{when}", pages=pages, all=pages + KEPT, kept=KEPT,
                                          shrink=shrink, loads=loads)
        for size, pages in SIZES.items()
        for when, shrink in SHRINKS.items()
    }


COLUMNS = ["pages given up", "longest hold, ms", "longest wait, ms", "waits of 1 ms and more", "waited in all, ms"]


def row(_, run):
    lock = run.lock("hugetlb_lock")
    wait = lock["wait_ns"]
    long_waits = sum(bucket["count"] for bucket in wait["buckets"] if bucket["low"] >= 1_000_000)
    given_up = run.at("hugetlb-2M.nr_hugepages", 4) - run.last("hugetlb-2M.nr_hugepages")
    return [given_up, lock["hold_ns"]["max"] / 1e6, wait["max"] / 1e6, long_waits, wait["sum"] / 1e6]


def check(rows):
    hold, wait = COLUMNS[1], COLUMNS[2]
    claims = []
    for size, pages in SIZES.items():
        before, after = rows[f"{size}_before"], rows[f"{size}_after"]
        claims += [
            (f"{size}: all pages are given up", before[COLUMNS[0]] == after[COLUMNS[0]] == pages),
            (f"{size}: the longest hold before is over five times that after", before[hold] > 5 * after[hold]),
            (f"{size}: others wait longer before", before[wait] > 5 * after[wait]),
        ]
    for when in SHRINKS:
        few, many = rows[f"100k_{when}"][hold], rows[f"500k_{when}"][hold]
        claims.append((f"{when}: the longest hold grows with the pool", 4.5 < many / few < 5.5))
    return claims
