#!/usr/bin/env python3
"""Runs every scenario of a study and prints its table.

    examples/studies/run_study.py shrinking_a_large_pool

A study is a folder with scenarios (NAME.textproto), a README.md and a study.py, which says

    COLUMNS          the table's columns
    row(name, run)   one line of it, from a scenario's trace: a value for each column
    check(rows)      what the README claims about the table, {scenario: its line}: a list of (claim, whether it holds)
    scenarios()      optional: {NAME: text}, for a family of scenarios that a program writes

Needs nothing but Python 3 and numasim (by default the wrapper in the root, which builds it).
"""

import argparse
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # no __pycache__ beside the scenarios
HERE = pathlib.Path(__file__).absolute().parent


class Run:
    """A finished run, read from `numasim dump --format json`."""

    def __init__(self, trace):
        self._trace = trace
        self._index = {column["name"]: i for i, column in enumerate(trace["columns"])}
        self.events = trace["events"]
        self._locks = trace["locks"]

    def last(self, counter):
        """The counter's value at the end."""
        return self._trace["samples"][-1]["values"][self._index[counter]]

    def at(self, counter, time_s):
        """Its value in the last sample up to a simulated time."""
        value = 0
        for sample in self._trace["samples"]:
            if sample["time_ns"] > time_s * 1e9:
                break
            value = sample["values"][self._index[counter]]
        return value

    def reaches(self, counter):
        """What the nodes' counters come to at the end, and the simulated milliseconds in which they do."""
        columns = [i for name, i in self._index.items() if name.endswith("." + counter)]
        sums = [(sum(sample["values"][i] for i in columns), sample["time_ns"]) for sample in self._trace["samples"]]
        last = sums[-1][0]
        return last, next(time_ns for value, time_ns in sums if value == last) / 1e6

    def lock(self, name, lp=None):
        """What the lock saw, in the form of the dump; None if it was never taken. `lp` where more than one has the name."""
        found = [lock for lock in self._locks if lock["name"] == name and lp in (None, lock["lp"])]
        assert len(found) <= 1, f"{name} is on {len(found)} LPs"
        return found[0] if found else None

    def count(self, kind, **fields):
        """How many failures of a kind have these values."""
        return sum(event["kind"] == kind and all(event["failure"].get(name) == value for name, value in fields.items())
                   for event in self.events)


def load(folder):
    spec = importlib.util.spec_from_file_location(folder.name, folder / "study.py")
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    return study


def simulate(numasim, scenario, scratch):
    trace = scratch / (scenario.stem + ".trace.pb")
    subprocess.run([numasim, "run", scenario, "--out", trace, "--quiet"], check=True)
    dump = subprocess.run([numasim, "dump", trace, "--format", "json"], check=True, stdout=subprocess.PIPE)
    trace.unlink()
    return Run(json.loads(dump.stdout))


def names(folder, study):
    """The scenarios, in the table's order."""
    if hasattr(study, "scenarios"):
        return list(study.scenarios())
    return sorted(path.stem for path in folder.glob("*.textproto"))


def generate(folder, study):
    for name, text in study.scenarios().items():
        (folder / f"{name}.textproto").write_text(text)


def stale(folder, study):
    """The scenarios that are not as study.py writes them."""
    if not hasattr(study, "scenarios"):
        return []
    there = {path.stem: path.read_text() for path in folder.glob("*.textproto")}
    wanted = study.scenarios()
    return sorted(name for name in there.keys() | wanted.keys() if there.get(name) != wanted.get(name))


def text(cell):
    if isinstance(cell, float):
        return f"{cell:,.3f}" if abs(cell) < 10 else f"{cell:,.1f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def table(columns, rows):
    rows = [[text(cell) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *rows]) for i in range(len(columns))]
    return "".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |\n"
                   for line in [columns, ["-" * width for width in widths], *rows])


def check(folder, study, rows, printed):
    failed = [f"{name}.textproto is not what study.py writes; run with --generate" for name in stale(folder, study)]
    if printed not in (folder / "README.md").read_text():
        failed.append("README.md has the table that is printed here")
    lines = {row[0]: dict(zip(study.COLUMNS, row[1:])) for row in rows}
    failed += [claim for claim, holds in study.check(lines) if not holds]
    for claim in failed:
        print(f"{folder.name}: does not hold: {claim}")
    return not failed


def main():
    studies = sorted(path.parent.name for path in HERE.glob("*/study.py"))
    parser = argparse.ArgumentParser(description="Runs a study's scenarios and prints its table.")
    parser.add_argument("study", choices=studies)
    parser.add_argument("--numasim", default=HERE.parents[1] / "numasim", help="the program")
    parser.add_argument("--check", action="store_true", help="also check what the study's README claims")
    parser.add_argument("--generate", action="store_true", help="only write the scenarios anew")
    arguments = parser.parse_args()
    folder = HERE / arguments.study
    study = load(folder)
    if arguments.generate:
        generate(folder, study)
        return 0
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in names(folder, study):
            run = simulate(arguments.numasim, folder / f"{name}.textproto", pathlib.Path(scratch))
            rows.append([name, *study.row(name, run)])
    printed = table(["scenario", *study.COLUMNS], rows)
    print(printed, end="")
    return 0 if not arguments.check or check(folder, study, rows, printed) else 1


if __name__ == "__main__":
    sys.exit(main())
