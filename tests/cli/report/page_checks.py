"""What the tests of pages have in common."""
import base64
import os
import re
import sys

RUNFILES = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'])
sys.path.insert(0, os.path.join(RUNFILES, 'tests'))
from soft_checks import expect  # noqa: E402

NUMASIM = os.path.join(RUNFILES, 'cli/numasim')
# Pixels of a plot's canvases that are not transparent.
PIXELS = '''(plot) => [...plot.plot.querySelectorAll('canvas')].reduce((sum, canvas) => sum + new Uint32Array(canvas
    .getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer).filter((pixel) => pixel !== 0).length, 0)'''


def settle(browser):
    browser.value('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))')


def check_theme(browser):
    background = 'getComputedStyle(document.body).backgroundColor'
    light = browser.value(background)
    browser.call('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': 'dark'}])
    settle(browser)
    expect('dark mode has another background', browser.value(background) != light, light)
    browser.call('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': 'light'}])


def check_paper(browser):
    """What a dark page looks like on paper: black on white, every plot drawn, and nothing that only a screen needs."""
    browser.call('Emulation.setEmulatedMedia', media='print', features=[{'name': 'prefers-color-scheme', 'value': 'dark'}])
    settle(browser)
    look = 'getComputedStyle(document.body)'
    expect('paper is white', browser.value(look + '.backgroundColor') == 'rgb(255, 255, 255)', browser.value(look + '.backgroundColor'))
    expect('print is black', browser.value(look + '.color') == 'rgb(0, 0, 0)', browser.value(look + '.color'))
    expect('paper has no bar', browser.value('document.getElementById("bar").offsetHeight') == 0)
    charts = browser.value('view.plots.filter((plot) => plot instanceof Chart).map((chart) => Boolean(chart.graph))')
    expect('every plot is drawn on paper', charts and all(charts), charts)
    lines = browser.value('view.plots.filter((plot) => plot instanceof Chart).map((chart) => chart.graph.getOption("gridLineColor"))')
    expect('in the colours of a light page', set(lines) == {'#d8dde2'}, lines)
    pages = base64.b64decode(browser.call('Page.printToPDF', printBackground=False)['data'])
    expect('it prints', pages.startswith(b'%PDF') and re.search(rb'/Type\s*/Page\b', pages), pages[:20])
    browser.call('Emulation.setEmulatedMedia', media='', features=[{'name': 'prefers-color-scheme', 'value': 'light'}])
    settle(browser)
