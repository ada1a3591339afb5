#!/usr/bin/env python3
"""The commands of README, or of another document that is named, run, and print what it says that they print.

An indented block of it is read as a terminal: lines that begin with ./numasim are commands, the lines of the same or
the next block that are no command are what the last one prints. "..." stands for lines left out. What depends on the
computer it runs on is masked. A command's exit status is 0, or shown by "; echo $?". A block that begins with a machine
line is a script; one that begins with a scenario: line shows, up to a blank one, what a study of the examples has.
`numasim run`, `numasim dump` and `numasim export` within a sentence are commands too, unless they hold a word in capitals, which stands for
something.
"""
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'])
NUMASIM = os.path.join(ROOT, 'cli/numasim')
OTHER_COMMANDS = ('./test', 'examples/studies/')
DOCUMENT = sys.argv[1] if len(sys.argv) > 1 else 'README.md'
# Quoted outputs, scripts and commands in sentences: no fewer are there, or this test does not see them.
LEAST = {'README.md': (2, 1, 3), 'docs/trace.md': (3, 0, 0)}
SHOW_STATUS = '; echo $?'
# Wall time, and events in it: "... in 1.16 s, 19028493 events, 16.4 M events/s"
HOST = re.compile(r' in [0-9.]+ s, ([0-9]+ events), [0-9.]+ M events/s')


def blocks_of(text):
    """The indented blocks, each a list of lines without the indent. Blank lines within one belong to it."""
    blocks, block = [], []
    for line in text.splitlines() + ['end']:
        if line.startswith('    ') or (not line and block):
            block.append(line[4:].rstrip())
            continue
        while block and not block[-1]:
            block.pop()
        if block:
            blocks.append(block)
        block = []
    return blocks


def file_text(path):
    with open(path) as file:
        return file.read()


def masked(lines):
    return [HOST.sub(r' in # s, \1, # M events/s', line) for line in lines]


def run(words, shows_status=False):
    done = subprocess.run([NUMASIM] + words[1:], capture_output=True, text=True)
    if shows_status:
        return done.stdout.splitlines() + [str(done.returncode)]
    if done.returncode != 0:
        sys.exit(f'FAILED: {shlex.join(words)} ends with {done.returncode}: {done.stderr}')
    return done.stdout.splitlines()


def follows(quoted, printed):
    """Whether `printed` is what is quoted; "..." is any number of lines."""
    pieces = [[]]
    for line in quoted:
        if line.strip() == '...':
            pieces.append([])
        else:
            pieces[-1].append(line)
    at = 0
    for piece in pieces:
        found = next((i for i in range(at, len(printed) - len(piece) + 1) if printed[i:i + len(piece)] == piece), None)
        if found is None or (piece is pieces[0] and found != 0):
            return False
        at = found + len(piece)
    return at == len(printed) or not pieces[-1]


def check_quoted(command, quoted, printed):
    if not follows(masked(quoted), masked(printed)):
        sys.exit('FAILED: {} quotes of {}\n{}\nbut it prints\n{}'.format(DOCUMENT, command, '\n'.join(quoted), '\n'.join(printed)))
    print(f'{command}: {len(quoted)} lines as quoted')


def main():
    text = file_text(os.path.join(ROOT, DOCUMENT))
    os.chdir(tempfile.mkdtemp(dir=os.environ['TEST_TMPDIR']))
    os.symlink(os.path.join(ROOT, 'examples'), 'examples')
    checked = scripts = 0
    command, printed = None, []
    for block in blocks_of(text):
        if block[0].startswith('machine '):
            with open('script.mm', 'w') as file:
                file.write('\n'.join(block) + '\n')
            command, printed = './numasim run script.mm', run(['numasim', 'run', 'script.mm'])
            if 'nothing failed' not in printed:
                sys.exit(f'FAILED: an operation of {DOCUMENT} fails: ' + '\n'.join(printed))
            scripts += 1
            continue
        if block[0].startswith('scenario: '):
            end = block.index('') if '' in block else len(block)
            shown, block = '\n'.join(block[:end]), block[end + 1:]
            if not any(shown in file_text(study) for study in glob.glob('examples/*.study.textproto')):
                sys.exit(f'FAILED: {DOCUMENT} shows a study that is none of the examples:\n' + shown)
        quoted = []
        for line in block + [None]:
            is_command = line is not None and line.startswith(('./numasim ',) + OTHER_COMMANDS)
            if line is not None and not is_command:
                quoted.append(line)
                continue
            while quoted and not quoted[0]:
                quoted.pop(0)
            while quoted and not quoted[-1]:
                quoted.pop()
            if quoted:
                check_quoted(command, quoted, printed)
                checked += 1
            quoted = []
            if is_command and line.startswith('./numasim '):
                words = line.removesuffix(SHOW_STATUS)
                command, printed = line, run(shlex.split(words), shows_status=words != line)
    inline = [span for span in re.findall(r'`(numasim (?:run|dump|export) [^`]*)`', re.sub(r'\s*\n\s*', ' ', text))
              if not re.search(r'[A-Z]{2}|\\\|', span)]
    for span in inline:
        run(shlex.split(span))
        print(span)
    print(f'{checked} quoted outputs, {scripts} scripts, {len(inline)} commands in sentences')
    if any(count < least for count, least in zip((checked, scripts, len(inline)), LEAST[DOCUMENT])):
        sys.exit(f'FAILED: {DOCUMENT} has fewer of them than this test knows')


main()
