#!/usr/bin/env python3
"""Shells complete numasim's command lines: what bash and zsh offer, with the scripts that the program prints."""
import os
import shlex
import subprocess
import sys
import tempfile

NUMASIM = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'], 'cli/numasim')
FILES = ('one.textproto', 'two.study.textproto', 'three.mm', 'four.trace.pb', 'five.sqlite', 'notes.txt', 'two words.mm')
FOLDER = 'traces'

# Words of a line, the last of which is being written, and what is offered: all of it, or with '...' among others.
CASES = [
    (['ru'], ['run']),
    (['dum'], ['dump']),
    (['completion', ''], ['bash', 'zsh']),
    (['run', ''], ['one.textproto', 'two.study.textproto', 'three.mm', 'four.trace.pb', 'two words.mm', FOLDER]),
    (['run', 'on'], ['one.textproto']),
    (['run', 'two w'], ['two words.mm']),
    (['run', '--form'], ['--format']),
    (['run', '--format', ''], ['text', 'json']),
    (['run', '--format', 'j'], ['json']),
    (['run', '--seed', ''], []),
    (['run', '--format', 'json', 'thr'], ['three.mm']),
    (['run', '--quiet', 'thr'], ['three.mm']),
    (['run', '--out', 'f'], ['four.trace.pb']),
    (['run', 'one.textproto', ''], []),
    (['sweep', '--keep-traces', ''], [FOLDER]),
    (['sweep', '--out', ''], ['five.sqlite', FOLDER]),
    (['dump', 'four.trace.pb', '--format', ''], ['text', 'csv', 'json']),
    (['compare', 'four.trace.pb', ''], ['four.trace.pb', 'five.sqlite', FOLDER]),
    (['report', 'four.trace.pb', 'four.trace.pb', ''], ['five.sqlite', 'four.trace.pb', FOLDER]),
    (['snapshot', '--out', 'no'], ['notes.txt']),
    (['help', 'oper'], ['operations']),
    (['help', ''], ['operations', 'fields', 'man', 'run', 'sweep', 'help', '...']),
    (['help', 'run', ''], []),
    (['help', 'operations', ''], ['map', 'touch', 'pool', 'machine', 'cma_alloc', '...']),
    (['help', 'operations', 'map', ''], []),
    (['help', 'operations', 'un'], ['unlink', 'unlink_hugetlb', 'unmap', 'unpin']),
    (['help', 'operations', '--format', ''], ['text', 'markdown']),
    (['help', 'fields', 'kernel.thp.e'], ['kernel.thp.enabled']),
    (['help', 'fields', 'study.f'], ['study.find', 'study.find.parameter', '...']),
]

# A value behind '=', which bash takes for a word of its own.
BASH_CASES = [
    (['run', '--format', '='], ['text', 'json']),
    (['run', '--format', '=', 'j'], ['json']),
    (['run', '--format', '=', 'json', 'thr'], ['three.mm']),
]

BASH = r'''
source completion.bash
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_numasim
if [[ ${#COMPREPLY[@]} -gt 0 ]]; then printf '%s\n' "${COMPREPLY[@]}"; fi
'''

# A shell with a terminal, whose completion writes all that it offers for a line to a file.
ZSH = r'''
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "source ./setup.zsh"
until [[ -e ready ]]; do zpty -r -t shell output; sleep 0.02; done
zpty -n -w shell "$1"$'\t'
until [[ -e done ]]; do zpty -r -t shell output; sleep 0.02; done
zpty -d shell
'''
ZSH_SETUP = r'''
PROMPT=
autoload -U compinit
compinit -u -D
source ./completion.zsh
compadd() {
  local -a offered
  if [[ ${@[1,(i)(-|--)]} == *-[OAD]\ * ]]; then
    builtin compadd "$@"
    return
  fi
  builtin compadd -O offered "$@"
  print -rl -- $offered >>offered
  builtin compadd "$@"
}
note-end() { : >>offered; touch done }
comppostfuncs=(note-end)
bindkey '^I' complete-word
touch ready
'''


def write(name, text):
    with open(name, 'w', encoding='utf-8') as file:
        file.write(text)


def offered_by_bash(words):
    done = subprocess.run(['bash', '-c', BASH, 'bash', 'numasim'] + words, capture_output=True, text=True, check=False)
    return done.stdout.splitlines(), done.stderr


def offered_by_zsh(words):
    for name in ('ready', 'done', 'offered'):
        if os.path.exists(name):
            os.remove(name)
    line = 'numasim ' + ' '.join(word.replace(' ', '\\ ') for word in words)
    done = subprocess.run(['zsh', '-f', '-c', ZSH, 'zsh', line], capture_output=True, text=True, check=False, timeout=60)
    with open('offered', encoding='utf-8') as file:
        # Names are quoted, and a folder may be offered beside files and again for itself.
        words = [word.replace('\\ ', ' ').rstrip('/') for word in file.read().splitlines()]
    return [word for word in dict.fromkeys(words) if word], done.stderr


def as_expected(words, offered, expected):
    # zsh offers options where nothing else can stand.
    if not words[-1].startswith('-'):
        offered = [word for word in offered if not word.startswith('-')]
    if '...' in expected:
        return set(expected) - {'...'} <= set(offered) and len(offered) == len(set(offered))
    return sorted(offered) == sorted(expected)


def check(shell, offered_by, cases):
    failed = 0
    for words, expected in cases:
        offered, complaint = offered_by(words)
        if complaint or not as_expected(words, offered, expected):
            print(f'{shell}: {shlex.join(words)}\n  expected {expected}\n  offered {offered}\n{complaint}')
            failed += 1
    return failed


def main():
    os.chdir(tempfile.mkdtemp(dir=os.environ['TEST_TMPDIR']))
    for shell in ('bash', 'zsh'):
        script = subprocess.run([NUMASIM, 'completion', shell], capture_output=True, text=True, check=True).stdout
        write('completion.' + shell, script)
        subprocess.run([shell, '-n', 'completion.' + shell], check=True)
    write('setup.zsh', ZSH_SETUP)
    os.mkdir(FOLDER)
    for name in FILES:
        write(name, '')
    failed = 0
    for shell, offered_by, cases in (('bash', offered_by_bash, CASES + BASH_CASES), ('zsh', offered_by_zsh, CASES)):
        failed += check(shell, offered_by, cases)
    print(f'{2 * len(CASES) + len(BASH_CASES)} lines, {failed} not completed as they should be')
    sys.exit(failed != 0)


main()
