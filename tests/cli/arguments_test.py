#!/usr/bin/env python3
"""Every argument of the program has an effect, or is refused, or is named in a warning.

The arguments are those that `numasim SUBCOMMAND --help` lists; one without an entry below fails the test.
"""
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

RUNFILES = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'])
NUMASIM = os.path.join(RUNFILES, 'cli/numasim')
TWO_NODES = os.path.join(RUNFILES, 'tests/workloads/machine/testdata/two_nodes')
RECORDING = os.path.join(RUNFILES, 'tests/kernel_truth/buddy_fragment_coalesce')
OTHER_RECORDING = os.path.join(RUNFILES, 'tests/kernel_truth/hugetlb_node_resize')

SCENARIO = '''machine { node { memory: "64M" cpus: 2 } }
kernel { thp { enabled: "never" } }
workload { script { line: "spawn p" line: "@p map a 8M anon" line: "@p touch a" line: "sleep 5" line: "@p exit" %s } }
'''

RUN = ['run', 's.textproto', '--out', 't.pb']
REPLAY = ['replay', 'jobs.csv', '--machine', 'm.textproto', '--columns', 'submit=from,run=for,cpus=cpus,request=mem:M', '--out', 't.pb']
CONFORM = ['conform', 's.mm', '--boot', 's.json', '--json', 'o.json']
DUMP = ['dump', 'made.pb']
EXPORT = ['export', 'made.pb', '--perfetto']
COMPARE = ['compare', 'made.pb', 'other.pb']
# On one thread: the order in which runs are added does not depend on the moment.
SWEEP = ['sweep', 'study.textproto', '--out', 'd.sqlite', '--threads', '1']
SWEPT = ['compare', 'swept.sqlite', 'swept.sqlite', '--format', 'json']
SNAPSHOT = ['snapshot', '--root', 'root', '--topology', 'nodes.xml']


def replaced(arguments, old, new):
    return [new if argument == old else argument for argument in arguments]


