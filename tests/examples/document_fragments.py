"""What a document shows that is no whole command: synopses, settings for --set, parts of a scenario or of a study.

Each is tried on a small scenario which has what the documents speak of, by the program that they are about.
"""
import gzip
import re
import shlex
import sys

NODES = '''\
  node { memory: "1G" cpus: 2 }
  node { memory: "1G" cpus: 2 }
'''
MACHINE = 'machine {\n' + NODES + '  virtio_mem { node: 1 max: "1G" }\n}\n'
WORKLOAD = '''\
workload {
  script { name: "boot" line: "pool 2M all 16" }
  script { name: "guests" start: "1s" copies: 2 line: "spawn vm" line: "@vm map ram 4M hugetlb-2M" line: "@vm touch ram" }
  batch { name: "jobs" log: "january.swf" }
}
'''
TRACE = 'trace { interval: "1s" }\n'
SCENARIO = MACHINE + WORKLOAD + TRACE
# A job and an allocation, for parts that name a log of these.
LOG = '1 0 -1 100 1 -1 10240 1 100 -1 1 1 1 1 1 1 -1 -1\n'
ALLOCATIONS = ('# tracer: nop\ntask-1 [000] ..... 9.1: mm_page_alloc: page=00000000ab pfn=0x100 order=0 migratetype=0 '
               'gfp_flags=GFP_KERNEL\n')
# The parts of a scenario; all others that are shown are a study's.
SCENARIO_FIELDS = ('expect:', 'machine {', 'trace {', 'workload {')


def is_fragment(block):
    return block[0].startswith(SCENARIO_FIELDS) or re.match(r'(column|find|parameter|period) \{', block[0]) is not None


def scenario_with(part):
    """A small scenario with this part of it, in which `..` in a machine stands for its nodes."""
    part = re.sub(r'(machine \{.*) \.\. \}', lambda found: f'{found[1]}\n{NODES}}}', part)
    missing = [other for other in (MACHINE, WORKLOAD, TRACE) if other.split('{')[0] + '{' not in part]
    return ''.join(missing) + part + 'stop_after: "10s"\n'


class Fragments:
    def __init__(self, terminal):
        self._terminal = terminal
        self.checked = 0
        with open('host.textproto', 'w') as file:
            file.write(SCENARIO)
        with open('january.swf', 'w') as file:
            file.write(LOG)
        with gzip.open('load.ftrace.gz', 'wt') as file:
            file.write(ALLOCATIONS)

    def check_synopsis(self, block):
        """`numasim COMMAND ARGUMENT.. [--option ..]`: the command has each of the options."""
        text = ' '.join(block)
        command = text.split()[1]
        known = set(re.findall(r'--[a-z-]+', '\n'.join(self._run([command, '--help']))))
        unknown = set(re.findall(r'(?<!=)--[a-z-]+', text)) - known
        if unknown:
            sys.exit(f'FAILED: numasim {command} has no {", ".join(sorted(unknown))}, which is in: {text}')
        self.checked += 1

    def check_settings(self, text):
        """Each `--set ..` within a sentence can be set."""
        for span in re.findall(r'`(--set (?!PATH)[^`]*)`', text):
            self._run(['run', 'host.textproto', '--quiet'] + shlex.split(span))
            self.checked += 1

    def check_fragment(self, block):
        fragment = '\n'.join(block) + '\n'
        if block[0].startswith(SCENARIO_FIELDS):
            with open('part.textproto', 'w') as file:
                file.write(scenario_with(fragment))
            self._run(['run', 'part.textproto', '--quiet'])
        else:
            with open('part.study.textproto', 'w') as file:
                file.write('scenario: "host.textproto"\n' + fragment)
            # Which runs a search needs cannot be listed.
            self._run(['sweep', 'part.study.textproto'] + (['--restart'] if 'find {' in fragment else ['--list']))
        self.checked += 1

    def _run(self, words):
        return self._terminal.run(['numasim'] + words)
