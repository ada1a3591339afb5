"""Memory that virtio-mem takes back, against what huge pages lie in it. See README.md."""

RANGE_PAGES = 2_048  # huge pages that fit in the 4 GiB of the device
SHARES = [0, 10, 50, 90]
KNOBS = {"before": "fail", "after": "replace"}

TEMPLATE = """# {title}. Written by study.py.
name: "{name}"
machine {{
  node {{ memory: "8G" cpus: 2 }}
  node {{ memory: "8G" cpus: 2 }}
  virtio_mem {{ node: 1 max: "4G" }}
  kernel_args: "memhp_default_state=online_movable"
}}
kernel {{
  contig {{ hugetlb: "{knob}" }}
}}
workload {{
  script {{
    name: "hypervisor"
{lines}  }}
}}
trace {{ interval: "1s" counters: "*hugetlb-2M.*_hugepages" counters: "virtio_mem_*" }}
"""

# Base pages in all of node 1, before there is anything else: bound, so that they cannot go elsewhere.
FILL = ["spawn full", "@full cpu 2", "@full policy bind:1", "@full map rest 9G anon thp=nohugepage", "@full touch rest"]
UNPLUG_S = 60


def lines_of(share, used, full):
    pages = RANGE_PAGES * share // 100
    lines = (FILL if full else []) + ["virtio_mem 4G"]
    if pages:
        lines.append(f"pool 2M node1 {pages}")
    if used:
        lines += ["spawn guest", "@guest cpu 3", f"@guest map ram {2 * pages}M hugetlb-2M policy=bind:1", "@guest touch ram"]
    return lines + [f"sleep {UNPLUG_S * 1000}", "virtio_mem 0"]


def scenario(name, share, used, full, knob):
    what = f"{'used' if used else 'free'} huge pages in {share}% of the device's memory" if share else "no huge pages"
    title = f"virtio-mem takes back 4 GiB: {what}, node 1 otherwise {'full' if full else 'empty'}"
    lines = "".join(f'    line: "{line}"\n' for line in lines_of(share, used, full))
    return TEMPLATE.format(title=title, name=name, knob=knob, lines=lines)


def scenarios():
    texts = {}
    for full in (False, True):
        for used in (False, True):
            for share in SHARES:
                if used and not share:
                    continue
                for when, knob in KNOBS.items():
                    pages = f"{share}_{'used' if used else 'free'}" if share else "0"
                    name = f"{'full' if full else 'room'}_{pages}_{when}"
                    texts[name] = scenario(name, share, used, full, knob)
    return texts


COLUMNS = ["returned, %", "took, ms", "ms a GiB", "pool before", "pool after", "of it on node 0", "what failed most"]


DEVICE = RANGE_PAGES * 512  # base pages
GIB = 262_144
FAILURES = ("contig_failed", "dissolve_failed", "migration_failed")


def most_common_failure(run):
    reasons = {}
    for event in run.events:
        if event["kind"] not in FAILURES:
            continue
        reason = f"{event['failure']['errno']} {event['failure']['function']}"
        reasons[reason] = reasons.get(reason, 0) + 1
    return max(reasons, key=reasons.get) if reasons else "nothing"


def row(_, run):
    returned = DEVICE - run.last("virtio_mem_plugged")
    took = (run.last("virtio_mem_ns") - run.at("virtio_mem_ns", UNPLUG_S)) / 1e6
    return [100 * returned / DEVICE, took, took / (returned / GIB), run.at("hugetlb-2M.nr_hugepages", UNPLUG_S),
            run.last("hugetlb-2M.nr_hugepages"), run.last("node0.hugetlb-2M.nr_hugepages"), most_common_failure(run)]


def check_pair(name, before, after):
    """Claims about a scenario before and after 5.13."""
    returned, took, pool, left = COLUMNS[0], COLUMNS[1], COLUMNS[3], COLUMNS[4]
    pages = after[pool]
    without = 100 * (RANGE_PAGES - pages) / RANGE_PAGES
    claims = [
        (f"{name}: the pool keeps its size", before[pool] == before[left] == pages == after[left]),
        (f"{name}: before, exactly what has no huge page in it comes back", before[returned] == without),
    ]
    if "full" in name and "free" in name:
        claims.append((f"{name}: without room, no more comes back than before", after[returned] <= before[returned]))
    else:
        claims.append((f"{name}: everything comes back", after[returned] == 100))
    if "free" in name:
        claims.append((f"{name}: it takes less time than before", after[took] < before[took] / 3))
    if "used" in name:
        copies_ms = pages * 512 * 600 / 1e6  # cost_model.copy_page_ns
        claims.append((f"{name}: the time is that of copying", copies_ms < after[took] < 1.2 * copies_ms))
        away = after[COLUMNS[5]] / pages
        claims.append((f"{name}: used pages leave only a full node", away > 0.98 if "full" in name else away == 0))
    return claims


def check(rows):
    pairs = [name.removesuffix("_after") for name in rows if name.endswith("_after")]
    return [claim for name in pairs for claim in check_pair(name, rows[f"{name}_before"], rows[f"{name}_after"])]
