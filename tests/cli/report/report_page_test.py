#!/usr/bin/env python3
"""The page of `numasim report` in a real browser, of the quickstart's trace."""
import json
import os
import re
import subprocess
import sys
import tempfile

RUNFILES = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'])
sys.path.insert(0, os.path.join(RUNFILES, 'tests/cli/report'))
from browser import Browser  # noqa: E402
from page_checks import NUMASIM, PIXELS, check_paper, check_theme, settle  # noqa: E402
from soft_checks import expect, failures  # noqa: E402

QUICKSTART = os.path.join(RUNFILES, 'examples/quickstart.textproto')
FIRST = 'view.plots.find((plot) => plot.graph)'
SHOWN = f'{FIRST}.graph.xAxisRange()'


def check_plots(browser):
    browser.value('view.plots.forEach((plot) => plot.build())')
    drawn = browser.value(f'view.plots.filter((plot) => plot.graph).map({PIXELS})')
    expect('there are plots', len(drawn) > 5, drawn)
    expect('each plot shows something', all(pixels > 300 for pixels in drawn), drawn)
    titles = browser.value('[...document.querySelectorAll("figcaption")].map((caption) => caption.textContent)')
    for counter in ('nr_free_pages', 'numa_miss', 'free by order', 'thp_fault_alloc'):
        expect(f'{counter} is drawn', any(counter in title for title in titles), titles)


def check_last_value(browser, trace):
    """The last value of a line is the one that the trace ends with."""
    csv = subprocess.run([NUMASIM, 'dump', trace, '--counters', 'node0.numa_miss', '--format', 'csv'], capture_output=True,
                         text=True, check=True).stdout.splitlines()
    last = int(csv[-1].split(',')[-1])
    seen = browser.value('(() => { const c = traces[0].byName.get("node0.numa_miss"); return traces[0].values(c).at(-1); })()')
    expect('the last value', last == seen and last > 0, last, seen)


def press(browser, key):
    text = {'text': key} if len(key) == 1 else {}
    browser.call('Input.dispatchKeyEvent', type='keyDown', key=key, **text)
    browser.call('Input.dispatchKeyEvent', type='keyUp', key=key)
    settle(browser)


def check_keys(browser):
    browser.value(f'{FIRST}.plot.focus()')
    whole = browser.value(SHOWN)
    press(browser, '+')
    zoomed = browser.value(SHOWN)
    expect('+ shows half', abs((zoomed[1] - zoomed[0]) * 2 - (whole[1] - whole[0])) < 1, whole, zoomed)
    press(browser, 'ArrowRight')
    panned = browser.value(SHOWN)
    expect('an arrow pans', panned[0] > zoomed[0] and abs((panned[1] - panned[0]) - (zoomed[1] - zoomed[0])) < 1, panned)
    others = browser.value('view.plots.filter((plot) => plot.graph && plot.near).map((plot) => plot.graph.xAxisRange()[0])')
    expect('all plots pan together', all(abs(other - panned[0]) < 1 for other in others), others)
    press(browser, '-')
    expect('- shows more', browser.value(SHOWN)[1] - browser.value(SHOWN)[0] > panned[1] - panned[0])
    press(browser, '0')
    expect('0 shows the whole run', browser.value(SHOWN) == whole, browser.value(SHOWN), whole)


def check_drag(browser):
    browser.value(f'{FIRST}.plot.scrollIntoView({{block: "center"}})')
    settle(browser)
    whole = browser.value(SHOWN)
    box = browser.value(f'(() => {{ const b = {FIRST}.plot.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; }})()')
    y = box[1] + box[3] / 2
    left, right = box[0] + box[2] * 0.4, box[0] + box[2] * 0.7
    mouse = lambda kind, x, buttons: browser.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', buttons=buttons, clickCount=1)
    mouse('mousePressed', left, 1)
    for share in (0.3, 0.6, 1):
        mouse('mouseMoved', left + (right - left) * share, 1)
    mouse('mouseReleased', right, 0)
    settle(browser)
    zoomed = browser.value(SHOWN)
    expect('a drag zooms to what it covers', whole[0] < zoomed[0] < zoomed[1] < whole[1], whole, zoomed)
    browser.value('view.reset()')


def dumped(trace):
    return json.loads(subprocess.run([NUMASIM, 'dump', trace, '--format', 'json'], capture_output=True, check=True).stdout)


def number(cell):
    return int(re.sub(r'[^0-9]', '', cell))


