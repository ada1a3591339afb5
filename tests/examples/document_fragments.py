"""What a document shows that is no whole command: synopses, settings for --set, parts of a scenario or of a study.

Each is tried on a small scenario which has what the documents speak of, by the program that they are about.
"""
import re
import shlex
import sys

SCENARIO = '''\
machine {
  node { memory: "1G" cpus: 2 }
  node { memory: "1G" cpus: 2 }
  virtio_mem { node: 1 max: "1G" }
}
workload {
  script { name: "boot" line: "pool 2M all 16" }
  script { name: "guests" start: "1s" copies: 2 line: "spawn vm" line: "@vm map ram 4M hugetlb-2M" line: "@vm touch ram" }
}
trace { interval: "1s" }
'''
# The parts of a scenario; all others that are shown are a study's.
SCENARIO_FIELDS = ('expect:',)


def is_fragment(block):
    return re.match(r'expect:|(column|find|parameter|period) \{', block[0]) is not None


class Fragments:
    def __init__(self, terminal):
        self._terminal = terminal
        self.checked = 0
        with open('host.textproto', 'w') as file:
            file.write(SCENARIO)

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
                file.write(SCENARIO + fragment)
            self._run(['run', 'part.textproto', '--quiet'])
        else:
            with open('part.study.textproto', 'w') as file:
                file.write('scenario: "host.textproto"\n' + fragment)
            # Which runs a search needs cannot be listed.
            self._run(['sweep', 'part.study.textproto'] + (['--restart'] if 'find {' in fragment else ['--list']))
        self.checked += 1

    def _run(self, words):
        return self._terminal.run(['numasim'] + words)
