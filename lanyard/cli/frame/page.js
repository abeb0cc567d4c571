"use strict";
// Tables of a page can be searched and sorted. Without this script they are shown whole, as they are.

const plural = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
const keyOf = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.key ?? cell.textContent.trim();
};

function searchable(table) {
  const rows = [...table.tBodies[0].rows];
  const box = document.createElement("input");
  const found = document.createElement("output");
  let texts;
  const search = () => {
    texts ??= rows.map((row) => `${row.textContent} ${row.dataset.more ?? ""}`.toLowerCase());
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, number) => {
      row.hidden = !words.every((word) => texts[number].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    found.textContent = words.length ? `${shown.toLocaleString("en")} of ${plural(rows.length, "row")}` : plural(rows.length, "row");
  };
  box.type = "search";
  box.placeholder = "Search this table";
  box.setAttribute("aria-label", `Search: ${table.caption?.textContent ?? "this table"}`);
  box.addEventListener("input", search);
  found.textContent = plural(rows.length, "row");
  const bar = document.createElement("div");
  bar.className = "search";
  bar.append(box, found);
  (table.closest(".scroll") ?? table).before(bar);
}

function sortable(table) {
  const body = table.tBodies[0];
  const compare = new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keyed = [...body.rows].map((row) => [keyOf(row, column), row]);
      keyed.sort(([one], [other]) => (down ? compare(other, one) : compare(one, other)));
      body.append(...keyed.map(([, row]) => row));
    });
  });
}

for (const table of document.querySelectorAll("table.data")) {
  searchable(table);
  sortable(table);
}