def rows_of(browser, section):
    """What the cells of a section's table show, without its head."""
    return browser.value(f"""[...document.querySelectorAll("#{section} tbody tr")].map((row) => [...row.cells].map((cell) =>
        cell.textContent))""")


def check_failures(browser, trace):
    """Each kind of failure has a lane, in which each event has a mark at its time, and a row that counts them."""
    browser.value('view.reset()')
    browser.value('document.querySelector("#failures canvas").scrollIntoView()')
    settle(browser)
    events = dumped(trace)['events']
    rows = rows_of(browser, 'failures')
    expect('the rows count all events', sum(number(row[1]) for row in rows) == len(events) > 1, rows, events)
    expect('a row says what failed', any('oom_kill' in row[4] and 'errno=ENOMEM' in row[4] for row in rows), rows)
    marks = browser.value('view.plots.find((plot) => plot.lanes).lanes.flatMap((lane) => lane.marks)')
    expect('each event has its mark', sorted(mark[0] for mark in marks) == sorted(event['time_ns'] for event in events), marks, events)
    # Above the line of a lane, at a mark and in the middle of the longest gap between marks and ends of the lane.
    painted = browser.value("""(() => { const plot = view.plots.find((plot) => plot.lanes), c = plot.canvas;
        const pixels = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        const ratio = c.width / c.clientWidth, x = (time) => 34 + (time - view.from) / (view.to - view.from) * (c.clientWidth - 42);
        const alpha = (time, i) => pixels[4 * (Math.round((i * 18 + 7) * ratio) * c.width + Math.round(x(time) * ratio)) + 3];
        return plot.lanes.map((lane, i) => { const times = [view.from, ...lane.marks.map((mark) => mark[0]), view.to];
            const gap = times.slice(1).map((time, n) => [time - times[n], (time + times[n]) / 2]).sort((a, b) => b[0] - a[0])[0][1];
            return [lane.marks.every((mark) => alpha(mark[0], i) > 0), alpha(gap, i)]; }); })()""")
    expect('marks are painted where the events are', painted and all(marked and gap == 0 for marked, gap in painted), painted)


def check_histogram(browser, section, row, column, times, count):
    """The drawing in a table's cell is of all times of a dumped histogram."""
    cell = f'document.querySelectorAll("#{section} tbody tr")[{row}].cells[{column}]'
    bars, width, height, label, last = browser.value(f"""(() => {{ const svg = {cell}.querySelector('svg.hist'), path = svg.querySelector('path');
        return [path.getAttribute('d').match(/M/g).length, path.getBBox().width, path.getBBox().height,
            svg.getAttribute('aria-label'), [...svg.querySelectorAll('text')].at(-1).textContent]; }})()""")
    longest = browser.value(f'timeText({times["max"]})')
    expect('a histogram has bars', 1 <= bars <= len(times['buckets']) and width > 1 and height > 1, bars, width, height, times)
    expect('its axis ends at the longest time', last == longest and label.endswith(f' to {longest}'), last, label, times)
    expect('it counts all', sum(bucket['count'] for bucket in times['buckets']) == count, count, times)


