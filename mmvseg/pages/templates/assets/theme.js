'use strict';
// Light or dark: as the system has it, until the button says otherwise.

function readTheme() {
  try { return localStorage.getItem('mmvseg-theme'); } catch { return null; }
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

function toggleTheme() {
  const theme = isDark() ? 'light' : 'dark';
  document.documentElement.dataset.theme = theme;
  // browsers may keep nothing for pages from disk; then the choice is for this page
  try { localStorage.setItem('mmvseg-theme', theme); } catch { /* nothing to keep it in */ }
}

{
  const theme = readTheme();
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  addEventListener('DOMContentLoaded', () => {
    document.getElementById('theme').addEventListener('click', toggleTheme);
  });
}
