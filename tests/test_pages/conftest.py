"""Chromium, for pages opened from disk; tests are skipped where it or playwright is missing."""

import shutil

import pytest

CHROMIUM = shutil.which('chromium') or shutil.which('google-chrome')
FLAGS = ('--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking')


@pytest.fixture(scope='package')  # it holds an event loop, which others may need
def browser():
    api = pytest.importorskip('playwright.sync_api')
    if CHROMIUM is None:
        pytest.skip('chromium is not installed')
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A page; whatever goes wrong on it, or is fetched from elsewhere, fails the test."""
    context = browser.new_context(viewport=dict(width=1400, height=900))
    page = context.new_page()
    trouble = []
    page.on('console', lambda message: trouble.append(message.text))
    page.on('pageerror', lambda error: trouble.append(str(error)))
    page.on('dialog', lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    page.on('request', lambda r: None if r.url[:5] in ('file:', 'data:') else trouble.append(r.url))
    page.on('requestfailed', lambda request: trouble.append(f'{request.url} {request.failure}'))
    yield page
    context.close()
    assert trouble == []