def check_locks(browser, trace):
    """The table of locks shows what each saw in the run, with drawings of the times."""
    locks = {(lock['lp'], lock['name']): lock for lock in dumped(trace)['locks']}
    rows = rows_of(browser, 'locks')
    expect('there are locks', len(rows) > 3, rows)
    drawn = waited = 0
    for i, row in enumerate(rows):
        lock = locks[row[1], row[0]]
        expect('a lock is counted as in the trace', [number(row[2]), number(row[3])] == [lock['acquired'], lock['contended']], row, lock)
        for column, times, count in ((7, lock['wait_ns'], lock['contended']), (11, lock['hold_ns'], lock['acquired'])):
            if not times['buckets']:
                continue
            expect('the longest is as in the trace', row[column - 1] == browser.value(f'timeText({times["max"]})'), row, times)
            check_histogram(browser, 'locks', i, column, times, count)
            drawn += 1
            waited += column == 7
    expect('holds and waits are drawn', drawn > len(rows) // 2 and waited > 0, drawn, waited, rows)


def check_operations(browser, trace):
    """The table of operations shows what `metrics` lists."""
    name = 'operation.fault_base.tried'
    listed = json.loads(subprocess.run([NUMASIM, 'metrics', trace, name, '--format', 'json'], capture_output=True, check=True).stdout)
    shown = browser.value('''[...document.querySelectorAll("#operations tr")].map((row) => [...row.cells].map((cell) =>
        cell.textContent)).find((cells) => cells[1] === "fault_base")''')
    expect('faults are counted as in the trace', number(shown[2]) == listed[name]['value'], shown, listed)
    row = next(i for i, cells in enumerate(rows_of(browser, 'operations')) if cells[1] == 'fault_base')
    took = next(one for one in dumped(trace)['operations'] if one['operation'] == 'fault_base')
    check_histogram(browser, 'operations', row, 8, took['latency_ns'], took['tried'])


def check_pageblocks(browser, trace):
    """The map of a zone shows all of its pageblocks, those of one use in one colour, and tells of one that is pointed at."""
    runs = next(zone['runs'] for zone in dumped(trace)['pageblocks'] if zone['zone'] == 'node0.Normal')
    plot = 'view.plots.find((plot) => plot.map && plot.map.zone === "node0.Normal")'
    expect('each pageblock has its square', browser.value(f'{plot}.cells.length * {plot}.map.per') == sum(run['count'] for run in runs))
    browser.value(f'{plot}.canvas.scrollIntoView()')
    settle(browser)
    colours = browser.value(f"""(() => {{ const c = {plot}.canvas; return new Set(new Uint32Array(c.getContext('2d').getImageData(
        0, 0, c.width, c.height).data.buffer)).size; }})()""")
    expect('uses have colours of their own', colours >= len({run['use'] for run in runs}), colours, runs)
    pointed = browser.value(f"""(() => {{ {plot}.canvas.dispatchEvent(new MouseEvent('mousemove', {{clientX:
        {plot}.canvas.getBoundingClientRect().left + 1, clientY: {plot}.canvas.getBoundingClientRect().top + 1}}));
        return {plot}.pointed.textContent; }})()""")
    expect('a square says where it is', pointed.startswith('from pfn '), pointed)


def check_search(browser):
    shown = browser.value('''(() => { const field = document.getElementById("search"); field.value = "pgfault";
        field.dispatchEvent(new Event("input")); const boxes = [...document.querySelectorAll(".picks input")];
        boxes[0].click(); return [boxes.length, document.querySelector("#others figcaption").textContent]; })()''')
    expect('a counter is found and drawn', shown[0] == 1 and 'pgfault' in shown[1], shown)


def main():
    os.chdir(tempfile.mkdtemp(dir=os.environ['TEST_TMPDIR']))
    subprocess.run([NUMASIM, 'run', QUICKSTART, '--out', 'q.pb', '--quiet'], check=True)
    # A script's name in place of the scenario's may hold anything; so may its text.
    hostile = '</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>.mm'.replace('/', '_')
    with open(hostile, 'w', encoding='utf-8') as file:
        file.write('# </script><script>window.hacked=1</script><!--\nmachine nodes=1 node_mem=64M\nthp enabled never\nspawn p\n'
                   '@p map a 128M anon\n@p touch a\n')
    subprocess.run([NUMASIM, 'run', hostile, '--out', 'h.pb', '--quiet'], check=True)
    subprocess.run([NUMASIM, 'report', 'q.pb'], check=True)
    subprocess.run([NUMASIM, 'report', 'q.pb', 'h.pb', '--out', 'two.html'], check=True)
    browser = Browser('--window-size=1200,900')
    browser.open('file://' + os.path.abspath('q.html'))
    settle(browser)
    for check in (check_plots, check_keys, check_drag, check_theme, check_paper, check_search):
        check(browser)
    check_last_value(browser, 'q.pb')
    check_operations(browser, 'q.pb')
    check_failures(browser, 'q.pb')
    check_locks(browser, 'q.pb')
    check_pageblocks(browser, 'q.pb')
    expect('no error', not browser.errors(), browser.errors())
    browser.close()
    browser = Browser('--window-size=400,800')
    browser.open('file://' + os.path.abspath('two.html'))
    settle(browser)
    expect('nothing in a trace runs', browser.value('window.hacked') is None)
    expect('the text is shown', 'window.hacked=1' in browser.value('document.getElementById("summary").textContent'))
    expect('both have lines in one plot', browser.value(
        'view.plots.some((plot) => plot.series && new Set(plot.series.map((one) => one.trace)).size === 2)'))
    expect('a narrow page does not scroll sideways', browser.value('document.documentElement.scrollWidth <= window.innerWidth'))
    expect('no error', not browser.errors(), browser.errors())
    browser.close()
    sys.exit(failures() != 0)


main()
