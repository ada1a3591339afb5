"""What a README quotes of the program is what the program prints.

An indented block is read as a terminal: lines that begin with ./numasim are commands, the lines of the same or the next
block that are no command are what the last one prints. "..." stands for lines left out. What depends on the computer it
runs on is masked. A command's exit status is 0, or shown by "; echo $?", and then
what it prints is standard error, too. A line that begins with sqlite3 is a query.
"""
import re
import shlex
import sqlite3
import subprocess
import sys

COMMAND = './numasim '
QUERY = 'sqlite3 '
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


def without_blank_ends(lines):
    while lines and not lines[0]:
        lines = lines[1:]
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines


def masked(lines):
    return [HOST.sub(r' in # s, \1, # M events/s', line) for line in lines]


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


class Terminal:
    """Runs the commands of blocks in the current folder, in their order, and ends the test where one prints other than
    is quoted."""

    def __init__(self, numasim):
        self._numasim = numasim
        self._command, self._printed = None, []
        self.checked = 0  # quoted outputs

    def run(self, words, shows_status=False):
        errors = subprocess.STDOUT if shows_status else subprocess.PIPE
        done = subprocess.run([self._numasim] + words[1:], stdout=subprocess.PIPE, stderr=errors, text=True)
        if shows_status:
            return done.stdout.splitlines() + [str(done.returncode)]
        if done.returncode != 0:
            sys.exit(f'FAILED: {shlex.join(words)} ends with {done.returncode}: {done.stderr}')
        return done.stdout.splitlines()

    def check_block(self, block):
        quoted = []
        for line in block:
            if not line.startswith((COMMAND, QUERY)):
                quoted.append(line)
                continue
            self._check(quoted)
            quoted = []
            words = line.removesuffix(SHOW_STATUS)
            run = self._query if line.startswith(QUERY) else self.run
            self._command, self._printed = line, run(shlex.split(words), words != line)
        self._check(quoted)

    def _query(self, words, _):
        """As the program sqlite3 prints it."""
        with sqlite3.connect(words[1]) as database:
            return ['|'.join(map(str, row)) for row in database.execute(words[2])]

    def expect_next(self, command, printed):
        """What the next block quotes is of this command."""
        self._command, self._printed = command, printed

    def _check(self, quoted):
        quoted = without_blank_ends(quoted)
        if not quoted:
            return
        if not follows(masked(quoted), masked(self._printed)):
            sys.exit('FAILED: quoted of {}\n{}\nbut it prints\n{}'.format(self._command, '\n'.join(quoted),
                                                                        '\n'.join(self._printed)))
        print(f'{self._command}: {len(quoted)} lines as quoted')
        self.checked += 1
