#!/usr/bin/env python3
"""The page of `numasim report` of a sweep in a real browser, and what it says against the sweep's database."""
import json
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'], 'tests/cli/report'))
from browser import Browser  # noqa: E402
from page_checks import NUMASIM, PIXELS, check_paper, check_theme, settle  # noqa: E402
from soft_checks import expect, failures  # noqa: E402

HOSTILE = '<img src=x onerror=window.hacked=1></script><script>window.hacked=1</script>'
# Guests that come at random, in a machine in which not all have room; what is touched is its node's memory.
SCENARIO = '''expect: "operation.vms.start.failed == 0"
machine { node { memory: "64M" } }
kernel { thp { enabled: "never" } }
workload {
  script { name: "load" line: "spawn p" line: "@p map a 4M anon" line: "# note" }
  guests { name: "vms" arrival { poisson { mean: "2ms" } } size { constant: "4M" } lifetime { exponential { mean: "10ms" } } }
}
stop_after: "60ms"
'''
GRID = f'''# {HOSTILE}
scenario: "s.textproto"
parameter {{ name: "note" set: "workload.script[load].line[2]=# {{}}" value: ["{HOSTILE}", "plain"] }}
parameter {{ name: "size" set: "workload.guests[vms].size.constant={{}}M" value: ["2", "8", "16"] }}
seeds {{ count: 7 }}
show: "operation.vms.start.failed"
'''
SEARCH = '''scenario: "s.textproto"
parameter { name: "size" set: "workload.guests[vms].size.constant={}M" range { from: 1 to: 40 step: 1 } }
find { parameter: "size" condition: "operation.vms.start.failed > 0" probability_below: 0.5 most_seeds: 16 }
'''
MAIN = 'document.getElementById("main").textContent'


def write(name, text):
    with open(name, 'w', encoding='utf-8') as file:
        file.write(text)


def numasim(*arguments):
    return subprocess.run([NUMASIM, *arguments], capture_output=True, text=True, check=False)


def data_of(page):
    """What the page was given, and that nothing in it ends the data."""
    with open(page, encoding='utf-8') as file:
        text = file.read()
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S).group(1)
    expect('the data has no <', '<' not in data)
    return json.loads(data)


def check_numbers(data):
    """Medians are those of the database; an interval lies between two runs, about its median."""
    with sqlite3.connect('grid.sqlite') as database:
        rows = database.execute("SELECT point, value FROM results WHERE metric = 'operation.vms.start.failed' ORDER BY run").fetchall()
    metric = data['metrics'][0]
    expect('what the study shows comes first', data['drawn'] == 1 and metric['name'] == 'operation.vms.start.failed', data['drawn'])
    for point in range(6):
        runs = [value for at, value in rows if at == point]
        expect('a median', metric['median'][point] == statistics.median(runs), point, metric['median'], runs)
        expect('the runs', metric['runs'][point] == runs, point, metric['runs'][point], runs)
        # Of seven values the interval with 95% confidence is from the first to the last.
        expect('the interval', (metric['low'][point], metric['high'][point]) == (min(runs), max(runs)), point, runs)
    expect('seeds differ', any(len(set(runs)) > 1 for runs in metric['runs']), metric['runs'])


def check_plots(browser):
    """Returns how many pixels the plot has; to read them twice is slow, as the browser says in a warning."""
    drawn = browser.value(f'view.plots.filter((plot) => plot.graph).map({PIXELS})')
    expect('the plot shows something', len(drawn) == 1 and drawn[0] > 300, drawn)
    lines = browser.value('view.plots[0].lines.map((line) => [line.label, line.points.map((point) => point.x)])')
    expect('x is the parameter that has numbers', [xs for _, xs in lines] == [[2, 8, 16]] * 2, lines)
    expect('a line for each value of the other', [label for label, _ in lines] == [f'note={HOSTILE}', 'note=plain'], lines)
    return drawn[0]


def check_choice(browser, before):
    browser.value('''(() => { const select = document.getElementById("over"); select.value = 0;
        select.dispatchEvent(new Event("change")); })()''')
    settle(browser)
    expect('three lines over the notes', browser.value('view.plots[0].lines.map((line) => line.points.length)') == [2, 2, 2])
    expect('which is another picture', browser.value(f'({PIXELS})(view.plots[0])') not in (before, 0), before)
    expect('the caption says so', 'over note' in browser.value('document.querySelector("figcaption").textContent'))
    labels = browser.value('[...document.querySelectorAll(".dygraph-axis-label-x")].map((label) => label.textContent)')
    expect('texts stand below the axis', labels == [HOSTILE, 'plain'], labels)
    browser.value('document.getElementById("over").value = 1; document.getElementById("over").dispatchEvent(new Event("change"))')
    settle(browser)


