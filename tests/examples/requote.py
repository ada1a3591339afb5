#!/usr/bin/env python3
"""Writes anew what documents quote of the program (quoted_output.py), after a change that moves figures.

usage: requote.py [--numasim PROGRAM] DOCUMENT...

A document is README.md, one of docs/, or the README of a study; its commands run, and each quoted output that differs
from what they print is replaced. Wall times stay as they are: they are of another machine. What a document leaves out by
"..." is only shown, to be mended by hand. What it says in words has to be read again: nothing here knows of it.
"""
import argparse
import os
import re
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests/examples'))
from document_fragments import is_fragment  # noqa: E402
from quoted_output import HOST, Terminal, blocks_of, follows, masked, without_blank_ends  # noqa: E402


def with_wall_times_of(quoted, printed):
    """The lines that were printed, with the wall times that are quoted."""
    times = [match for match in map(HOST.search, quoted) if match]
    lines = []
    for line in printed:
        match = HOST.search(line)
        if match and times:
            old = times.pop(0)
            line = line[:match.start()] + old[0].replace(old[1], match[1], 1) + line[match.end():]
        lines.append(line)
    return lines


class Requoter(Terminal):
    """Notes what has to be replaced where a Terminal ends the test."""

    def __init__(self, numasim):
        super().__init__(numasim)
        self.replacements = []  # (quoted lines, printed lines)

    def _check(self, quoted):
        quoted = without_blank_ends(quoted)
        if not quoted or follows(masked(quoted), masked(self._printed)):
            return
        if any(line.strip() == '...' for line in quoted):
            print('by hand: {}\n{}\nbut it prints\n{}'.format(self._command, '\n'.join(quoted), '\n'.join(self._printed)))
            return
        self.replacements.append((quoted, with_wall_times_of(quoted, self._printed)))


def run_blocks(text, terminal):
    for block in blocks_of(text):
        if block[0].startswith('machine ') and '{' not in block[0]:
            with open('script.mm', 'w') as file:
                file.write('\n'.join(block) + '\n')
            terminal.expect_next('./numasim run script.mm', terminal.run(['numasim', 'run', 'script.mm']))
            continue
        if block[0].startswith('scenario: '):
            block = block[block.index('') + 1:] if '' in block else []
        if block and not block[0].startswith('numasim ') and not is_fragment(block):
            terminal.check_block([line for line in block if not line.startswith('./test')])


def indented(lines):
    return '\n'.join(('    ' + line).rstrip() for line in lines)


def requote(document, numasim):
    path = os.path.join(ROOT, document)
    with open(path) as file:
        text = file.read()
    # As the tests have it.
    os.environ.pop('COLUMNS', None)
    if 'studies/' in document:
        os.environ['COLUMNS'] = '120'
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.symlink(os.path.join(ROOT, 'examples'), 'examples')
        terminal = Requoter(numasim)
        run_blocks(text, terminal)
        os.chdir(ROOT)
    for quoted, printed in terminal.replacements:
        if indented(quoted) not in text:
            sys.exit(f'{document}: cannot find {quoted[0]!r}')
        text = text.replace(indented(quoted), indented(printed), 1)
    with open(path, 'w') as file:
        file.write(text)
    print(f'{document}: {len(terminal.replacements)} outputs replaced')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--numasim', default=os.path.join(ROOT, 'bazel-bin/cli/numasim'))
    parser.add_argument('document', nargs='+')
    arguments = parser.parse_args()
    numasim = os.path.abspath(arguments.numasim)
    for document in arguments.document:
        requote(os.path.relpath(os.path.abspath(document), ROOT), numasim)


main()
