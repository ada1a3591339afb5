#!/usr/bin/env python3
"""Exit statuses: 0 where all is well, 1 after wrong input or a failure, 2 where a run or a comparison is not as it should
be, and 128 and the signal's number where one ended it. No other, whatever the subcommand."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

RUNFILES = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'])
NUMASIM = os.path.join(RUNFILES, 'cli/numasim')
RECORDING = os.path.join(RUNFILES, 'tests/kernel_truth/buddy_fragment_coalesce')
TWO_NODES = os.path.join(RUNFILES, 'tests/workloads/machine/testdata/two_nodes')

SCENARIO = '''machine { node { memory: "64M" cpus: 1 } }
kernel { thp { enabled: "never" } }
workload { script { %s line: "spawn p" line: "@p map a 8M anon" line: "@p touch a" line: "@p exit" } }
'''
ENDLESS = 'loops: 1000000000'
STUDY = 'scenario: "%s"\nparameter { name: "line" set: "workload.script[0].line[%d]" value: [%s] }\nshow: "simulated_ns"\n'

RUN = ['run', 's.textproto', '--out', 't.pb', '--quiet']
CONFORM = ['conform', 's.mm', '--boot', 's.json', '--json', 'o.json']
SNAPSHOT = ['snapshot', '--root', TWO_NODES, '--topology', TWO_NODES + '.xml']

# (exit status, arguments)
CASES = [
    (0, ['--help']),
    (0, ['--version']),
    (0, ['help', 'run']),
    (0, ['completion', 'bash']),
    (0, RUN),
    (0, RUN + ['--fail-on', 'node0.numa_miss > 0']),
    (0, ['run', 'made.pb', '--quiet']),
    (0, CONFORM),
    (0, SNAPSHOT),
    (0, ['dump', 'made.pb']),
    (0, ['metrics', 'made.pb']),
    (0, ['report', 'made.pb']),
    (0, ['export', 'made.pb', '--perfetto']),
    (0, ['compare', 'made.pb', 'made.pb']),
    (0, ['sweep', 'study.textproto', '--quiet']),
    # What is worse, or not as expected.
    (2, RUN + ['--fail-on', 'node0.numa_hit > 0']),
    (2, ['run', 'expects.textproto', '--quiet']),
    (2, ['compare', 'made.pb', 'slower.pb']),
    (2, ['sweep', 'unmet.textproto', '--quiet']),
    (2, ['sweep', 'failing.textproto', '--quiet']),
    # Wrong input.
    (1, []),
    (1, ['rnu']),
    (1, ['help', 'rnu']),
    (1, ['completion', 'fish']),
    (1, RUN + ['--sede', '3']),
    (1, RUN + ['--fail-on', 'node7.numa_hit > 0']),
    (1, ['run', 'none.textproto']),
    (1, ['replay', 'none.csv', '--machine', 'none.textproto']),
    (1, ['conform', 's.mm', '--boot', 'none.json', '--json', 'o.json']),
    (1, ['snapshot', '--root', 'none']),
    (1, ['dump', 'none.pb']),
    (1, ['metrics', 'none.pb']),
    (1, ['report', 'none.pb']),
    (1, ['export', 'none.pb', '--perfetto']),
    (1, ['compare', 'made.pb', 'none.pb']),
    (1, ['sweep', 'none.textproto']),
    # What cannot be written.
    (1, ['run', 's.textproto', '--out', 'none/t.pb']),
    (1, ['export', 'made.pb', '--perfetto', '--out', 'none/t']),
]

# What goes on for longer than anybody waits.
ENDLESS_CASES = [
    ['run', 'endless.textproto', '--quiet'],
    ['replay', 'jobs.csv', '--machine', 'm.textproto', '--columns', 'submit=from,run=for,cpus=cpus', '--quiet'],
    ['sweep', 'endless_study.textproto', '--quiet'],
    ['conform', 'long.mm', '--boot', 's.json', '--json', 'o.json'],
]
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


def write(name, text):
    with open(name, 'w', encoding='utf-8') as file:
        file.write(text)


def prepare():
    """The inputs of all cases, in the current folder."""
    write('s.textproto', SCENARIO % '')
    write('more.textproto', (SCENARIO % '').replace('8M', '16M'))
    write('expects.textproto', 'expect: "node0.numa_hit == 0"\n' + SCENARIO % '')
    write('endless.textproto', SCENARIO % ENDLESS)
    for study, scenario in (('study', 's'), ('unmet', 'expects'), ('endless_study', 'endless')):
        write(study + '.textproto', STUDY % (scenario + '.textproto', 1, '"@p map a 8M anon", "@p map a 4M anon"'))
    # One run sleeps until after the end of simulated time.
    write('failing.textproto', STUDY % ('s.textproto', 3, '"@p exit", "sleep 9223372036854"'))
    for ending in ('.mm', '.truth.json'):
        shutil.copy(RECORDING + ending, 's' + ending.replace('.truth', ''))
    write('long.mm', 'spawn p\n' + 'sleep 1\n' * 50000)
    write('m.textproto', 'node { memory: "64M" cpus: 1 }\n')
    write('jobs.csv', 'from,for,cpus\n' + '1,1,1\n' * 300000)
    for scenario, trace in (('s', 'made.pb'), ('more', 'slower.pb')):
        subprocess.run([NUMASIM, 'run', scenario + '.textproto', '--out', trace], check=True, capture_output=True)


def catches(pid, number):
    """Whether a process has a handler for a signal."""
    with open(f'/proc/{pid}/status', encoding='utf-8') as file:
        caught = next((line for line in file if line.startswith('SigCgt:')), 'SigCgt: 0')
    return int(caught.split()[1], 16) >> (number - 1) & 1 == 1


def status_after(arguments, number):
    """The exit status of what a signal ends while it runs."""
    process = subprocess.Popen([NUMASIM] + arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    while process.poll() is None and not catches(process.pid, number):
        time.sleep(0.01)
    process.send_signal(number)
    said = process.communicate()[1]
    return process.returncode, said


def main():
    os.chdir(tempfile.mkdtemp(dir=os.environ['TEST_TMPDIR']))
    prepare()
    failed = 0
    for expected, arguments in CASES:
        done = subprocess.run([NUMASIM] + arguments, capture_output=True, text=True)
        # Whatever is not well is told.
        if done.returncode != expected or (expected == 1 and not done.stderr):
            print(f'FAILED: {arguments}\n  expected {expected}, got {done.returncode}: {done.stderr}')
            failed += 1
    for arguments in ENDLESS_CASES:
        for number, expected in SIGNALS:
            status, said = status_after(arguments, number)
            if status != expected or f'{number.name} ended the ' not in said:
                print(f'FAILED: {arguments} after {number.name}\n  expected {expected}, got {status}: {said}')
                failed += 1
    print(f'{len(CASES) + len(ENDLESS_CASES) * len(SIGNALS)} exit statuses, {failed} not as they should be')
    sys.exit(failed != 0)


main()