def press(browser, key):
    text = {'text': key} if len(key) == 1 else {}
    browser.call('Input.dispatchKeyEvent', type='keyDown', key=key, **text)
    browser.call('Input.dispatchKeyEvent', type='keyUp', key=key)
    settle(browser)


def check_keys(browser, data):
    browser.value('view.plots[0].plot.focus()')
    press(browser, 'ArrowRight')
    press(browser, 'ArrowRight')
    legend = browser.value('view.plots[0].legend.textContent')
    low, high = data['metrics'][0]['low'][1], data['metrics'][0]['high'][1]
    expect('arrows read the values', legend.startswith('size=8') and f'({low:g} to {high:g} times)' in legend, legend)
    whole = browser.value('view.plots[0].graph.xAxisRange()')
    press(browser, '+')
    zoomed = browser.value('view.plots[0].graph.xAxisRange()')
    expect('+ shows half', abs((zoomed[1] - zoomed[0]) * 2 - (whole[1] - whole[0])) < 0.01, whole, zoomed)
    press(browser, '0')
    expect('0 shows all', browser.value('view.plots[0].graph.xAxisRange()') == whole)


def check_tables(browser):
    rows = browser.value('[...document.querySelectorAll("#points tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent))')
    expect('a row for each point', [row[:2] for row in rows] ==
           [[note, size] for note in (HOSTILE, 'plain') for size in ('2', '8', '16')], rows)
    with sqlite3.connect('grid.sqlite') as database:
        unmet = [message for (message,) in database.execute('SELECT message FROM unmet ORDER BY run')]
    shown = browser.value('[...document.querySelectorAll("#unmet tbody tr")].map((row) => row.cells[3].textContent)')
    expect('what is not as expected', shown == unmet and len(unmet) > 0, shown, unmet)


def check_search_field(browser):
    name = browser.value('sweep.metrics[sweep.drawn].name')
    shown = browser.value(f'''(() => {{ const field = document.getElementById("search"); field.value = {json.dumps(name)};
        field.dispatchEvent(new Event("input")); document.querySelector(".picks input").click();
        return document.querySelector("#others figcaption").textContent; }})()''')
    expect('another metric is found and drawn', name in shown, name, shown)


def check_grid():
    data = data_of('grid.html')
    check_numbers(data)
    browser = Browser('--window-size=1200,900')
    browser.open('file://' + os.path.abspath('grid.html'))
    settle(browser)
    check_choice(browser, check_plots(browser))
    check_keys(browser, data)
    check_tables(browser)
    check_search_field(browser)
    check_theme(browser)
    check_paper(browser)
    expect('nothing in a sweep runs', browser.value('window.hacked') is None)
    expect('nor becomes an element', browser.value('document.querySelectorAll("img").length') == 0)
    expect('the study is shown', HOSTILE in browser.value('document.getElementById("summary").textContent'))
    expect('no warning where all is well', browser.value('document.querySelectorAll(".warn").length') == 0)
    expect('no error', not browser.errors(), browser.errors())
    browser.close()


def check_search(printed):
    """The page's answer is the one that the sweep printed; the plot has its bound and the values that were tried."""
    data = data_of('search.html')
    with sqlite3.connect('search.sqlite') as database:
        tried = {value for (value,) in database.execute('SELECT DISTINCT value FROM runs JOIN parameters USING (point)')}
    expect('all values that were tried', set(data['parameters'][0]['values']) == tried and len(tried) > 2, tried)
    browser = Browser('--window-size=400,800')
    browser.open('file://' + os.path.abspath('search.html'))
    settle(browser)
    answers = browser.value('[...document.querySelectorAll(".answer")].map((line) => line.textContent)')
    expect('the question', 'holds in less than 50% of runs' in browser.value('document.getElementById("search0").textContent'))
    expect('the answer', [line + '\n' for line in answers] == [printed] and 'size=' in printed, answers, printed)
    plot = browser.value(f'[view.plots[0].bound, view.plots[0].lines[0].points.length, ({PIXELS})(view.plots[0])]')
    expect('the search is drawn', plot[0] == 0.5 and plot[1] == len(tried) and plot[2] > 300, plot)
    rows = browser.value('document.querySelectorAll("#search0 tbody tr").length')
    expect('a row for each value', rows == len(tried), rows)
    expect('a narrow page does not scroll sideways', browser.value('document.documentElement.scrollWidth <= window.innerWidth'))
    expect('no error', not browser.errors(), browser.errors())
    browser.close()


