#!/usr/bin/env python3
"""Wrong input from outside: each is one message that names the mistake and what would be right, and leaves no file."""
import os
import subprocess
import sys
import tempfile

NUMASIM = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'], 'cli/numasim')

MACHINE = 'machine { node { memory: "64M" cpus: 1 } }\n'
NEVER = 'kernel { thp { enabled: "never" } }\n'
WORKLOAD = 'workload { script { line: "sleep 1" } }\n'
SCRIPT = 'machine nodes=2 node_mem=64M\nthp enabled never\nspawn p\n'


def scenario(text):
    return ('s.textproto', text.encode())


def script(text):
    return ('s.mm', text.encode())


# (the file's name and bytes, the arguments after `run FILE`, what the message holds)
CASES = [
    # Types of fields.
    (scenario('machine { node { memory: 64G } }\n'), [],
     's.textproto:1:28: memory: \'64G\' is not in quotes; expected memory: "64G"'),
    (scenario('machine { node { memory: 64 } }\n'), [],
     's.textproto:1:26: memory: \'64\' is not in quotes; expected memory: "64"'),
    (scenario('kernel { thp { enabled: never } }\n' + MACHINE + WORKLOAD), [],
     's.textproto:1:25: enabled: \'never\' is not in quotes; expected enabled: "never"'),
    (scenario('trace { interval: 10ms }\n' + MACHINE + WORKLOAD), [],
     'interval: \'10ms\' is not in quotes; expected interval: "10ms"'),
    (scenario('machine { node { memory: "1G" cpus: "4" } }\n'), [],
     's.textproto:1:37: cpus: \'4\' is in quotes; expected a number without'),
    (scenario('machine { node { memory: "1G" cpus: 4x } }\n'), [], 'cpus: \'4x\' is not a number; expected digits only'),
    (scenario('machine { node { memory: "1G" cpus: 1.5 } }\n'), [],
     'cpus: \'1.5\' is not a whole number; expected digits only'),
    (scenario('seed: -1\n' + MACHINE + WORKLOAD), [], 'seed: \'-1\' is negative; expected a whole number of 0 or more'),
    (scenario(MACHINE + 'workload { script { copies: -1 line: "sleep 1" } }'), [], 'copies: \'-1\' is too small; expected'),
    (scenario(MACHINE + 'workload { script { copies: 99999999999 line: "sleep 1" } }'), [],
     'copies: \'99999999999\' is out of range; expected a smaller number'),
    (scenario('seed: -\n' + MACHINE + WORKLOAD), [], 'seed: \'-\' is not a whole number; expected digits only'),
    (scenario('stop_after: "1.5ns"\n' + MACHINE + WORKLOAD), [],
     's.textproto:1:1: stop_after: \'1.5ns\' is not a whole number of nanoseconds; expected a time such as 10ms'),
    (scenario('stop_after: "3000000h"\n' + MACHINE + WORKLOAD), [], 'stop_after: \'3000000h\' is too large; expected at most'),
    (scenario('machine { node { memory: "1G" cpus: } }\n'), [], 'cpus: is without a value; expected a whole number'),
    (scenario('kernel { thp { use_zero_page: 3 } }\n'), [], 'use_zero_page: \'3\' is not true or false; expected one of'),
    (scenario(MACHINE + 'workload { script { line: "sleep 1"\n'), [],
     's.textproto:3:1: the file ends inside of { .. }; expected a \'}\''),
    (scenario('name: "x\n'), [], 's.textproto:1:9: a text in quotes begins and does not end in its line'),
    # What only the machine can tell.
    (scenario(MACHINE + 'kernel { cma { area { name: "a" size: "2M" node: 7 } } }\n' + WORKLOAD), [],
     's.textproto:2:44: kernel.cma.area[0].node: \'7\' is a node that does not exist; expected 0, the only one'),
    (scenario(MACHINE + 'kernel { cma { hugetlb { size: "1G" node: 7 } } }\n' + WORKLOAD), [],
     's.textproto:2:37: kernel.cma.hugetlb[0].node: \'7\' is a node that does not exist; expected 0, the only one'),
    (scenario(MACHINE + NEVER + WORKLOAD + 'trace { counters: "node0.*"\ncounters: "node7.*" }\n'), [],
     's.textproto:5:1: trace.counters[1]: \'node7.*\' matches no counter; expected a glob over names such as'),
    (scenario(MACHINE + 'kernel { movablecore: "1G" }\n' + WORKLOAD), [],
     's.textproto:2: kernel.movablecore: \'1G\' leaves the kernel nothing of node0, which has 64M; expected at most 60M, as much of each node'),
    (scenario(MACHINE + 'kernel {\n  percpu_pagelist_high_fraction: 3\n}\n' + WORKLOAD), [],
     's.textproto:3: kernel.percpu_pagelist_high_fraction: 3 is too small; expected 0 or at least 8'),
    (scenario(MACHINE + 'kernel {\n  cma { area {\n name: "a"\n size: "3G" } }\n}\n' + WORKLOAD), [],
     's.textproto:3: kernel.cma.area[0]: node 0 has no 3G free in one piece; expected a smaller area'),
    # Bytes.
    (('s.textproto', b'\xef\xbb\xbf' + MACHINE.encode()), [],
     's.textproto:1: begins with a byte order mark (BOM); expected plain text without it'),
    (('s.mm', b'\xef\xbb\xbf' + SCRIPT.encode()), [],
     's.mm:1: begins with a byte order mark (BOM); expected plain text without it'),
    (('s.mm', SCRIPT.encode('utf-16')), [], 's.mm:1: is UTF-16 text, by its byte order mark; expected UTF-8 or ASCII'),
    (('s.mm', SCRIPT.encode() + b'\0'), [], 's.mm:4: holds a NUL byte; expected text, not a binary file'),
    (('s.textproto', MACHINE.encode() + b'name: "\0"\n'), [], 's.textproto:2: holds a NUL byte; expected text'),
    # One kind of file under the other's name.
    (('s.txt', b'# load\n\n' + SCRIPT.encode()), [],
     's.txt:3: \'machine nodes=2 node_mem=64M\' is a line of a script; expected a scenario, or the script in a file whose '
     'name ends in .mm'),
    (('s.textproto', b'spawn p\n'), [], 's.textproto:1: \'spawn p\' is a line of a script; expected a scenario'),
    (('s.textproto', b'@p exit\n'), [], 's.textproto:1: \'@p exit\' is a line of a script; expected a scenario'),
    (script('name: "x"\n' + MACHINE + WORKLOAD), [],
     's.mm:1: \'name: \\"x\\"\' is a line of a scenario; expected a script, or the scenario in a file whose name ends in '
     '.textproto'),
    (script(MACHINE + WORKLOAD), [], 's.mm:1: \'machine { node { memory: \\"64M\\" cpus: 1 } }\' is a line of a scenario'),
    # Scripts.
    (script(SCRIPT + 'pool 2M all -5\n'), [], 's.mm:4: COUNT: \'-5\' is negative; expected a whole number of 0 or more'),
    (script(SCRIPT + 'pool 2M all -\n'), [], 's.mm:4: COUNT: \'-\' is not a whole number; expected'),
    (script(SCRIPT + '@p map a - anon\n'), [], 's.mm:4: SIZE: \'-\' is not a size; expected'),
    (script(SCRIPT + 'sleep 1.5ns\n'), [], 's.mm:4: TIME: \'1.5ns\' is not a whole number of nanoseconds'),
    (script(SCRIPT + 'sleep 2562048h\n'), [], 's.mm:4: TIME: \'2562048h\' is too large; expected at most 9223372036s'),
    (script(SCRIPT + '@p map a 4K anon\n@p fork q\n@q map a 4K shmem\n'), [],
     's.mm:6: ID: \'a\' is a mapping since line 4; expected a new name, or an unmap of all of it before'),
    (script(SCRIPT + '@p map f 1M file file=x\n'), [], 's.mm:4: BACKING: \'file\' is on a disk, which this machine has not'),
    (script(SCRIPT + 'virtio_mem 128M\n'), [], 's.mm:4: virtio_mem: is for a device that this machine has not'),
    (script(SCRIPT + 'cma_alloc camera a 4M\n'), [], 's.mm:4: AREA: \'camera\' is not a CMA area of this machine'),
    (script('machine node=2 node_mem=64M\n'), [], 's.mm:1: option: \'node=2\' is not known; did you mean \'nodes\'?'),
    (script('machine nodes=2 node_mem=64\n'), [], 'which is no whole number of 4K pages; expected a size such as 64M'),
    # Options.
    (scenario(MACHINE + WORKLOAD), ['--sede', '3'], 'numasim run: \'--sede\' is no option; expected one of '),
    (scenario(MACHINE + WORKLOAD), ['--sede=3'], '; did you mean \'--seed\'?'),
    (scenario(MACHINE + WORKLOAD), ['--thread=2'], '; did you mean \'--threads\'?'),
]
COMMANDS = [
    (['run', 's.mm', '--out', ''], 'numasim: --out: is empty; expected the name of the trace'),
    (['rnu', 's.mm'], 'numasim: \'rnu\' is no subcommand; expected one of '),
    (['rnu', 's.mm'], 'did you mean \'run\'?'),
    (['--hepl'], 'numasim: \'--hepl\' is no option; expected one of '),
    (['run'], 'numasim run: SCENARIO is required; see numasim run --help'),
    (['run', 'a.mm', 'b.mm'], 'numasim run: The following argument was not expected: b.mm; see numasim run --help'),
    (['run', 'a.mm', '--out'], 'numasim run: --out: 1 required'),
    (['dump', 'x.pb', '--form', 'csv'], 'numasim dump: \'--form\' is no option; expected one of '),
    (['compare', 'x.pb'], 'numasim compare: NEW is required; see numasim compare --help'),
    (['compare', 'x.pb', 'y.pb', '--level', '5%'], "--level: '5%' is no level; expected a number above 0 and below 1, such as 0.05"),
    (['compare', 'x.pb', 'y.pb', '--min-effect', '0.01'], "--min-effect: '0.01' is no share; expected 0% or more, such as 1%"),
    (['compare', '.', '.'], '.: holds no trace; expected one or more files *.pb'),
    (['report'], 'numasim report: TRACE is required; see numasim report --help'),
    (['report', 'x.pb'], 'numasim report: cannot open trace x.pb: No such file or directory'),
    (['report', '.', '.'], "numasim report: TRACE: '.' is given twice; expected each trace once"),
    (['report', '.'], 'numasim report: . is not a regular file'),
    (['report', 'x.pb', '--out', ''], 'numasim report: --out: is empty; expected the name of the page'),
    (['report'] + [f'{i}.pb' for i in range(7)], 'numasim report: TRACE: 7 traces; expected at most 6'),
    (['help', 'rnu'], "numasim: 'rnu' is no subcommand; expected one of run, "),
    (['help', 'operations', 'mapp'], "numasim help operations: NAME: 'mapp' is not known; expected one of advise, "),
    (['help', 'operations', '--name'], "numasim help operations: '--name' is no option; expected one of "),
    (['help', 'fields', 'kernel.thp.enable'],
     "numasim help fields: PATH: kernel.thp.enable: is not a field of Thp; expected one of enabled, "),
    (['completion', 'fish'], 'numasim completion: SHELL: fish not in {bash,zsh}; see numasim completion --help'),
    (['completion'], 'numasim completion: SHELL is required; see numasim completion --help'),
    (['dump', 'x.pb', '--from', '1.5ns'], '--from: \'1.5ns\' is not a whole number of nanoseconds'),
]


def check(arguments, expected, files):
    done = subprocess.run([NUMASIM] + arguments, capture_output=True, text=True)
    good = (done.returncode == 1 and done.stdout == '' and done.stderr.count('\n') == 1 and expected in done.stderr
            and os.listdir('.') == files)
    if not good:
        print(f'FAILED: {arguments}\n  expected {expected}\n  got {done.returncode}: {done.stdout}{done.stderr}'
              f'  files {os.listdir(".")}')
    return good


def main():
    failed = 0
    for (name, content), options, expected in CASES:
        os.chdir(tempfile.mkdtemp(dir=os.environ['TEST_TMPDIR']))
        with open(name, 'wb') as file:
            file.write(content)
        failed += not check(['run', name] + options, expected, [name])
    os.chdir(tempfile.mkdtemp(dir=os.environ['TEST_TMPDIR']))
    for arguments, expected in COMMANDS:
        failed += not check(arguments, expected, [])
    print(f'{len(CASES) + len(COMMANDS)} wrong inputs, {failed} not answered as they should be')
    sys.exit(failed != 0)


main()
