const PAGE = JSON.parse(document.getElementById("page-data").textContent);
const TOUCH = matchMedia("(hover: none)").matches;
/* Plotly offers by itself to upload a plot; a page must not. Its buttons are tab stops: the menu of a figure exports it, and
   dragging zooms. */
const OFFLINE = { showSendToCloud: false, showEditInChartStudio: false, showLink: false, plotlyServerURL: "" };
const CONFIG = { ...OFFLINE, displaylogo: false, displayModeBar: false, doubleClick: "reset" };
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#AA4499", "#E69F00", "#56B4E9", "#332288", "#6B6B6B"];
const LIGHT = { dark: false, ink: "#1f2328", soft: "#57606a", grid: "#e6e9ec", paper: "#ffffff", named: "#7a5200" };
const PAPER = 680, COLUMN_GAP = 16, TALLEST_ON_PAPER = 420, PALEST = 0.2, DIMMED = 0.12;
const FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Helvetica, Arial, sans-serif";
const hiddenRuns = new Set();
const waiting = new Set();
let logarithmic = PAGE.logarithmic, focus = null, markedRun = null, shownStep = null;
let look = LIGHT, printing = false, working = false;

const shift = () => (logarithmic ? PAGE.axis.shift : 0);
const place = (step) => (logarithmic ? Math.log10(step + PAGE.axis.shift) : step);
/* Where the axis begins: a logarithm without a shift has no 0. */
const origin = () => (PAGE.axis.shift ? 0 : PAGE.axis.first);
const hover = () => (PAGE.axis.shift ? ",.0f" : ",.4~g");
const shaded = () => PAGE.transitions.filter((one) => one.start !== null && one.end !== null);
const identifiers = () => [...document.querySelectorAll(".plot")].map((element) => element.id);

/* The colours of the page, as the browser resolves them for the theme. */
function readLook() {
  const probe = document.body.appendChild(document.createElement("span"));
  const colour = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
  const [ink, soft, grid, paper, named] = ["ink", "soft", "grid", "paper", "named"].map(colour);
  probe.remove();
  look = { dark: luminance(paper.match(/\d+/g).map(Number)) < 0.5, ink, soft, grid, paper, named };
}

