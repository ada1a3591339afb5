#!/usr/bin/env python3
"""Runs scaling_bench and tells whether ten times the work costs at most eleven times as much.

usage: check_scaling.py [--most RATIO] [--repetitions N] SCALING_BENCH [FILTER]

The least CPU time of several runs counts, each in a process of its own. Exit status 1 if a case costs more.
"""
import argparse
import json
import subprocess
import sys


def cases(binary, filter_):
    """Names of the form CASE/SIZE."""
    command = [binary, '--benchmark_list_tests', '--benchmark_filter=' + filter_]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()


def measure(binary, name):
    """Milliseconds of CPU time of one run, in a process of its own.

    A second run in the same process would find the first one's memory: a small run all of it, a large one,
    whose memory the allocator gave back, little.
    """
    command = [binary, '--benchmark_format=json', '--benchmark_min_time=0', f'--benchmark_filter=^{name}$']
    (run,) = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)['benchmarks']
    if run.get('error_occurred'):
        sys.exit(f"{name}: {run['error_message']}")
    return run['cpu_time']


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--most', type=float, default=11, help='times as much as the smaller size (default: 11)')
    parser.add_argument('--repetitions', type=int, default=5, help='runs of each size (default: 5)')
    parser.add_argument('binary')
    parser.add_argument('filter', nargs='?', default='.*')
    args = parser.parse_args()
    failed = False
    print(f'{"case":<12} {"size":>10} {"ns each":>9} {"10 times":>9} {"ratio":>6}')
    results = {}
    for name in cases(args.binary, args.filter):
        case, size = name.split('/')
        least = min(measure(args.binary, name) for _ in range(args.repetitions))
        results.setdefault(case, {})[int(size)] = least
    for name, times in results.items():
        if len(times) != 2:
            sys.exit(f'{name}: one size only; expected a filter that matches both')
        (small, least), (large, most) = sorted(times.items())
        ratio = most / least * 10 * small / large
        failed = failed or ratio > args.most
        print(f'{name:<12} {small:>10} {least * 1e6 / small:>9.0f} {most * 1e6 / large:>9.0f} {ratio:>6.2f} '
              + ('passed' if ratio <= args.most else 'FAILED'))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
