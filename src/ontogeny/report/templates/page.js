"use strict";
const PAGE = JSON.parse(document.getElementById("page-data").textContent);
const INK = "#1f2328", GRID = "#e6e9ec";
const TOUCH = matchMedia("(hover: none)").matches;
/* Plotly offers by itself to upload a plot; a page must not. */
const OFFLINE = { showSendToCloud: false, showEditInChartStudio: false, showLink: false, plotlyServerURL: "" };
const CONFIG = { ...OFFLINE, displaylogo: false, displayModeBar: TOUCH ? false : "hover", modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#AA4499", "#E69F00", "#56B4E9", "#332288", "#6B6B6B"];
const PAPER = 680, COLUMN_GAP = 16, TALLEST_ON_PAPER = 420;
const hidden = new Set();
let logarithmic = PAGE.logarithmic;
let printing = false, shownStep = null;

const shift = () => (logarithmic ? 1 : 0);
const place = (step) => (logarithmic ? Math.log10(step + 1) : step);
const shaded = () => PAGE.transitions.filter((one) => one.start !== null && one.end !== null);

function widthOf(element) {
  if (!printing) return element.clientWidth;
  return element.closest(".grid") ? (PAPER - COLUMN_GAP) / 2 : PAPER;
}

function stepAxis() {
  const last = place(Math.max(PAGE.last, 1));
  return {
    type: logarithmic ? "log" : "linear",
    range: [-0.015 * last, 1.015 * last],
    title: { text: logarithmic ? "step + 1 (logarithmic)" : "step", standoff: 6 },
    exponentformat: logarithmic ? "power" : "none",
    separatethousands: true,
    dtick: logarithmic ? 1 : undefined,
    unifiedhovertitle: { text: logarithmic ? "step + 1 = %{x:,.0f}" : "step %{x:,.0f}" },
    hoverformat: ",.0f",
    nticks: 8,
    automargin: true,
  };
}

function bands() {
  return shaded().flatMap((one) => [
    {
      type: "rect", layer: "below", xref: "x", yref: "paper", y0: 0, y1: 1,
      x0: one.start + shift(), x1: one.end + shift(),
      fillcolor: one.named ? "rgba(230,159,0,0.20)" : "rgba(110,118,129,0.16)", line: { width: 0 },
    },
    ...(one.location === null ? [] : [{
      type: "line", layer: "below", xref: "x", yref: "paper", y0: 0, y1: 1,
      x0: one.location + shift(), x1: one.location + shift(),
      line: { color: one.named ? "#a87400" : "#8b949e", width: 1, dash: "dot" },
    }]),
  ]);
}

function shownStepMark() {
  if (shownStep === null) return [];
  const at = shownStep + shift();
  return [{ type: "line", layer: "below", xref: "x", yref: "paper", y0: 0, y1: 1, x0: at, x1: at, line: { color: INK, width: 1.5 } }];
}

/* Names above a plot, in as many rows as keep them from overlapping. */
function names(width, full) {
  const last = place(Math.max(PAGE.last, 1)), ends = [];
  return shaded().map((one) => {
    const at = place(one.location ?? (one.start + one.end) / 2);
    const text = full && width > 560 ? `${one.number} · ${one.name}` : String(one.number);
    const half = text.length * 3.4 + 4, centre = (at / last) * width;
    const middle = Math.min(Math.max(centre, half), Math.max(width - half, half));
    let row = ends.findIndex((end) => end <= middle - half);
    if (row < 0) row = ends.length;
    ends[row] = middle + half;
    return {
      x: at, xref: "x", y: 1, yref: "paper", yanchor: "bottom", xanchor: "center", xshift: middle - centre, yshift: 1 + 15 * row,
      text, showarrow: false, row, font: { size: 11.5, color: one.named ? "#7a5200" : "#57606a" },
    };
  });
}

function laidOut(element, layout, height, annotations, legend) {
  const rows = 1 + Math.max(-1, ...annotations.map((one) => one.row));
  const axes = Object.fromEntries(Object.entries(layout).filter(([key]) => key.startsWith("yaxis")).map(([key, axis]) => [
    key, { gridcolor: GRID, zerolinecolor: GRID, linecolor: GRID, automargin: true, exponentformat: "power", ...axis, title: { standoff: 6, ...axis.title } },
  ]));
  return {
    ...layout, ...axes,
    width: widthOf(element), height: height + 15 * Math.max(rows - 1, 0) + (legend ? 24 : 0),
    font: { family: "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Helvetica, Arial, sans-serif", size: 12, color: INK },
    margin: { l: 58, r: 12, t: 10 + 15 * rows, b: 46 },
    paper_bgcolor: "#fff", plot_bgcolor: "#fff",
    annotations: annotations.map(({ row, ...rest }) => rest),
    hovermode: layout.hovermode ?? "x unified",
    hoverlabel: { namelength: -1 },
    legend: { orientation: "h", x: 0, xanchor: "left", y: 0, yref: "container", yanchor: "bottom", traceorder: "normal", font: { size: 11.5 } },
    dragmode: TOUCH ? false : "zoom",
    modebar: { bgcolor: "rgba(255,255,255,0.9)", color: "#8b949e", activecolor: INK },
  };
}

function draw(identifier) {
  const element = document.getElementById(identifier), figure = PAGE.figures[identifier];
  const steps = figure.layout.xaxis?.type === undefined;  /* else the plot has an axis of its own */
  const data = figure.data.map((trace) => ({
    ...trace,
    x: steps ? trace.x.map((step) => step + shift()) : trace.x,
    visible: !hidden.has(trace.meta?.run),
  }));
  const layout = laidOut(element, figure.layout, printing ? Math.min(figure.height, TALLEST_ON_PAPER) : figure.height, steps ? names(widthOf(element) - 70, figure.names) : [], figure.layout.showlegend);
  Plotly.react(element, data, {
    ...layout,
    xaxis: { ...(steps ? stepAxis() : { automargin: true }), gridcolor: GRID, zerolinecolor: GRID, linecolor: GRID, ...figure.layout.xaxis },
    shapes: steps ? [...bands(), ...shownStepMark()] : [],
  }, CONFIG);
}

function drawTraces() {
  const element = document.getElementById("traces");
  if (!element) return;
  const entry = PAGE.traces[document.getElementById("trace-step").value];
  const data = entry.chains.map((one, index) => ({
    type: "scatter", mode: "lines", name: `chain ${one.chain}`, x: one.draw, y: one.value,
    line: { width: 1, color: COLOURS[index % COLOURS.length] }, hovertemplate: "%{y:.4g}",
  }));
  const layout = laidOut(element, { yaxis: { title: { text: "L(w) − L(w*)" } } }, 320, [], true);
  Plotly.react(element, data, {
    ...layout,
    showlegend: data.length > 1,
    xaxis: { title: { text: "draw after burn-in", standoff: 6 }, automargin: true, gridcolor: GRID, zeroline: false, unifiedhovertitle: { text: "draw %{x}" } },
    shapes: entry.mean === null ? [] : [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: entry.mean, y1: entry.mean, line: { color: INK, width: 1.4, dash: "dash" } }],
  }, CONFIG);
}

