#!/usr/bin/env python3
"""Counts test cases from Bazel's build events and ends with the line `N passed, N failed[, N skipped]`.

A test that dies without saying which case failed counts as one failed case, and so does a target that does not
build. The exit status is 0 only if nothing failed and Bazel agrees.
"""

import argparse
import collections
import json
import sys
import urllib.parse
import xml.etree.ElementTree

PASSED_STATUSES = ("PASSED", "FLAKY")
BAZEL_OK = 0
BAZEL_NO_TESTS = 4

Counts = collections.namedtuple("Counts", "passed failed skipped")


def read_events(path):
    """The events of a --build_event_json_file; a line cut off by a killed Bazel ends the reading."""
    events = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            try:
                events.append(json.loads(line))
            except json.JSONDecodeError:
                break
    return events


def count_xml(path):
    """Counts the cases of one test.xml (JUnit form, as GoogleTest and Bazel write it)."""
    passed = failed = skipped = 0
    try:
        cases = list(xml.etree.ElementTree.parse(path).iter("testcase"))
    except (OSError, xml.etree.ElementTree.ParseError):
        return Counts(0, 0, 0)
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("result") in ("skipped", "suppressed"):
            skipped += 1
        else:
            passed += 1
    return Counts(passed, failed, skipped)


def count_target(ok, xml_paths):
    """Counts one test target. `ok` is Bazel's verdict, which wins where the reports say less."""
    counts = [count_xml(path) for path in xml_paths]
    passed = sum(count.passed for count in counts)
    failed = sum(count.failed for count in counts)
    skipped = sum(count.skipped for count in counts)
    if ok and passed + failed + skipped == 0:
        passed = 1
    if not ok and failed == 0:
        failed = 1
    return Counts(passed, failed, skipped)


def collect(events):
    """Returns (target -> Counts of every test that ran, set of targets that were not built)."""
    summaries = {}
    reports = collections.defaultdict(dict)
    broken = set()
    for event in events:
        event_id = event.get("id", {})
        if "testSummary" in event_id:
            label = event_id["testSummary"]["label"]
            summaries[label] = event.get("testSummary", {}).get("overallStatus", "NO_STATUS")
        elif "testResult" in event_id:
            result = event_id["testResult"]
            for output in event.get("testResult", {}).get("testActionOutput", []):
                if output.get("name") == "test.xml" and "uri" in output:
                    path = urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path)
                    # A later attempt of the same shard replaces the earlier.
                    reports[result["label"]][(result.get("run"), result.get("shard"))] = path
        elif "targetCompleted" in event_id and not event.get("completed", {}).get("success"):
            broken.add(event_id["targetCompleted"]["label"])
        elif "pattern" in event_id and "aborted" in event:
            broken.add(" ".join(event_id["pattern"]["pattern"]))
    tests = {
        label: count_target(status in PASSED_STATUSES, [reports[label][key] for key in sorted(reports[label])])
        for label, status in summaries.items()
        if label not in broken
    }
    return tests, broken


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", help="the file that Bazel's --build_event_json_file wrote")
    parser.add_argument("--bazel-exit-status", type=int, default=0)
    parser.add_argument("--formatting", choices=("passed", "failed", "skip"), default="skip")
    options = parser.parse_args(arguments)

    tests, broken = collect(read_events(options.events))
    passed = sum(counts.passed for counts in tests.values())
    failed = sum(counts.failed for counts in tests.values()) + len(broken)
    skipped = sum(counts.skipped for counts in tests.values())
    bad = [label for label, counts in tests.items() if counts.failed] + [f"{label} (not built)" for label in broken]
    if options.formatting != "skip":
        passed += options.formatting == "passed"
        failed += options.formatting == "failed"
    if options.formatting == "failed":
        bad.append("formatting")
    if failed == 0 and options.bazel_exit_status not in (BAZEL_OK, BAZEL_NO_TESTS):
        failed = 1
        bad.append(f"bazel (exit status {options.bazel_exit_status})")
    if failed == 0 and passed == 0:
        failed = 1
        bad.append("no test was found")

    print()
    for name in sorted(bad):
        print(f"failed: {name}")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