# (subcommand, argument) -> [(without it or with another value, with it)]; what the two do must differ.
EFFECTS = {
    ('', '--version'): [(['--help'], ['--version'])],
    ('help', 'NAME'): [(['help'], ['help', 'run']), (['help', 'dump'], ['help', 'run'])],
    ('help', 'operations'): [(['help'], ['help', 'operations'])],
    ('help', 'fields'): [(['help'], ['help', 'fields'])],
    ('help', 'man'): [(['help'], ['help', 'man'])],
    ('help operations', 'NAME'): [(['help', 'operations'], ['help', 'operations', 'touch'])],
    ('help operations', '--format'): [(['help', 'operations'] + name, ['help', 'operations'] + name + ['--format', 'markdown'])
                                      for name in ([], ['map'])],
    ('help fields', 'PATH'): [(['help', 'fields'], ['help', 'fields', 'kernel.thp']),
                              (['help', 'fields', 'kernel.thp'], ['help', 'fields', 'study'])],
    ('help fields', '--format'): [(['help', 'fields'] + path, ['help', 'fields'] + path + ['--format', 'markdown'])
                                  for path in ([], ['kernel.thp'], ['seed'])],
    ('completion', 'SHELL'): [(['completion', 'bash'], ['completion', 'zsh'])],
    ('run', 'SCENARIO'): [(RUN, replaced(RUN, 's.textproto', 'other.textproto')), (RUN, replaced(RUN, 's.textproto', 's.mm'))],
    ('run', '--out'): [(RUN, replaced(RUN, 't.pb', 'u.pb')), (RUN, RUN[:2])],
    ('run', '--set'): [(RUN, RUN + ['--set', 'workload.script[0].copies=2'])],
    ('run', '--seed'): [(RUN, RUN + ['--seed', '5'])],  # a warning, as nothing in a run is random yet
    ('run', '--threads'): [(RUN, RUN + ['--threads', '0']), (RUN, RUN + ['--threads', '1025'])],
    ('run', '--allow-outside-files'): [(['run', 'outside/s.textproto', '--out', 't.pb'],
                                        ['run', 'outside/s.textproto', '--out', 't.pb', '--allow-outside-files'])],
    ('run', '--fail-on'): [(RUN, RUN + ['--fail-on', 'node0.numa_hit > 0'])],
    ('run', '--format'): [(RUN, RUN + ['--format', 'json'])],
    ('metrics', 'TRACE'): [(['metrics', 'made.pb'], ['metrics', 'other.pb'])],
    ('metrics', 'METRIC'): [(['metrics', 'made.pb'], ['metrics', 'made.pb', 'node0.*'])],
    ('metrics', '--format'): [(['metrics', 'made.pb'], ['metrics', 'made.pb', '--format', form]) for form in ('csv', 'json')],
    ('run', '--quiet'): [(RUN, RUN + ['--quiet'])],
    ('replay', 'LOG'): [(REPLAY, replaced(REPLAY, 'jobs.csv', 'other.csv'))],
    ('replay', '--machine'): [(REPLAY, replaced(REPLAY, 'm.textproto', 'larger.textproto'))],
    ('replay', '--format'): [(['replay', 'jobs.swf', '--machine', 'm.textproto'],
                              ['replay', 'jobs.swf', '--machine', 'm.textproto', '--format', 'sacct'])],
    ('replay', '--boot'): [(['replay', 'a.ftrace', '--machine', 'm.textproto'], ['replay', 'a.ftrace', '--boot', 's.json'])],
    ('replay', '--columns'): [(REPLAY, replaced(REPLAY, REPLAY[5], 'submit=from,run=for,cpus=cpus,request=mem:K'))],
    ('replay', '--policy'): [(REPLAY, REPLAY + ['--policy', 'fcfs'])],
    ('replay', '--page-size'): [(REPLAY, REPLAY + ['--page-size', 'thp'])],
    ('replay', '--out'): [(REPLAY, replaced(REPLAY, 't.pb', 'u.pb')), (REPLAY, REPLAY[:-2])],
    ('replay', '--set'): [(REPLAY, REPLAY + ['--set', 'workload.batch[jobs].placement=spread'])],  # a warning: there is one node
    ('replay', '--seed'): [(REPLAY, REPLAY + ['--seed', '5'])],  # a warning, as nothing in a log is random
    ('replay', '--threads'): [(REPLAY, REPLAY + ['--threads', '0'])],
    ('replay', '--fail-on'): [(REPLAY, REPLAY + ['--fail-on', 'batch.jobs.started > 0'])],
    ('replay', '--quiet'): [(REPLAY, REPLAY + ['--quiet'])],
    ('conform', 'SCRIPT'): [(CONFORM, replaced(CONFORM, 's.mm', 'shorter.mm'))],
    ('conform', '--boot'): [(CONFORM, replaced(CONFORM, 's.json', 'other.json'))],
    ('conform', '--json'): [(CONFORM, replaced(CONFORM, 'o.json', 'p.json'))],
    ('dump', 'trace'): [(DUMP, ['dump', 'other.pb'])],
    ('dump', '--table'): [(DUMP + ['--format', 'csv'], DUMP + ['--format', 'csv', '--table', table])
                          for table in ('events', 'locks', 'lock-times', 'operations', 'operation-failures', 'operation-times')],
    ('dump', '--format'): [(DUMP, DUMP + ['--format', 'csv']), (DUMP, DUMP + ['--format', 'json'])],
    **{('dump', option): [(DUMP + ['--format', form], DUMP + ['--format', form, option, value]) for form in ('text', 'csv', 'json')]
       for option, value in (('--counters', 'node0.numa_hit'), ('--from', '3ms'), ('--to', '3ms'), ('--every', '2ms'))},
    ('compare', 'BASE'): [(COMPARE, ['compare', 'other.pb', 'other.pb'])],
    ('compare', 'NEW'): [(COMPARE, ['compare', 'made.pb', 'made.pb'])],
    ('compare', '--where'): [(SWEPT, SWEPT + ['--where', 'copies=2'])],
    ('compare', '--where-base'): [(SWEPT, SWEPT + ['--where-base', 'copies=2'])],
    ('compare', '--where-new'): [(SWEPT, SWEPT + ['--where-new', 'copies=2'])],
    ('compare', '--metrics'): [(COMPARE, COMPARE + ['--metrics', 'node0.*'])],
    ('compare', '--level'): [(COMPARE, COMPARE + ['--level', '0.01']),  # a warning, as no run of a side differs from another
                             (COMPARE, COMPARE + ['--level', '2'])],
    ('compare', '--min-effect'): [(COMPARE, COMPARE + ['--min-effect', '50%'])],
    ('compare', '--format'): [(COMPARE, COMPARE + ['--format', 'json']), (COMPARE, COMPARE + ['--format', 'markdown'])],
    ('sweep', 'STUDY'): [(SWEEP, replaced(SWEEP, 'study.textproto', 'failing.textproto'))],
    ('sweep', '--out'): [(SWEEP, replaced(SWEEP, 'd.sqlite', 'e.sqlite')), (SWEEP, SWEEP[:2] + SWEEP[4:])],
    ('sweep', '--csv'): [(SWEEP, SWEEP + ['--csv', 'd.csv'])],
    ('sweep', '--keep-traces'): [(SWEEP, SWEEP + ['--keep-traces', 'kept'])],
    ('sweep', '--threads'): [(SWEEP, SWEEP[:4] + ['--threads', '0']), (SWEEP, SWEEP[:4] + ['--threads', '1025'])],
    ('sweep', '--list'): [(SWEEP, SWEEP + ['--list'])],
    # The database is of another study.
    ('sweep', '--restart'): [(replaced(SWEEP, 'd.sqlite', 'swept.sqlite'),
                              replaced(SWEEP, 'd.sqlite', 'swept.sqlite') + ['--restart'])],
    # A run failed for a reason that is gone.
    ('sweep', '--retry'): [(replaced(SWEEP, 'd.sqlite', 'failed.sqlite'), replaced(SWEEP, 'd.sqlite', 'failed.sqlite') + ['--retry'])],
    ('sweep', '--allow-outside-files'): [(replaced(SWEEP, 'study.textproto', 'outside/study.textproto'),
                                          replaced(SWEEP, 'study.textproto', 'outside/study.textproto') + ['--allow-outside-files'])],
    # No Slurm is asked; tests/cli/slurm_test.py has what these do there.
    ('sweep', '--engine'): [(SWEEP, SWEEP + ['--engine', 'pbs']), (SWEEP + ['--sbatch=x'], SWEEP + ['--sbatch=x', '--engine', 'slurm'])],
    ('sweep', '--runs-per-task'): [(SWEEP, SWEEP + ['--runs-per-task', '3'])],
    ('sweep', '--sbatch'): [(SWEEP, SWEEP + ['--sbatch=--time=1'])],
    ('sweep', '--quiet'): [(SWEEP, SWEEP + ['--quiet'])],
    ('report', 'TRACE'): [(['report', 'made.pb', '--out', 'r.html'], ['report', 'other.pb', '--out', 'r.html']),
                          (['report', 'made.pb', '--out', 'r.html'], ['report', 'made.pb', 'other.pb', '--out', 'r.html']),
                          (['report', 'swept.sqlite', '--out', 'r.html'], ['report', 'failed.sqlite', '--out', 'r.html'])],
    ('report', '--out'): [(['report', 'made.pb'], ['report', 'made.pb', '--out', 'r.html'])],
    ('export', 'TRACE'): [(EXPORT, replaced(EXPORT, 'made.pb', 'other.pb'))],
    ('export', '--perfetto'): [(['export', 'made.pb'], ['export', 'made.pb', '--perfetto'])],
    ('export', '--out'): [(EXPORT, EXPORT + ['--out', 'other.name'])],
    **{('export', option): [(EXPORT, EXPORT + [option, value])]
       for option, value in (('--counters', 'node0.numa_hit'), ('--from', '3ms'), ('--to', '3ms'), ('--every', '2ms'))},
    ('snapshot', '--out'): [(SNAPSHOT, SNAPSHOT + ['--out', 'm.textproto'])],
    ('snapshot', '--root'): [(SNAPSHOT, replaced(SNAPSHOT, 'root', 'poorer'))],
    ('snapshot', '--topology'): [(SNAPSHOT, SNAPSHOT[:3])],
}


