"""What it costs to count references to the huge zero page. See README.md."""

# Who has a reference: each mapping (Linux 3.8), each mm (4.9), nobody.
REFS = ("mapping", "mm", "none")
# How a process reads, and what an access takes (touch_ns): one byte of each 2 MiB; one of each 4 KiB, a cache miss of
# 64 ns each; or every byte, 410 ns for the 4 KiB of an access at 10 GB/s.
STEP = {"what": "one byte of each 2 MiB", "touch": "0 {size} 2M r", "costs": ""}
PAGES = {"what": "one byte of each 4 KiB", "touch": "r", "costs": " touch_ns: 64"}
WHOLE = {"what": "every byte", "touch": "r", "costs": " touch_ns: 410"}

# The machine, how the processes read, how much each, and what a contended cache line costs.
CASES = {
    "step": dict(nodes=4, cpus=10, size="4G", read=STEP, line=190),
    "step_50ns": dict(nodes=4, cpus=10, size="4G", read=STEP, line=50),
    "step_400ns": dict(nodes=4, cpus=10, size="4G", read=STEP, line=400),
    "pages": dict(nodes=4, cpus=10, size="1G", read=PAGES, line=190),
    "pages_50ns": dict(nodes=4, cpus=10, size="1G", read=PAGES, line=50),
    "pages_400ns": dict(nodes=4, cpus=10, size="1G", read=PAGES, line=400),
    "whole": dict(nodes=4, cpus=10, size="1G", read=WHOLE, line=190),
    "usemem": dict(nodes=2, cpus=36, size="4G", read=STEP, line=190),
}

TEMPLATE = """# {title}. Written by study.py.
name: "{name}"
machine {{
{nodes}}}
kernel {{ thp {{ zero_page_refs: "{refs}" }} }}
cost_model {{ hop_ns: 50 cache_line_ns: {line}{costs} }}
workload {{
{scripts}}}
trace {{ interval: "20us" counters: "node*.pgfault" }}
"""


def scenario(name, refs, case):
    cpus = case["nodes"] * case["cpus"]
    touch = ("@p touch a " + case["read"]["touch"]).format(size=case["size"])
    scripts = "".join(
        f'  script {{ name: "{cpu}" line: "spawn p" line: "@p cpu {cpu}" line: "@p map a {case["size"]} anon" '
        f'line: "{touch}" line: "@p exit" }}\n' for cpu in range(cpus))
    nodes = f'  node {{ memory: "4G" cpus: {case["cpus"]} }}\n' * case["nodes"]
    title = f'{cpus} processes read {case["read"]["what"]} of {case["size"]}'
    return TEMPLATE.format(title=title, name=name, nodes=nodes, refs=refs, line=case["line"],
                           costs=case["read"]["costs"], scripts=scripts)


def variants():
    """(name, references, case); but where each mapping has one, a cache line's cost changes nothing."""
    for case_name, case in CASES.items():
        for refs in REFS if case["line"] == 190 else ("mapping",):
            yield f"{case_name}_{refs}", refs, case


def scenarios():
    return {name: scenario(name, refs, case) for name, refs, case in variants()}


COLUMNS = ["references counted", "read for ms", "us a fault", "waits for the line", "wait ns"]


def row(name, run):
    cpus = next(case["nodes"] * case["cpus"] for variant, _, case in variants() if variant == name)
    faults, end_ms = run.reaches("pgfault")
    line = run.lock("huge_zero_refcount") or {"acquired": 0, "contended": 0, "wait_ns": {"sum": 0}}
    waited = line["wait_ns"]["sum"] / line["contended"] if line["contended"] else 0
    return [line["acquired"], end_ms, end_ms * 1000 * cpus / faults, line["contended"], round(waited)]


def check(rows):
    counted, read_ms, _, waits, _ = COLUMNS

    def slower(case, refs, than="none"):
        """How much longer the reading takes than with other references, in percent."""
        base = case.split("_")[0]
        return 100 * (rows[f"{case}_{refs}"][read_ms] / rows[f"{base}_{than}"][read_ms] - 1)

    cases = ("step", "pages", "whole", "usemem")
    return [
        ("with one for each address space nothing is slower", all(slower(case, "mm") == 0 for case in cases)),
        ("with three writes of the line for each process: no page found, one brought, and the exit",
         all(rows[f"{case}_mm"][counted] == 3 * (72 if case == "usemem" else 40) for case in cases)),
        ("step: over three times as long with one for each mapping", slower("step", "mapping") > 200),
        ("and six times with a line of 400 ns", slower("step_400ns", "mapping") > 500),
        ("but a quarter more with one of 50 ns", 20 < slower("step_50ns", "mapping") < 30),
        ("pages: about the 1% that was measured", 0.7 < slower("pages", "mapping") < 2),
        ("whatever the line costs, within a factor of three",
         0.3 < slower("pages_50ns", "mapping") < slower("pages_400ns", "mapping") < 4),
        ("whole: next to nothing", slower("whole", "mapping") < 0.5),
        ("usemem: more of a gain than what was measured, 164%", slower("usemem", "mapping", "mm") > 164),
    ]
