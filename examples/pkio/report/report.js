"use strict";
(() => {
  const table = document.querySelector("table.findings");
  if (table) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const collator = new Intl.Collator("en", { numeric: true });
    const key = (row, i) => row.cells[i].dataset.sort ?? row.cells[i].textContent.trim();
    const spoken = document.getElementById("shown");

    heads.forEach((head, i) => head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((h) => h.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [key(row, i), row]);
      rows.sort((a, b) => {
        if (a[0] === "" || b[0] === "") return (a[0] === "") - (b[0] === ""); // what has none, at the end
        return (down ? -1 : 1) * collator.compare(a[0], b[0]);
      });
      body.append(...rows.map((r) => r[1]));
      spoken.textContent = "Sorted by " + head.textContent.trim() + ", " + (down ? "descending." : "ascending.");
    }));

    const filter = document.getElementById("filter");
    const controls = filter.closest(".controls");
    controls.hidden = false;
    const more = controls.dataset.more; // what is not on the page
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      let n = 0;
      for (const row of body.rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((w) => text.includes(w));
        if (!row.hidden) n++;
      }
      spoken.textContent = n + " of " + body.rows.length + " shown." + (more ? " Not on this page, and not searched: " + more + "." : "");
    });
  }

  const open = () => {
    const at = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (at instanceof HTMLDetailsElement) {
      at.open = true;
      at.tabIndex = -1; // not the summary: the key that leads here would close it again
      at.focus();
      at.scrollIntoView({ block: "start" });
    }
  };
  addEventListener("hashchange", open);
  open();
})();
