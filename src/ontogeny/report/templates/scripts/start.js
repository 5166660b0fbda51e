/* What the address says is shown; what the reader does is listened to. */
function applyAddress() {
  readAddress();
  logarithmic = chosen.has("axis") ? chosen.get("axis") === "log" : PAGE.logarithmic;
  document.querySelectorAll("input[name=axis]").forEach((input) => { input.checked = (input.value === "log") === logarithmic; });
  focus = chosen.has("candidate") ? Number(chosen.get("candidate")) : null;
  hiddenRuns.clear();
  (chosen.get("hide") ?? "").split(",").filter(Boolean).forEach((run) => hiddenRuns.add(run));
  markedRun = chosen.get("mark") ?? null;
  document.querySelectorAll("input[data-run]").forEach((input) => { input.checked = !hiddenRuns.has(input.dataset.run); });
  document.querySelectorAll("[data-mark]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.mark === markedRun));
  });
  showFocus();
  applyTables();
}

function listenToView() {
  document.querySelectorAll("input[name=axis]").forEach((input) => input.addEventListener("change", () => {
    logarithmic = input.value === "log";
    choose("axis", logarithmic === PAGE.logarithmic ? "" : input.value);
    drawSoon();
  }));
  document.querySelectorAll("input[data-run]").forEach((input) => input.addEventListener("change", () => {
    hiddenRuns[input.checked ? "delete" : "add"](input.dataset.run);
    choose("hide", [...hiddenRuns].join(","));
    drawSoon();
  }));
  document.querySelectorAll("[data-mark]").forEach((button) => button.addEventListener("click", () => {
    choose("mark", button.dataset.mark === markedRun ? "" : button.dataset.mark);
    applyAddress();
    drawSoon();
  }));
  document.getElementById("trace-step")?.addEventListener("change", () => drawSoon(["traces"]));
  document.querySelectorAll("details").forEach((fold) => fold.addEventListener("toggle", () => {
    if (fold.open) drawSoon([...fold.querySelectorAll(".plot")].map((plot) => plot.id));
  }));
  addEventListener("hashchange", () => { applyAddress(); goTo(section); drawSoon(); });
}

function redrawWhenResized() {
  let width = innerWidth, timer;
  addEventListener("resize", () => {
    if (innerWidth === width || printing) return;
    width = innerWidth;
    clearTimeout(timer);
    timer = setTimeout(drawSoon, 150);
  });
}

function redrawInNewColours() {
  const redraw = () => { readLook(); drawSoon(); };
  document.addEventListener("ontogeny:theme", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

/* Paper is light, and what is folded stays so. */
function redrawForPaper() {
  addEventListener("beforeprint", () => {
    printing = true;
    look = LIGHT;
    identifiers().forEach(draw);
  });
  addEventListener("afterprint", () => {
    printing = false;
    readLook();
    drawSoon();
  });
}

function start() {
  listenToAddress();
  listenToTables();
  const complete = typeof Plotly !== "undefined";
  document.getElementById("no-plots").hidden = complete;
  if (!complete) {
    document.documentElement.classList.add("without-plots");
    readAddress();
    applyTables();
    goTo(section);
    return;
  }
  listenToZoom();
  listenToExports();
  listenToView();
  redrawWhenResized();
  redrawInNewColours();
  redrawForPaper();
  readLook();
  applyAddress();
  goTo(section);
  drawSoon();
}

start();