def help_of(subcommand):
    return subprocess.run([NUMASIM] + subcommand.split() + ['--help'], capture_output=True, text=True, check=True).stdout


def subcommands(above=''):
    """Those of the program, and theirs, by the program's own help."""
    for name in re.findall(r'^  ([a-z]+) ', help_of(above).partition('Subcommands:')[2], re.M):
        yield f'{above} {name}'.strip()
        yield from subcommands(f'{above} {name}'.strip())


def listed():
    """All arguments of all subcommands, by the program's own help."""
    found = {('', '--version')}
    for subcommand in subcommands():
        text = help_of(subcommand)
        for name in re.findall(r'^  (-\S+|[A-Za-z]+)', text, re.M):
            if not name.startswith('-h'):
                found.add((subcommand, name.split(',')[0].split('=')[0]))
    return found


def prepare():
    """The inputs of all entries, in the current folder."""
    def write(name, text):
        with open(name, 'w', encoding='utf-8') as file:
            file.write(text)
    os.mkdir('outside')
    write('s.textproto', SCENARIO % '')
    write('other.textproto', SCENARIO.replace('8M', '9M') % '')
    write('outside/s.textproto', 'machine { node { memory: "64M" cpus: 2 } }\nworkload { script { file: "../plain.mm" } }\n'
                                 'kernel { thp { enabled: "never" } }\n')
    jobs = 'from,for,cpus,mem\n0,100,2,8\n1,100,1,4\n2,10,%d,4\n3,10,1,4\n'
    write('jobs.csv', jobs % 2)
    write('other.csv', jobs % 1)
    write('a.ftrace', 'a-1 [000] ..... 1.5: mm_page_alloc: page=p pfn=8 order=3 migratetype=0 gfp_flags=GFP_KERNEL\n')
    write('jobs.swf', '1 0 0 60 2 -1 2048 2 60 -1 1 1 1 1 1 1 -1 -1\n')
    write('m.textproto', 'node { memory: "64M" cpus: 3 }\n')
    write('larger.textproto', 'node { memory: "64M" cpus: 8 }\n')
    write('plain.mm', 'spawn p\n@p map a 4M anon\n@p touch a\n')
    for recording, name in ((RECORDING, 's'), (OTHER_RECORDING, 'other')):
        shutil.copy(recording + '.mm', name + '.mm')
        shutil.copy(recording + '.truth.json', name + '.json')
    with open('s.mm', encoding='utf-8') as file:
        write('shorter.mm', ''.join(file.readlines()[:-1]))
    shutil.copytree(TWO_NODES, 'root')
    shutil.copytree(TWO_NODES, 'poorer')
    subprocess.run(['chmod', '-R', 'u+w', 'poorer'], check=True)
    os.remove('poorer/proc/cmdline')
    write('poorer/proc/cmdline', 'quiet movablecore=64M\n')
    shutil.copy(os.path.join(os.path.dirname(TWO_NODES), 'two_nodes.xml'), 'nodes.xml')
    for scenario, trace in (('s', 'made.pb'), ('other', 'other.pb')):
        subprocess.run([NUMASIM, 'run', scenario + '.textproto', '--out', trace], check=True, capture_output=True)
    prepare_sweeps(write)


