/* Every figure as SVG, as PNG at twice its size, and its data as CSV, under a name that says what it is. */
const EXPORT_WIDTH = 900;

function titleOf(identifier) {
  if (identifier !== "traces") return PAGE.figures[identifier].title;
  return `draws at ${document.getElementById("trace-step").selectedOptions[0].text}`;
}

function fileName(identifier, ending) {
  const plain = titleOf(identifier).replaceAll("λ̂", "llc").replaceAll("R̂", "r-hat").toLowerCase();
  return `${PAGE.name}-${plain.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "")}.${ending}`;
}

function csvOf(identifier) {
  const { data, layout } = figureOf(identifier, EXPORT_WIDTH, LIGHT);
  const steps = identifier !== "traces" && PAGE.figures[identifier].layout.xaxis?.type === undefined;
  const across = steps ? PAGE.axis.name : layout.xaxis.title.text, back = steps ? shift() : 0;
  const cell = (value) => (/[",\n]/.test(String(value ?? "")) ? `"${String(value).replaceAll('"', '""')}"` : value ?? "");
  const rows = data.filter((trace) => trace.hoverinfo !== "skip" && trace.visible !== false).flatMap((trace) => trace.x.map((x, index) => [
    trace.name, x - back, trace.y[index], trace.customdata?.[index]?.[0], trace.customdata?.[index]?.[1] ?? trace.text?.[index],
  ]));
  const head = ["curve", across, "value", "standard error", "failed checks"];
  return [head, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

function save(address, name) {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}

async function exportFigure(identifier, kind) {
  if (kind === "csv") {
    const address = URL.createObjectURL(new Blob([csvOf(identifier)], { type: "text/csv" }));
    save(address, fileName(identifier, "csv"));
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    return;
  }
  const { data, layout } = figureOf(identifier, EXPORT_WIDTH, LIGHT);
  const size = { format: kind, width: EXPORT_WIDTH, height: layout.height, scale: kind === "png" ? 2 : 1 };
  save(await Plotly.toImage({ data, layout }, size), fileName(identifier, kind));
}

function listenToExports() {
  document.querySelectorAll("[data-export]").forEach((button) => button.addEventListener("click", () => {
    exportFigure(button.closest("figure").querySelector(".plot").id, button.dataset.export);
    button.closest("details").open = false;
  }));
  addEventListener("click", (event) => {
    document.querySelectorAll("details.export[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
}
