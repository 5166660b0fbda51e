/* A candidate is looked at in all plots at once. */
const AROUND = 0.8, HEADROOM = 0.06;

function focusRange() {
  const one = shaded().find((candidate) => candidate.number === focus);
  if (!one) return null;
  const [start, end] = [place(one.start), place(one.end)], length = Math.max(end - start, 1e-9);
  return [Math.max(start - AROUND * length, place(origin())), Math.min(end + AROUND * length, place(PAGE.last))];
}

/* Plotly keeps the heights of the whole run; here are those of what is seen. */
function focusHeights(data, layout) {
  const range = focusRange();
  if (!range) return {};
  const seen = {};
  data.filter((trace) => trace.visible).forEach((trace) => {
    const inside = trace.x.map((x) => place(x - shift()) >= range[0] && place(x - shift()) <= range[1]);
    const values = trace.y.filter((y, index) => y !== null && (inside[index] || inside[index - 1] || inside[index + 1]));
    (seen[(trace.yaxis ?? "y").replace("y", "yaxis")] ??= []).push(...values);
  });
  return Object.fromEntries(Object.entries(seen).filter(([, values]) => values.length).map(([name, values]) => {
    const low = Math.min(...values), high = Math.max(...values), axis = layout[name] ?? {};
    if (axis.type === "log") return [name, { ...axis, range: [Math.log10(low) - HEADROOM, Math.log10(high) + HEADROOM] }];
    const room = HEADROOM * (high - low || Math.abs(high) || 1);
    return [name, { ...axis, range: [low - room, high + room] }];
  }));
}

function showFocus() {
  const one = PAGE.transitions.find((candidate) => candidate.number === focus);
  const status = document.querySelector(".zoomed");
  status.hidden = !one;
  document.getElementById("zoomed-to").textContent = one ? `zoomed to ${one.number}` : "";
  document.querySelectorAll("[data-candidate]").forEach((button) => {
    button.setAttribute("aria-pressed", String(Number(button.dataset.candidate) === focus));
  });
}

function focusOn(number) {
  focus = number === focus ? null : number;
  choose("candidate", focus);
  showFocus();
  drawSoon();
  const overview = document.getElementById("overview");
  if (focus === null || !overview) return;
  const { top, bottom } = overview.getBoundingClientRect();
  if (bottom < 100 || top > innerHeight - 100) overview.closest("figure").scrollIntoView();
}

function listenToZoom() {
  document.querySelectorAll("[data-candidate]").forEach((button) => {
    button.addEventListener("click", () => focusOn(Number(button.dataset.candidate)));
  });
  document.getElementById("show-all").addEventListener("click", () => focusOn(null));
  addEventListener("keydown", (event) => { if (event.key === "Escape" && focus !== null) focusOn(null); });
  /* A picture with a slider says which step it shows. */
  document.addEventListener("ontogeny:step", (event) => {
    shownStep = event.detail?.step ?? null;
    document.querySelectorAll(".js-plotly-plot").forEach((plot) => {
      if (PAGE.figures[plot.id]?.layout.xaxis?.type === undefined && plot.id !== "traces") Plotly.relayout(plot, { shapes: shapes(look) });
    });
  });
}
