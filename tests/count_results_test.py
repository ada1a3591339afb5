#!/usr/bin/env python3
"""Tests count_results.py on small, hand-written event files."""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, "tests")
import count_results  # noqa: E402  pylint: disable=wrong-import-position

TWO_PASSED_ONE_SKIPPED = """<testsuites><testsuite>
<testcase name="A" status="run" result="completed"/>
<testcase name="B" status="run" result="completed"/>
<testcase name="C" status="run" result="skipped"><skipped message="why"/></testcase>
</testsuite></testsuites>"""
ONE_PASSED_ONE_FAILED = """<testsuites><testsuite>
<testcase name="A"/><testcase name="B"><failure message="no"/></testcase>
</testsuite></testsuites>"""


class CountResultsTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.events = []

    def tearDown(self):
        self.directory.cleanup()

    def add_test(self, label, status, xml=None, shard=1):
        outputs = []
        if xml is not None:
            path = os.path.join(self.directory.name, f"{len(self.events)} test.xml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(xml)
            outputs = [{"name": "test.xml", "uri": "file://" + path.replace(" ", "%20")}]
        identity = {"label": label, "run": 1, "shard": shard, "attempt": 1}
        self.events.append({"id": {"testResult": identity}, "testResult": {"testActionOutput": outputs}})
        self.events.append({"id": {"testSummary": {"label": label}}, "testSummary": {"overallStatus": status}})

    def count(self, *options, cut=""):
        path = os.path.join(self.directory.name, "events")
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(json.dumps(event) + "\n" for event in self.events) + cut)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = count_results.main([*options, path])
        return output.getvalue().splitlines()[-1], status

    def test_cases_are_counted_and_not_targets(self):
        self.add_test("//a", "PASSED", TWO_PASSED_ONE_SKIPPED)
        self.add_test("//b", "PASSED", TWO_PASSED_ONE_SKIPPED)
        self.assertEqual(self.count(), ("4 passed, 0 failed, 2 skipped", 0))

    def test_failed_case_fails_the_run(self):
        self.add_test("//a", "FAILED", ONE_PASSED_ONE_FAILED)
        self.assertEqual(self.count("--bazel-exit-status=3"), ("1 passed, 1 failed", 1))

    def test_test_without_report_counts_as_one(self):
        self.add_test("//a", "PASSED")
        self.add_test("//b", "TIMEOUT")
        self.assertEqual(self.count("--bazel-exit-status=3"), ("1 passed, 1 failed", 1))

    def test_death_after_the_last_passed_case_counts_as_failed(self):
        self.add_test("//a", "FAILED", TWO_PASSED_ONE_SKIPPED)
        self.assertEqual(self.count("--bazel-exit-status=3"), ("2 passed, 1 failed, 1 skipped", 1))

    def test_cases_of_all_shards_count(self):
        self.add_test("//a", "PASSED", TWO_PASSED_ONE_SKIPPED, shard=1)
        self.add_test("//a", "PASSED", TWO_PASSED_ONE_SKIPPED, shard=2)
        self.assertEqual(self.count(), ("4 passed, 0 failed, 2 skipped", 0))

    def test_target_that_does_not_build_counts_once(self):
        self.add_test("//a", "NO_STATUS")
        self.events.append({"id": {"targetCompleted": {"label": "//a"}}, "completed": {}})
        self.add_test("//b", "PASSED")
        self.assertEqual(self.count("--bazel-exit-status=1"), ("1 passed, 1 failed", 1))

    def test_bazel_failing_for_another_reason_fails_the_run(self):
        self.add_test("//a", "PASSED")
        self.assertEqual(self.count("--bazel-exit-status=37", cut='{"id":'), ("1 passed, 1 failed", 1))

    def test_no_test_at_all_is_a_failure(self):
        self.assertEqual(self.count("--bazel-exit-status=4"), ("0 passed, 1 failed", 1))

    def test_formatting_counts_as_one_case(self):
        self.add_test("//a", "PASSED")
        self.assertEqual(self.count("--formatting=passed"), ("2 passed, 0 failed", 0))
        self.assertEqual(self.count("--formatting=failed"), ("1 passed, 1 failed", 1))


if __name__ == "__main__":
    unittest.main()