def check_unfinished():
    """A sweep with runs missing and a run that failed is shown as far as it goes."""
    with sqlite3.connect('search.sqlite') as database:
        database.execute('DELETE FROM metrics WHERE run NOT IN (SELECT run FROM runs ORDER BY run LIMIT 8)')
        database.execute('DELETE FROM runs WHERE run NOT IN (SELECT run FROM runs ORDER BY run LIMIT 8)')
        database.execute('DELETE FROM unmet')
        database.execute("UPDATE study SET value = '0' WHERE name = 'complete'")
    shown = numasim('report', 'search.sqlite', '--out', 'cut.html')
    expect('a warning', shown.returncode == 0 and 'holds the first 8 runs of a sweep that has not come to its end' in shown.stderr, shown)
    with sqlite3.connect('grid.sqlite') as database:
        database.execute('INSERT INTO failures VALUES (3, ?)', ('out of room ' + HOSTILE,))
        database.execute('DELETE FROM metrics WHERE run = 3')
    shown = numasim('report', 'grid.sqlite', '--out', 'failed.html')
    expect('a warning', shown.returncode == 0 and '1 of 42 runs failed' in shown.stderr, shown)
    browser = Browser('--window-size=1200,900')
    browser.open('file://' + os.path.abspath('cut.html'))
    settle(browser)
    text = browser.value(MAIN)
    expect('it says that the sweep has not ended', 'has not come to its end: it has 8 runs' in text, text[:400])
    expect('and the search neither', 'The search has not come to its end: runs that it needs are not there yet' in text, text[:400])
    browser.open('file://' + os.path.abspath('failed.html'))
    settle(browser)
    row = browser.value('[...document.querySelector("#failures tbody tr").cells].map((cell) => cell.textContent)')
    expect('the failure', row[0] == '3' and row[1] == '4' and 'size=2' in row[2] and row[3] == 'out of room ' + HOSTILE, row)
    expect('nothing in a message runs', browser.value('window.hacked') is None)
    expect('no error', not browser.errors(), browser.errors())
    browser.close()


def check_left_out():
    """A page of many metrics has at most 4.9 MB, and says what it leaves out: single runs before metrics."""
    with sqlite3.connect('grid.sqlite') as database:
        database.executemany('INSERT INTO metric_names VALUES (?, ?, ?, 0, 0, 0)',
                             ((1000 + m, f'made.up.metric.{m}', 'times') for m in range(14000)))
        database.execute('INSERT INTO metrics SELECT run, metric, (run * 7919 + metric * 104729) % 1000003 / 7.0 FROM runs, metric_names '
                         'WHERE metric >= 1000 AND run <> 3')
    expect('it is written', numasim('report', 'grid.sqlite', '--out', 'large.html').returncode == 0)
    size = os.path.getsize('large.html')
    expect('it has no more than it may', 4_000_000 < size <= 4_900_000, size)
    data = data_of('large.html')
    expect('metrics are left out', data['withoutRoom'] > 0 and not data['wantedWithoutRoom'], data['withoutRoom'])
    expect('single runs before them', data['withoutRuns'] > 0.9 * len(data['metrics']), data['withoutRuns'])
    expect('each is there or counted', data['withoutRoom'] + len(data['metrics']) + len(data['constants']) > 14000)


def check_other_show():
    """What a study shows may change when its runs are there."""
    write('grid.textproto', GRID.replace('vms.start.failed"', 'vms.start.tried"'))
    again = numasim('sweep', 'grid.textproto', '--quiet')
    expect('the sweep goes on', again.returncode == 2 and 'runs are not as' in again.stderr, again)
    numasim('report', 'grid.sqlite', '--out', 'tried.html')
    data = data_of('tried.html')
    expect('the page shows the other metric', [metric['name'] for metric in data['metrics'][:data['drawn']]] ==
           ['operation.vms.start.tried'], data['drawn'])
    write('grid.textproto', GRID + 'column { name: "word" value: "\'a text\'" }\n'
                            'column { name: "twice" value: "2 * [operation.vms.start.failed]" unit: "share" }\n')
    numasim('sweep', 'grid.textproto', '--quiet')
    numasim('report', 'grid.sqlite', '--out', 'twice.html')
    column, metric = (data := data_of('twice.html'))['metrics'][:2]
    expect('what the study computes comes first', (data['drawn'], column['name'], column['unit'], metric['name']) ==
           (2, 'twice', 'share', 'operation.vms.start.failed'), data['drawn'], column)
    expect('a column is computed', column['median'] == [2 * median for median in metric['median']], column['median'])
    write('grid.textproto', GRID.replace('operation.vms.start.failed"', '*"'))
    numasim('sweep', 'grid.textproto', '--quiet')
    numasim('report', 'grid.sqlite', '--out', 'all.html')
    data = data_of('all.html')
    expect('of all metrics some are drawn at once', data['drawn'] == 48 < data['wanted'] == len(data['metrics']), data['drawn'], data['wanted'])
    write('grid.textproto', GRID)
    numasim('sweep', 'grid.textproto', '--quiet')


