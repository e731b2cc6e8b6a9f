// Tables sort by the column whose heading is selected, a second time the other way round; sums at the foot stay.
(() => {
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.v === undefined ? cell.textContent.trim() : Number(cell.dataset.v);
  };
  const compare = (one, other) => typeof one === "number" ? one - other : one.localeCompare(other);

  const sort = (table, column) => {
    const head = table.tHead.rows[0].cells[column];
    const isNumber = head.classList.contains("n");
    const before = head.getAttribute("aria-sort");
    const order = before === (isNumber ? "descending" : "ascending") ? (isNumber ? "ascending" : "descending") : (isNumber ? "descending" : "ascending");
    [...table.tHead.rows[0].cells].forEach((cell) => cell.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((one, other) => sign * compare(value(one, column), value(other, column)));
    body.append(...rows);
  };

  vtac.all("table.sortable").forEach((table) => {
    [...table.tHead.rows[0].cells].forEach((cell, column) => {
      const button = cell.querySelector("button");
      if (button) button.addEventListener("click", () => sort(table, column));
    });
  });
})();
