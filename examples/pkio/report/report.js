"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { strings, texts, tables } = data;
  const first = 60, paperMost = 500; // rows at once; systems beyond which paper has none
  const make = (name, props, ...children) => {
    const el = Object.assign(document.createElement(name), props);
    el.append(...children.filter((c) => c !== null));
    return el;
  };
  const muted = (text) => make("span", { className: "muted" }, text);
  const day = (iso) => data.lang === "nl" ? iso.replace(/^(\d{4})-(\d\d)-(\d\d)$/, "$3-$2-$1") : iso;
  const number = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, data.lang === "nl" ? "." : ",");
  const fill = (text, ...args) => args.reduce((t, a) => t.replace("%s", () => a), text);
  const parts = (value) => [].concat(value);

  const badge = (n) => {
    const name = data.classes[n];
    const ns = document.querySelector("svg.icons").namespaceURI, svg = document.createElementNS(ns, "svg"), use = document.createElementNS(ns, "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", "#i-" + name);
    svg.append(use);
    return make("span", { className: "badge " + name }, svg, data.words[n]);
  };

  // A line may end after a slash.
  const breaks = (s) => s.split("/").flatMap((part, i) => (i === 0 ? [part] : ["/", make("wbr", {}), part]));

  const drawCell = (kind, head, value) => {
    const td = document.createElement(kind === "name" ? "th" : "td");
    td.setAttribute("role", kind === "name" ? "rowheader" : "cell");
    if (kind === "name") td.scope = "row";
    else if (kind !== "do") td.dataset.label = head;
    if (kind === "do") {
      td.append(badge(value));
      return td;
    }
    const [text, note, chain] = parts(value);
    const s = strings[text];
    td.className = (kind === "date" ? "nowrap" : "") + (s === "" ? " empty" : "");
    if (kind === "date") {
      td.append(day(s), ...(note ? [" ", muted(texts.overdue)] : []));
    } else {
      td.append(...(chain ? [make("a", { href: "#chain-" + chain }, ...breaks(s))] : breaks(s)));
      if (note !== undefined && strings[note]) td.append(muted(strings[note]));
    }
    return td;
  };

  // What a column sorts by: numbers in a text by their value.
  const sortKey = (text) => text.toLowerCase().replace(/\d+/g, (d) => d.padStart(12, "0"));

  class Table {
    constructor(el) {
      this.el = el;
      this.data = tables[el.id];
      this.body = el.tBodies[0];
      this.heads = [...el.tHead.rows[0].cells];
      this.keys = [];
      this.order = this.data.rows.map((_, i) => i);
      this.kept = this.order;
      this.spoken = el.parentElement.querySelector("[role=status]");
      this.button = make("button", { type: "button", className: "more" }, texts.more);
      this.button.addEventListener("click", () => this.draw(first));
      el.after(this.button);
      new IntersectionObserver((seen) => seen.some((s) => s.isIntersecting) && this.draw(first), { rootMargin: "1000px" }).observe(this.button);
      this.heads.forEach((head, i) => {
        const button = head.querySelector("button");
        if (button) button.addEventListener("click", () => this.sort(i));
      });
      this.show();
    }

    row(i) {
      const tr = document.createElement("tr");
      tr.setAttribute("role", "row");
      this.data.kinds.forEach((kind, j) => tr.append(drawCell(kind, this.data.heads[j], this.data.rows[i][j])));
      return tr;
    }

    // draw adds so many rows to those that are there.
    draw(n) {
      const rows = document.createDocumentFragment(), end = Math.min(this.kept.length, this.drawn + n);
      for (; this.drawn < end; this.drawn++) rows.append(this.row(this.kept[this.drawn]));
      this.body.append(rows);
      this.button.hidden = this.drawn === this.kept.length;
      const note = this.el.parentElement.querySelector(".plain-more");
      if (note) note.hidden = true;
    }

    show() {
      this.drawn = 0;
      this.body.replaceChildren();
      this.draw(first);
    }

    key(i) {
      this.keys[i] ??= this.data.rows.map((row, n) => this.data.kinds[i] === "do" ? n : sortKey(strings[parts(row[i])[0]]));
      return this.keys[i];
    }

    sort(i) {
      const head = this.heads[i], down = head.getAttribute("aria-sort") === "ascending", key = this.key(i), way = down ? -1 : 1;
      this.heads.forEach((h) => h.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      this.order.sort((a, b) => {
        const x = key[a], y = key[b];
        if (x === y) return a - b;
        if (x === "" || y === "") return x === "" ? 1 : -1; // what has none, at the end
        return x < y ? -way : way;
      });
      this.filter();
      if (this.spoken) this.spoken.textContent = fill(down ? texts.down : texts.up, head.textContent.trim());
    }

    filter() {
      const words = this.words ?? [];
      if (words.length > 0) {
        this.texts ??= this.data.rows.map((row) => row.map((value, j) => {
          const kind = this.data.kinds[j];
          if (kind === "do") return data.words[value];
          if (kind === "date") return strings[parts(value)[0]] + " " + day(strings[parts(value)[0]]) + (value.length ? " " + texts.overdue : "");
          return parts(value).slice(0, 2).map((s) => strings[s]).join(" ");
        }).join(" ").toLowerCase());
      }
      this.kept = words.length === 0 ? this.order : this.order.filter((i) => words.every((w) => this.texts[i].includes(w)));
      this.show();
    }

    // search keeps the rows that have all words.
    search(text) {
      this.words = text.toLowerCase().split(/\s+/).filter(Boolean);
      this.filter();
      this.spoken.textContent = fill(texts.shown, number(this.kept.length), number(this.order.length));
    }
  }

  const all = [...document.querySelectorAll("table.data")].map((el) => new Table(el));
  const findings = all.find((t) => t.el.id === "findings");
  const input = document.getElementById("filter");
  if (findings) {
    input.closest(".controls").hidden = false;
    input.addEventListener("input", () => findings.search(input.value));
  }

  // Paper has all rows; what is too long for it is in the list of certificates as well.
  addEventListener("beforeprint", () => {
    for (const t of all) {
      if (t.el.dataset.paper !== "names" && !(t.el.id === "systems" && t.kept.length > paperMost)) t.draw(Infinity);
    }
  });
  addEventListener("afterprint", () => all.forEach((t) => t.show()));
  const systems = all.find((t) => t.el.id === "systems");
  if (systems && systems.order.length > paperMost) systems.el.closest("section").classList.add("screen-only");

  const chains = document.getElementById("print-chains");
  if (chains) {
    chains.closest("p").hidden = false;
    chains.addEventListener("change", () => document.body.classList.toggle("with-chains", chains.checked));
    let closed = [];
    addEventListener("beforeprint", () => {
      if (!chains.checked) return;
      closed = [...document.querySelectorAll("details:not([open])")];
      closed.forEach((d) => d.open = true);
    });
    addEventListener("afterprint", () => closed.splice(0).forEach((d) => d.open = false));
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
