/* Tables are sorted by a click on a column, and their rows found by words or a regular expression. */
function cellValue(row, column, kind) {
  const cell = row.cells[column], text = cell.dataset.value ?? cell.textContent.trim();
  return kind === "number" ? (text === "" ? -Infinity : Number(text)) : text;
}

function sortTable(table, column, descending) {
  const heads = [...table.tHead.rows[0].cells], kind = heads[column].dataset.kind, body = table.tBodies[0];
  const order = (a, b) => (kind === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true }));
  const rows = [...body.rows].map((row) => [cellValue(row, column, kind), row]);
  rows.sort(([a], [b]) => (descending ? order(b, a) : order(a, b)));
  body.append(...rows.map(([, row]) => row));
  heads.forEach((head, index) => {
    if (index === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  });
}

function patternOf(text) {
  const expression = text.match(/^\/(.+)\/?$/)?.[1].replace(/\/$/, "");
  try {
    if (expression) return new RegExp(expression, "i");
  } catch { /* Half of an expression is taken as words. */ }
  const words = text.trim().toLowerCase().split(/\s+/);
  return { test: (row) => words.every((word) => row.toLowerCase().includes(word)) };
}

function filterTable(table, text, highlight) {
  const pattern = patternOf(text);
  [...table.tBodies[0].rows].forEach((row) => {
    const met = !text || pattern.test([...row.cells].map((cell) => cell.textContent).join(" "));
    row.classList.toggle("away", !met && !highlight);
    row.classList.toggle("found", met && highlight && text !== "");
  });
}

function applyTables() {
  document.querySelectorAll("table.sortable").forEach((table) => {
    const [column, order] = (chosen.get("sort") ?? "").split(".");
    if (column) sortTable(table, Number(column), order === "down");
    const input = document.querySelector(`[data-filter="${table.id}"]`);
    if (!input) return;
    input.value = chosen.get("find") ?? "";
    const how = document.querySelector(`[name="filter-${table.id}"][value="${chosen.get("how") ?? "filter"}"]`);
    how.checked = true;
    filterTable(table, input.value, how.value === "highlight");
  });
}

function listenToTables() {
  document.querySelectorAll("table.sortable").forEach((table) => {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (!head.dataset.kind) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const first = head.dataset.kind === "number" ? "descending" : "ascending";
        const descending = (head.getAttribute("aria-sort") ?? "") === first ? first !== "descending" : first === "descending";
        choose("sort", `${column}.${descending ? "down" : "up"}`);
        applyTables();
      });
    });
    const input = document.querySelector(`[data-filter="${table.id}"]`);
    if (!input) return;
    input.closest(".filter").hidden = false;
    input.addEventListener("input", () => { choose("find", input.value); applyTables(); });
    document.querySelectorAll(`[name="filter-${table.id}"]`).forEach((radio) => {
      radio.addEventListener("change", () => { choose("how", radio.value === "highlight" ? "highlight" : ""); applyTables(); });
    });
  });
}