STUDY = 'scenario: "%s"\nparameter { name: "copies" set: "workload.script[0].copies" value: ["1", "%d"] }\nshow: "simulated_ns"\n'


def prepare_sweeps(write):
    write('study.textproto', STUDY % ('s.textproto', 2))
    write('failing.textproto', STUDY % ('s.textproto', 0))
    write('outside/study.textproto', STUDY % ('../s.textproto', 2))
    write('swept.textproto', (STUDY % ('s.textproto', 2)).replace('"1"', '"3"'))
    for study in ('swept', 'study'):
        subprocess.run([NUMASIM, 'sweep', study + '.textproto', '--threads', '1'], check=True, capture_output=True)
    os.rename('study.sqlite', 'failed.sqlite')
    database = sqlite3.connect('failed.sqlite')
    database.executescript("DELETE FROM metrics WHERE run = 0; INSERT INTO failures VALUES (0, 'the host had no memory');")
    database.close()
    for name in DATABASES:
        shutil.copy(name, name + '.kept')


DATABASES = ['swept.sqlite', 'failed.sqlite']


def content(path):
    """Of a file, or of all files below a folder, by name."""
    if os.path.isdir(path):
        return {name: content(os.path.join(path, name)) for name in os.listdir(path)}
    with open(path, 'rb') as file:
        return file.read()


def done(arguments):
    """What a command does: its exit status, what it prints but for wall times, and the files it makes."""
    for name in DATABASES:
        shutil.copy(name + '.kept', name)
    before = set(os.listdir())
    result = subprocess.run([NUMASIM] + arguments, capture_output=True)
    printed = re.sub(rb' in [0-9.]+ s, .* events/s|"wall_s": [0-9.e-]+', b'', result.stdout), result.stderr
    files = {}
    for name in set(os.listdir()) - before:
        files[name] = content(name)
        if os.path.isdir(name):
            shutil.rmtree(name)
        else:
            os.remove(name)
    if result.returncode not in ((0, 1, 2) if arguments[0] in ('run', 'replay', 'compare', 'sweep') else (0, 1)):
        sys.exit(f'{arguments}: exit status {result.returncode}\n{result.stderr.decode()}')
    return result.returncode, printed, files


def main():
    os.chdir(tempfile.mkdtemp(dir=os.environ['TEST_TMPDIR']))
    if listed() != set(EFFECTS):
        sys.exit(f'no entry for {sorted(listed() - set(EFFECTS))}; no such argument: {sorted(set(EFFECTS) - listed())}')
    prepare()
    failed = 0
    for argument, pairs in EFFECTS.items():
        for base, changed in pairs:
            result = done(changed)
            if result == done(base):
                print(f'{argument}: {changed} does what {base} does')
                failed += 1
            if result != done(changed):
                print(f'{argument}: {changed} does something else each time')
                failed += 1
    print(f'{len(EFFECTS)} arguments, {failed} without an effect')
    sys.exit(failed != 0)


main()