def check_refusals():
    """One message that says what would be right, and no page."""
    def copy(name, change):
        with open('search.sqlite', 'rb') as file, open(name, 'wb') as other:
            other.write(file.read())
        with sqlite3.connect(name) as database:
            database.executescript(change)
    copy('old.sqlite', 'PRAGMA user_version = 1')
    copy('points.sqlite', "UPDATE parameters SET value = '77' WHERE point = 5")
    copy('runs.sqlite', 'INSERT INTO runs VALUES (99999, 40, 1, "", 0)')
    copy('study.sqlite', "UPDATE study SET value = 'find {' WHERE name = 'study'")
    with sqlite3.connect('mine.sqlite') as database:
        database.execute('CREATE TABLE mine (x)')
    numasim('run', 's.textproto', '--out', 't.pb', '--quiet')
    for arguments, message in (
            (['grid.sqlite', 'search.sqlite'], "TRACE: 'grid.sqlite' and 'search.sqlite' are databases of sweeps; expected one alone"),
            (['t.pb', 'grid.sqlite'], "TRACE: 'grid.sqlite' is a database, beside 't.pb'; expected traces, or one sweep's database alone"),
            (['s.textproto'], 's.textproto is not a trace of numasim; expected one that numasim run wrote, or the database of a sweep (.sqlite)'),
            (['grid.sqlite', '--out', 'grid.sqlite'], "--out: 'grid.sqlite' is an input of this run"),
            (['mine.sqlite'], 'mine.sqlite: is no database of a sweep; expected one that numasim sweep wrote'),
            (['old.sqlite'], 'old.sqlite: is of a version of numasim with other tables (format 1); expected format 2'),
            (['points.sqlite'], 'points.sqlite: is damaged: point 5 is not as the study says; expected a database as'),
            (['runs.sqlite'], 'runs.sqlite: is damaged: run 99999 is of point 40, but the study has 40; expected a database as'),
            (['study.sqlite'], 'study.sqlite: study:')):
        before = sorted(os.listdir())
        said = numasim('report', *arguments)
        expect('it is refused', said.returncode == 1 and said.stdout == '' and said.stderr.startswith('numasim report: ')
               and message in said.stderr and said.stderr.count('\n') == 1, arguments, said)
        expect('no file is left', sorted(os.listdir()) == before, os.listdir())


def check_picture():
    picture = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'], 'tests/cli/report/page_picture.py')
    subprocess.run([sys.executable, picture, 'search.html', 'p.png', '--width', '800', '--height', '500'], check=True)
    with open('p.png', 'rb') as file:
        png = file.read()
    size = [int.from_bytes(png[at:at + 4], 'big') for at in (16, 20)]
    expect('a picture', png.startswith(b'\x89PNG') and size == [800, 500] and 8_000 < len(png) < 300_000, size, len(png))


def main():
    os.chdir(tempfile.mkdtemp(dir=os.environ['TEST_TMPDIR']))
    for name, text in (('s.textproto', SCENARIO), ('grid.textproto', GRID), ('search.textproto', SEARCH)):
        write(name, text)
    grid = numasim('sweep', 'grid.textproto', '--quiet')
    expect('runs are not as expected', grid.returncode == 2, grid)
    search = numasim('sweep', 'search.textproto', '--quiet')
    for name in ('grid', 'search'):
        shown = numasim('report', f'{name}.sqlite')
        expect('a report', (shown.returncode, shown.stdout, shown.stderr) == (0, f'report: {name}.html\n', ''), shown)
    for check in (check_grid, lambda: check_search(search.stdout), check_picture, check_other_show, check_refusals, check_unfinished, check_left_out):
        check()
    sys.exit(failures() != 0)


main()
