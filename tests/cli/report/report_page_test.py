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


def check_operations(browser, trace):
    """The table of operations shows what `metrics` lists."""
    name = 'operation.fault_base.tried'
    listed = json.loads(subprocess.run([NUMASIM, 'metrics', trace, name, '--format', 'json'], capture_output=True, check=True).stdout)
    shown = browser.value('''[...document.querySelectorAll("#operations tr")].map((row) => [...row.cells].map((cell) =>
        cell.textContent)).find((cells) => cells[1] === "fault_base")''')
    digits = re.sub(r'[^0-9]', '', shown[2])
    expect('faults are counted as in the trace', int(digits) == listed[name]['value'], shown, listed)


def check_pageblocks(browser, trace):
    """The map of a zone shows all of its pageblocks, those of one use in one colour, and tells of one that is pointed at."""
    dump = json.loads(subprocess.run([NUMASIM, 'dump', trace, '--format', 'json'], capture_output=True, check=True).stdout)
    runs = next(zone['runs'] for zone in dump['pageblocks'] if zone['zone'] == 'node0.Normal')
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