function luminance([red, green, blue]) {
  const [r, g, b] = [red, green, blue].map((part) => {
    const share = part / 255;
    return share <= 0.04 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/* A colour chosen on white, light enough for a dark page. */
function legible(colour, dark) {
  if (!dark || typeof colour !== "string") return colour;
  const hex = colour.match(/^#(..)(..)(..)$/)?.slice(1).map((pair) => parseInt(pair, 16));
  const numbers = hex ?? colour.match(/^rgba?\((.*)\)$/)?.[1].split(",").map(Number);
  if (!numbers) return colour;
  let [rgb, opacity] = [numbers.slice(0, 3), numbers[3] ?? 1];
  while (luminance(rgb) < PALEST) rgb = rgb.map((part) => Math.min(255, Math.round(part + 0.1 * (255 - part)) + 1));
  return `rgba(${rgb.join(",")},${opacity})`;
}

function recoloured(trace, how) {
  const painted = (part) => part && { ...part, ...(part.color && { color: legible(part.color, how.dark) }) };
  return {
    ...trace,
    ...(trace.line && { line: painted(trace.line) }),
    ...(trace.marker && { marker: { ...painted(trace.marker), ...(trace.marker.line && { line: painted(trace.marker.line) }) } }),
    ...(trace.textfont && { textfont: painted(trace.textfont) }),
    ...(trace.fillcolor && { fillcolor: legible(trace.fillcolor, how.dark) }),
  };
}

function widthOf(element) {
  if (!printing) return element.clientWidth;
  return element.closest(".grid") ? (PAPER - COLUMN_GAP) / 2 : PAPER;
}

function stepAxis() {
  const first = place(origin()), last = place(Math.max(PAGE.last, PAGE.axis.shift));
  return {
    type: logarithmic ? "log" : "linear",
    range: focusRange() ?? [first - 0.015 * (last - first), last + 0.015 * (last - first)],
    title: { text: logarithmic ? PAGE.axis.title : PAGE.axis.name, standoff: 6 },
    exponentformat: "none",
    separatethousands: true,
    dtick: logarithmic && focus === null && PAGE.axis.shift ? 1 : undefined,
    unifiedhovertitle: { text: logarithmic && PAGE.axis.shift ? `${PAGE.axis.name} + 1 = %{x:,.0f}` : `${PAGE.axis.equals}%{x:${hover()}}` },
    hoverformat: hover(),
    nticks: 8,
    automargin: true,
  };
}

function shapes(how) {
  const upright = (step, line) => ({
    type: "line", layer: "below", xref: "x", yref: "paper", y0: 0, y1: 1, x0: step + shift(), x1: step + shift(), line,
  });
  const passages = shaded().flatMap((one) => [
    {
      type: "rect", layer: "below", xref: "x", yref: "paper", y0: 0, y1: 1,
      x0: one.start + shift(), x1: one.end + shift(),
      fillcolor: one.named ? "rgba(230,159,0,0.20)" : "rgba(110,118,129,0.16)", line: { width: 0 },
    },
    ...(one.location === null ? [] : [upright(one.location, { color: one.named ? "#a87400" : "#8b949e", width: 1, dash: "dot" })]),
  ]);
  return shownStep === null ? passages : [...passages, upright(shownStep, { color: how.ink, width: 1.5 })];
}

/* Names above a plot, in as many rows as keep them from overlapping. A click on one zooms. */
function names(width, full, how) {
  const [low, high] = stepAxis().range, ends = [];
  return shaded().flatMap((one) => {
    const at = (place(one.start) + place(one.end)) / 2;
    if (at < low || at > high) return [];
    const text = full && width > 560 ? `${one.number} · ${one.name}` : String(one.number);
    const half = text.length * 3.4 + 4, centre = ((at - low) / (high - low)) * width;
    const middle = Math.min(Math.max(centre, half), Math.max(width - half, half));
    let row = ends.findIndex((end) => end <= middle - half);
    if (row < 0) row = ends.length;
    ends[row] = middle + half;
    return [{
      x: at, xref: "x", y: 1, yref: "paper", yanchor: "bottom", xanchor: "center", xshift: middle - centre, yshift: 1 + 15 * row,
      name: String(one.number), text, showarrow: false, captureevents: true, row,
      font: { size: 11.5, color: one.named ? how.named : how.soft },
    }];
  });
}

function laidOut(width, layout, height, annotations, legend, how) {
  const rows = 1 + Math.max(-1, ...annotations.map((one) => one.row));
  const line = { gridcolor: how.grid, zerolinecolor: how.grid, linecolor: how.grid, automargin: true };
  const axes = Object.fromEntries(Object.entries(layout).filter(([key]) => /^[xy]axis/.test(key)).map(([key, axis]) => [
    key, { ...line, ...(key.startsWith("y") && { exponentformat: "power" }), ...axis, title: { standoff: 6, ...axis.title } },
  ]));
  return {
    ...layout, ...axes, width, height: height + 15 * Math.max(rows - 1, 0) + (legend ? 24 : 0),
    font: { family: FONT, size: 12, color: how.ink },
    margin: { l: 58, r: 12, t: 10 + 15 * rows, b: 46 },
    paper_bgcolor: how.paper, plot_bgcolor: how.paper,
    annotations: annotations.map(({ row, ...rest }) => rest),
    hovermode: layout.hovermode ?? "x unified",
    hoverlabel: { namelength: -1, bgcolor: how.paper, bordercolor: how.grid, font: { color: how.ink } },
    legend: { orientation: "h", x: 0, xanchor: "left", y: 0, yref: "container", yanchor: "bottom", traceorder: "normal", font: { size: 11.5 } },
    dragmode: TOUCH ? false : "zoom",
  };
}

/* The data and the layout of a figure, as wide as asked, in the colours asked. */
function figureOf(identifier, width, how) {
  if (identifier === "traces") return tracesFigure(width, how);
  const figure = PAGE.figures[identifier], given = figure.layout;
  const steps = given.xaxis?.type === undefined;  /* else the plot has an axis of its own */
  const data = figure.data.map((trace) => ({
    ...recoloured(trace, how),
    x: steps ? trace.x.map((step) => step + shift()) : trace.x,
    visible: !hiddenRuns.has(trace.meta?.run),
    opacity: markedRun && trace.meta?.run && trace.meta.run !== markedRun ? DIMMED : trace.opacity ?? 1,
  }));
  const xaxis = steps ? { ...stepAxis(), ...given.xaxis } : given.xaxis;
  const layout = { ...given, ...(steps ? focusHeights(data, given) : {}), xaxis };
  const height = printing ? Math.min(figure.height, TALLEST_ON_PAPER) : figure.height;
  const labels = steps ? names(width - 70, figure.names, how) : [];
  return { data, layout: { ...laidOut(width, layout, height, labels, given.showlegend, how), shapes: steps ? shapes(how) : [] } };
}

function tracesFigure(width, how) {
  const entry = PAGE.traces[document.getElementById("trace-step").value];
  const data = entry.chains.map((one, index) => recoloured({
    type: "scatter", mode: "lines", name: `chain ${one.chain}`, x: one.draw, y: one.value,
    line: { width: 1, color: COLOURS[index % COLOURS.length] }, hovertemplate: "%{y:.4g}",
  }, how));
  const xaxis = { title: { text: "draw after burn-in" }, zeroline: false, unifiedhovertitle: { text: "draw %{x}" } };
  const mean = { type: "line", xref: "paper", x0: 0, x1: 1, y0: entry.mean, y1: entry.mean, line: { color: how.ink, width: 1.4, dash: "dash" } };
  const layout = laidOut(width, { xaxis, yaxis: { title: { text: "L(w) − L(w*)" } } }, 320, [], true, how);
  return { data, layout: { ...layout, showlegend: data.length > 1, shapes: entry.mean === null ? [] : [mean] } };
}

function draw(identifier) {
  const element = document.getElementById(identifier);
  if (!element.clientWidth) return;  /* It is folded, and drawn when it unfolds. */
  const first = !element.classList.contains("js-plotly-plot");
  const { data, layout } = figureOf(identifier, widthOf(element), look);
  Plotly.react(element, data, layout, CONFIG);
  if (!first) return;
  element.on("plotly_clickannotation", (event) => focusOn(Number(event.annotation.name)));
  element.on("plotly_doubleclick", () => { if (focus !== null) focusOn(null); });
}

/* One plot at a time, those in view first, so that the page answers meanwhile. */
function drawSoon(which = identifiers()) {
  which.forEach((identifier) => waiting.add(identifier));
  if (!working) setTimeout(drawNext);
  working = true;
}

function drawNext() {
  const inView = (identifier) => {
    const { top, bottom } = document.getElementById(identifier).getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };
  const identifier = [...waiting].find(inView) ?? [...waiting][0];
  working = identifier !== undefined;
  if (!working) return;
  waiting.delete(identifier);
  draw(identifier);
  setTimeout(drawNext);
}
