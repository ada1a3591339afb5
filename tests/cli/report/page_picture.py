#!/usr/bin/env python3
"""Makes a picture of the top of a report's page, as docs/images has them.

    page_picture.py PAGE.html PICTURE.png [--width 1000] [--height 560] [--dark]

Chromium draws it, without a network.
"""
import argparse
import base64
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import Browser  # noqa: E402

MOST_BYTES = 300_000  # of a picture in the repository


def picture(page, width, height, dark):
    """The PNG's bytes."""
    browser = Browser()
    try:
        browser.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=False)
        browser.call('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])
        browser.call('Emulation.setScrollbarsHidden', hidden=True)
        browser.open('file://' + os.path.abspath(page))
        # Plots are drawn when the page has been laid out.
        browser.value('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300)))')
        return base64.b64decode(browser.call('Page.captureScreenshot', format='png')['data'])
    finally:
        browser.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('page')
    parser.add_argument('picture')
    parser.add_argument('--width', type=int, default=1000, help='in pixels')
    parser.add_argument('--height', type=int, default=560, help='in pixels')
    parser.add_argument('--dark', action='store_true', help="in the page's dark colours")
    options = parser.parse_args()
    if not os.path.exists(options.page):
        sys.exit(f'{options.page}: is not there; expected a page of numasim report')
    png = picture(options.page, options.width, options.height, options.dark)
    if len(png) > MOST_BYTES:
        sys.exit(f'{options.picture}: would have {len(png)} bytes; expected at most {MOST_BYTES}: a smaller --width or --height')
    with open(options.picture, 'wb') as file:
        file.write(png)


if __name__ == '__main__':
    main()
