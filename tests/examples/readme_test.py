#!/usr/bin/env python3
"""The commands of README, or of another document that is named, run, and print what it says that they print
(quoted_output.py), and what else it shows can be used as it stands (document_fragments.py).

A block that begins with a machine line is a script; one that begins with a scenario: line shows, up to a blank one, what
a study of the examples has. `numasim run`, `dump`, `export` and `help` within a sentence are commands too, unless
they hold a word in capitals, which stands for something.
"""
import glob
import os
import re
import shlex
import sys
import tempfile

ROOT = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'])
NUMASIM = os.path.join(ROOT, 'cli/numasim')
sys.path.insert(0, os.path.join(ROOT, 'tests/examples'))
from document_fragments import Fragments, is_fragment  # noqa: E402
from quoted_output import Terminal, blocks_of  # noqa: E402

DOCUMENT = sys.argv[1] if len(sys.argv) > 1 else 'README.md'
# Quoted outputs, scripts, commands in sentences and fragments: no fewer are there, or this test does not see them.
LEAST = {
    'README.md': (8, 1, 8, 0),
    'docs/compaction.md': (0, 0, 0, 1),
    'docs/compare.md': (0, 0, 0, 1),
    'docs/metrics.md': (1, 0, 0, 1),
    'docs/report.md': (0, 0, 0, 1),
    'docs/sweep.md': (3, 0, 1, 12),
    'docs/trace.md': (4, 0, 0, 1),
    'docs/workloads.md': (0, 0, 1, 9),
}

OTHER_COMMANDS = ('./test', 'cd /sys/', 'for e in', 'echo 1 >')


def file_text(path):
    with open(path) as file:
        return file.read()


def main():
    text = file_text(os.path.join(ROOT, DOCUMENT))
    os.chdir(tempfile.mkdtemp(dir=os.environ['TEST_TMPDIR']))
    os.symlink(os.path.join(ROOT, 'examples'), 'examples')
    terminal = Terminal(NUMASIM)
    fragments = Fragments(terminal)
    scripts = 0
    for block in blocks_of(text):
        if block[0].startswith('machine ') and not is_fragment(block):
            with open('script.mm', 'w') as file:
                file.write('\n'.join(block) + '\n')
            printed = terminal.run(['numasim', 'run', 'script.mm'])
            terminal.expect_next('./numasim run script.mm', printed)
            if 'nothing failed' not in printed:
                sys.exit(f'FAILED: an operation of {DOCUMENT} fails: ' + '\n'.join(printed))
            scripts += 1
            continue
        if block[0].startswith('scenario: '):
            end = block.index('') if '' in block else len(block)
            shown, block = '\n'.join(block[:end]), block[end + 1:]
            if not any(shown in file_text(study) for study in glob.glob('examples/*.study.textproto')):
                sys.exit(f'FAILED: {DOCUMENT} shows a study that is none of the examples:\n' + shown)
        if block and is_fragment(block) and '' in block:
            fragments.check_fragment(block[:block.index('')])
            block = block[block.index('') + 1:]
        if block and block[0].startswith('numasim '):
            fragments.check_synopsis(block)
        elif block and is_fragment(block):
            fragments.check_fragment(block)
        else:
            terminal.check_block([line for line in block if not line.startswith(OTHER_COMMANDS)])
    fragments.check_settings(text)
    inline = [span for span in re.findall(r'`(numasim (?:run|dump|export|help) [^`]*)`', re.sub(r'\s*\n\s*', ' ', text))
              if not re.search(r'\b[A-Z]+\b|\\\|', span)]
    for span in inline:
        terminal.run(shlex.split(span))
        print(span)
    counts = (terminal.checked, scripts, len(inline), fragments.checked)
    print('{} quoted outputs, {} scripts, {} commands in sentences, {} fragments'.format(*counts))
    if any(count < least for count, least in zip(counts, LEAST[DOCUMENT])):
        sys.exit(f'FAILED: {DOCUMENT} has fewer of them than this test knows')


main()
