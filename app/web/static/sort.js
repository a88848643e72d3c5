// Sorts the rows on a page by the column whose head is pressed; a second press turns the order.
"use strict";

(() => {
  const chosen = new Map();

  function key(row, column) {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    const number = Number(text.replace(/[\s\u202f,%]/g, ""));
    return text !== "" && !Number.isNaN(number) ? number : text.toLowerCase();
  }

  function compare(a, b) {
    if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
    return typeof a === "number" ? -1 : 1;
  }

  function sort(table, column, turned) {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [key(row, column), row]);
    rows.sort(([a], [b]) => (turned ? compare(b, a) : compare(a, b)));
    body.replaceChildren(...rows.map(([, row]) => row));
    [...table.tHead.rows[0].cells].forEach((head, index) => {
      if (index === column) head.setAttribute("aria-sort", turned ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  function prepare(table) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "head";
      button.append(...head.childNodes);
      button.addEventListener("click", () => {
        const before = chosen.get(table.id);
        const turned = before?.column === column && !before.turned;
        chosen.set(table.id, { column, turned });
        sort(table, column, turned);
      });
      head.append(button);
    });
    const before = chosen.get(table.id);
    if (table.id && before) sort(table, before.column, before.turned);
  }

  const prepareAll = (root) => root.querySelectorAll("table[data-sortable]").forEach(prepare);
  prepareAll(document);
  document.addEventListener("swapped", (event) => prepareAll(event.target));
})();
