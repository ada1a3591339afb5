"""A driver's cma_alloc while huge pages come and go. See README.md."""

LOCKS = ["mutex", "spinlock"]

TEMPLATE = """# {title}. Written by study.py.
name: "{name}"
machine {{
  node {{ memory: "16G" cpus: 8 }}
  node {{ memory: "16G" cpus: 8 }}
}}
kernel {{
  cma {{
    area {{ name: "camera" node: 0 size: "1G" }}
    hugetlb {{ node: 0 size: "4G" }}
    lock: "{lock}"
  }}
}}
workload {{
  # Two buffers of 16 MiB at a time, 200 times, aligned as dma_alloc_contiguous() asks for.
  script {{
    name: "driver"
    start: "8s"
    loops: 200
    line: "cma_alloc camera left 16M align=1M"
    line: "cma_alloc camera right 16M align=1M"
    line: "sleep 2"
    line: "cma_release left"
    line: "cma_release right"
    line: "sleep 2"
  }}
{loads}}}
stop_after: "10s"
trace {{ interval: "100ms" counters: "cma.*" counters: "*hugetlb-*" counters: "node0.pgmigrate_*" }}
"""


def script(name, start, loops, lines):
    inside = "".join(f'    line: "{line}"\n' for line in lines)
    return f'  script {{\n    name: "{name}"\n    start: "{start}"\n    loops: {loops}\n{inside}  }}\n'


def process(cpu, *lines):
    return ["spawn p", f"@p cpu {cpu}", *(f"@p {line}" for line in lines)]



def resident(*then):
    """Memory that stays. When over half of what is free is CMA, movable pages go there."""
    return script("resident", "0s", 1, process(1, "map a 9G anon policy=bind:0 thp=nohugepage", "touch a") + list(then))


FAULTS = [
    script("pool", "5s", 1, ["pool 2M node0 512"]),
    script("base", "8s", 1000, process(2, "map a 64M anon policy=bind:0 thp=nohugepage", "touch a", "exit")),
    script("huge", "8s", 1000, process(3, "map a 256M hugetlb-2M policy=bind:0", "touch a", "exit")),
]
RESIZE = script("administrator", "8s", 1000,
                process(4, "policy bind:0", "pool 1G mempolicy 2", "pool 1G mempolicy 0", "exit") + ["sleep 3"])
STAYS = resident("sleep 60000")
# Touching takes 3.8 s, so this holds for about the first half second of the driver's work.
PINNED = resident("sleep 3000", "@p pin a", "sleep 1600", "@p unpin a", "sleep 60000")

LOADS = {
    "idle": ("A driver takes and gives back CMA ranges", []),
    "faults": ("The same while base pages and huge pages fill the area and come and go", [STAYS, *FAULTS]),
    "resize": ("The same, and a pool of gigantic pages from their own area grows and shrinks", [STAYS, *FAULTS, RESIZE]),
    "pins": ("Base pages and huge pages come and go; what stays is pinned at first, as for O_DIRECT",
             [PINNED, *FAULTS]),
}


def scenarios():
    texts = {}
    for load, (title, scripts) in LOADS.items():
        for lock in LOCKS:
            name = f"{load}_{lock}"
            texts[name] = TEMPLATE.format(title=title, name=name, lock=lock, loads="".join(scripts))
    return texts


COLUMNS = ["cma_alloc", "failed", "mean, ms", "longest, ms", "pages migrated", "gigantic pages", "waits for cma_mutex",
           "longest wait, ms", "waits for area locks"]


def row(_, run):
    done, failed = run.last("cma.camera.cma_alloc_success"), run.last("cma.camera.cma_alloc_fail")
    mutex = run.lock("cma_mutex")
    areas = [lock for lock in (run.lock("cma.camera.lock"), run.lock("cma.hugetlb0.lock")) if lock]
    return [done + failed, failed, run.last("cma.camera.cma_alloc_ns") / 1e6 / (done + failed),
            run.last("cma.camera.cma_alloc_max_ns") / 1e6,
            run.last("node0.pgmigrate_success") - run.at("node0.pgmigrate_success", 7.9),
            run.last("cma.hugetlb0.cma_alloc_success"), mutex["contended"], mutex["wait_ns"]["max"] / 1e6,
            sum(lock["contended"] for lock in areas)]


def check(rows):
    calls, failed, mean, longest, migrated, gigantic, waits, wait, area_waits = COLUMNS
    claims = []
    for lock in LOCKS:
        idle, faults, resize, pins = (rows[f"{load}_{lock}"] for load in LOADS)
        claims += [
            (f"{lock}: an empty area is served without migration", idle[migrated] == 0 and idle[longest] < 0.1),
            (f"{lock}: moving pages out of the way costs over ten times as much", faults[mean] > 10 * idle[mean]),
            (f"{lock}: what can be moved makes no allocation fail",
             idle[failed] == faults[failed] == resize[failed] == 0),
            (f"{lock}: the driver waits for gigantic pages of another area",
             resize[gigantic] > 0 and resize[waits] > 0 and resize[wait] > 0.9 * resize[longest]),
            (f"{lock}: and that is most of the time", resize[longest] > 10 * faults[longest]),
            (f"{lock}: otherwise nobody waits for cma_mutex", idle[waits] == faults[waits] == pins[waits] == 0),
            (f"{lock}: pinned pages make allocations fail", pins[failed] > 0),
        ]
    for load in LOADS:
        claims.append((f"{load}: the area's lock makes no difference",
                       rows[f"{load}_mutex"] == rows[f"{load}_spinlock"] and rows[f"{load}_mutex"][area_waits] == 0))
    return claims
