#!/usr/bin/env python3
"""A study, whose folder is the argument, says what it gives.

The commands of its README run, and print what README quotes of them. Of each NAME.study.textproto there is a file of
claims, NAME.claims.sql: queries of its database, each of which must answer with rows of 1 alone. The comment before a
query, or before several, is what README says, in these words, and the queries bear out.
"""
import glob
import os
import re
import sqlite3
import sys
import tempfile

ROOT = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'])
sys.path.insert(0, os.path.join(ROOT, 'tests/examples'))
from quoted_output import Terminal, blocks_of  # noqa: E402

os.environ['COLUMNS'] = '120'


def file_text(path):
    with open(path) as file:
        return file.read()


def words_of(text):
    """A text without its line breaks and Markdown's marks."""
    return ' '.join(re.sub('[`*]', '', text).split())


def claims_of(path):
    """(sentence, query) of each claim."""
    sentence = ''
    for part in re.split(r'\n\s*\n', file_text(path).strip()):
        comment = [line for line in part.splitlines() if line.startswith('--')]
        sentence = words_of(' '.join(line.removeprefix('--') for line in comment))
        queries = '\n'.join(line for line in part.splitlines() if not line.startswith('--'))
        for query in filter(None, (query.strip() for query in queries.split(';'))):
            yield sentence, query


def broken_claim(database, query):
    """What is wrong with the query's answer, or nothing."""
    try:
        rows = database.execute(query).fetchall()
    except sqlite3.Error as error:
        return f'{error}: {query}'
    return '' if rows and all(row == (1,) for row in rows) else f'{rows}: {query}'


def check_claims(study, readme):
    """The number of claims, and a line for each that does not hold."""
    name = os.path.basename(study).removesuffix('.study.textproto')
    database = sqlite3.connect(f'file:{name}.study.sqlite?mode=ro', uri=True)
    failed = []
    claims = list(claims_of(os.path.join(os.path.dirname(study), name + '.claims.sql')))
    for sentence, query in claims:
        if not sentence or sentence not in readme:
            failed.append(f'README does not say: {sentence}')
        wrong = broken_claim(database, query)
        if wrong:
            failed.append(f'does not hold: {sentence}\n  {wrong}')
    return len(claims), [f'{name}: {line}' for line in failed]


def check_study(folder):
    text = file_text(os.path.join(folder, 'README.md'))
    terminal = Terminal(os.path.join(ROOT, 'cli/numasim'))
    for block in blocks_of(text):
        terminal.check_block(block)
    studies = sorted(glob.glob(os.path.join(folder, '*.study.textproto')))
    if not studies or terminal.checked < len(studies):
        return [f'{folder}: README quotes {terminal.checked} outputs of {len(studies)} studies']
    failed = []
    for study in studies:
        claims, wrong = check_claims(study, words_of(text))
        print(f'{study}: {claims} claims')
        failed += wrong + ([] if claims else [f'{study}: has no claims'])
    return failed


def main():
    os.chdir(tempfile.mkdtemp(dir=os.environ['TEST_TMPDIR']))
    os.symlink(os.path.join(ROOT, 'examples'), 'examples')
    failed = check_study(sys.argv[1])
    if failed:
        sys.exit('FAILED:\n' + '\n'.join(failed))


main()