function drawAll() {
  Object.keys(PAGE.figures).forEach(draw);
  drawTraces();
}

function listen() {
  document.querySelectorAll("input[name=axis]").forEach((input) => {
    input.checked = (input.value === "log") === logarithmic;
    input.addEventListener("change", () => { logarithmic = input.value === "log"; drawAll(); });
  });
  document.querySelectorAll("input[data-run]").forEach((input) => {
    input.addEventListener("change", () => {
      hidden[input.checked ? "delete" : "add"](input.dataset.run);
      drawAll();
    });
  });
  document.getElementById("trace-step")?.addEventListener("change", drawTraces);
}

/* The slider of a picture says which step it shows. */
function markShownStep() {
  document.addEventListener("ontogeny:step", (event) => {
    shownStep = event.detail?.step ?? null;
    document.querySelectorAll(".development .js-plotly-plot").forEach((plot) => Plotly.relayout(plot, { shapes: [...bands(), ...shownStepMark()] }));
  });
}

function redrawWhenResized() {
  let width = innerWidth, timer;
  addEventListener("resize", () => {
    if (innerWidth === width || printing) return;
    width = innerWidth;
    clearTimeout(timer);
    timer = setTimeout(drawAll, 150);
  });
}

function redrawForPaper() {
  let folded = [];
  addEventListener("beforeprint", () => {
    printing = true;
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((one) => { one.open = true; });
    drawAll();
  });
  addEventListener("afterprint", () => {
    printing = false;
    folded.forEach((one) => { one.open = false; });
    drawAll();
  });
}

listen();
markShownStep();
redrawWhenResized();
redrawForPaper();
drawAll();
