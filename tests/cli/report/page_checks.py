"""What the tests of pages have in common."""
import os
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
