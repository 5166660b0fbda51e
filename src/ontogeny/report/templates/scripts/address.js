/* What a reader has chosen stands in the address, after the section: #transitions&axis=log&candidate=2 */
const chosen = new Map();
let section = "";

function readAddress() {
  chosen.clear();
  section = "";
  location.hash.slice(1).split("&").filter(Boolean).forEach((part) => {
    const [name, ...value] = part.split("=").map(decodeURIComponent);
    if (value.length) chosen.set(name, value.join("="));
    else section = name;
  });
}

function addressText() {
  const parts = [...chosen].map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return [...(section ? [encodeURIComponent(section)] : []), ...parts].join("&");
}

function writeAddress() {
  const text = addressText();
  history.replaceState(null, "", text ? `#${text}` : location.href.split("#")[0]);
}

function choose(name, value) {
  if (value) chosen.set(name, String(value));
  else chosen.delete(name);
  writeAddress();
}

function goTo(name) {
  const target = document.getElementById(name);
  if (!target) return;
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  target.scrollIntoView();
  target.tabIndex = -1;
  target.focus({ preventScroll: true });
}

function listenToAddress() {
  document.querySelectorAll('a[href^="#"]').forEach((link) => link.addEventListener("click", (event) => {
    event.preventDefault();
    section = link.getAttribute("href").slice(1);
    goTo(section);
    writeAddress();
  }));
  /* The page of another seed opens with the same axis. */
  document.querySelectorAll(".neighbours a").forEach((link) => link.addEventListener("click", () => {
    const axis = chosen.get("axis");
    link.hash = axis ? `axis=${axis}` : "";
  }));
  document.getElementById("theme")?.addEventListener("click", nextTheme);
}
