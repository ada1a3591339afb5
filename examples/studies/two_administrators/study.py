"""Two writers of nr_hugepages at the same time. See README.md."""

# As in 5.12, where the lock is not dropped between taking pages off a list and freeing them, and as in 6.1.
KNOBS = {"before": 'resize: "racing" shrink: "locked"', "after": 'resize: "serialized" shrink: "batched"'}

# What is there at 1 s, and who writes what then; the second one 1 ms later, on a CPU of the other node.
CASES = {
    "two_nodes": {
        "title": "Two administrators, each under a memory policy of one node, write 10,000 and then 20,000 pages",
        "boot": [],
        "first": ["@a policy bind:0", "@a pool 2M mempolicy 10000"],
        "second": ["@b policy bind:1", "@b pool 2M mempolicy 20000"],
    },
    "up_and_down": {
        "title": "A pool of 20,000 pages: one administrator writes 30,000, and then another one 5,000",
        "boot": ["pool 2M all 20000"],
        "first": ["@a pool 2M all 30000"],
        "second": ["@b pool 2M all 5000"],
    },
    "node_and_all": {
        "title": "10,000 pages on each node: one writes 20,000 for node 0, and then another one 4,000 for the machine",
        "boot": ["pool 2M all 20000"],
        "first": ["pool 2M node0 20000"],
        "second": ["@b pool 2M all 4000"],
    },
}

TEMPLATE = """# {title}. Written by study.py.
name: "{name}"
machine {{
  node {{ memory: "80G" cpus: 4 }}
  node {{ memory: "80G" cpus: 4 }}
}}
kernel {{
  hugetlb {{ {knobs} }}
}}
workload {{
{scripts}}}
trace {{ interval: "1ms" counters: "*hugetlb-2M.nr_hugepages" }}
"""


def script(name, start, lines):
    inside = "".join(f'    line: "{line}"\n' for line in lines)
    return f'  script {{\n    name: "{name}"\n    start: "{start}"\n{inside}  }}\n'


def scenario(name, case, knobs):
    scripts = script("boot", "0s", case["boot"]) if case["boot"] else ""
    # Both are there, each on its CPU, before the first one writes.
    scripts += script("first", "900ms", ["spawn a", "@a cpu 1", "sleep 100", *case["first"]])
    scripts += script("second", "900ms", ["spawn b", "@b cpu 5", "sleep 101", *case["second"]])
    return TEMPLATE.format(title=case["title"], name=name, knobs=knobs, scripts=scripts)


def scenarios():
    return {
        f"{name}_{when}": scenario(f"{name}_{when}", case, knobs)
        for name, case in CASES.items()
        for when, knobs in KNOBS.items()
    }


COLUMNS = ["machine", "node 0", "node 1", "waits for the other writer"]


def row(_, run):
    mutex = run.lock("hugetlb-2M.resize_lock")
    return [run.last("hugetlb-2M.nr_hugepages"), run.last("node0.hugetlb-2M.nr_hugepages"),
            run.last("node1.hugetlb-2M.nr_hugepages"), mutex["contended"] if mutex else 0]


def check(rows):
    machine, node0, node1, waits = COLUMNS
    return [
        ("after: each node has what its administrator added",
         rows["two_nodes_after"][node0] == rows["two_nodes_after"][node1] == 10_000),
        ("before: the first one got fewer pages on node 0 than it wrote", rows["two_nodes_before"][node0] < 10_000),
        ("before and after: the larger figure is what the machine has",
         rows["two_nodes_before"][machine] == rows["two_nodes_after"][machine] == 20_000),
        ("after: the last write counts",
         rows["up_and_down_after"][machine] == 5_000 and rows["node_and_all_after"][machine] == 4_000),
        ("before: the last write is undone by the first", rows["up_and_down_before"][machine] == 30_000),
        ("before: node 0 has more than anybody wrote", rows["node_and_all_before"][node0] > 20_000),
        ("after: one waits for the other; before: nobody waits",
         all(row[waits] == (1 if name.endswith("_after") else 0) for name, row in rows.items())),
    ]
