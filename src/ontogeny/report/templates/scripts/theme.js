"use strict";
/* Runs in the head, so that a page never appears in the wrong colours. */
const THEMES = ["", "dark", "light"];

function chosenTheme() {
  try { return localStorage.getItem("ontogeny-theme") ?? ""; } catch { return ""; }
}

function showTheme(name) {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
}

function nextTheme() {
  const name = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "") + 1) % THEMES.length];
  try { localStorage.setItem("ontogeny-theme", name); } catch { /* A page without storage forgets the choice. */ }
  showTheme(name);
  document.dispatchEvent(new Event("ontogeny:theme"));
}

showTheme(chosenTheme());
