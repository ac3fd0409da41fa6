/* Points of charts tell of themselves where one points at them or moves to them by arrow keys; a
   range is drawn with the pointer. All of it stands on the page without this: the table of numbers,
   the fields of the range, and a title on each point. */
"use strict";
(() => {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true"); // each point has the same as its label
  document.body.append(tip);
  const points = (chart) => [...chart.querySelectorAll("svg a[href]")]
    .map((link) => [link.querySelector("path").getBoundingClientRect(), link])
    .sort(([one], [other]) => one.left - other.left).map(([, link]) => link);
  const middle = (link) => {
    const box = (link.querySelector("path") ?? link).getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2, box.height / 2];
  };
  let shown = null;
  const text = (link) => {
    const title = link.querySelector("title");
    if (title) { // one of both is enough
      link.dataset.said = title.textContent;
      title.remove();
    } else if (link.title) {
      link.dataset.said = link.title;
      link.setAttribute("aria-label", link.title.replaceAll("\n", ", "));
      link.removeAttribute("title");
    }
    return link.dataset.said ?? "";
  };
  const show = (link) => {
    if (shown === link) return;
    hide();
    const said = text(link);
    if (!said) return;
    shown = link;
    link.dataset.on = "";
    tip.textContent = said;
    tip.hidden = false;
    place();
  };
  const place = () => {
    if (!shown) return;
    if (!shown.isConnected) return hide();
    const [x, y, half] = middle(shown);
    const box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(x - box.width / 2, 8), innerWidth - box.width - 8);
    const above = y - half - box.height - 10;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 8 ? above : y + half + 10}px`;
  };
  const hide = () => {
    if (shown) delete shown.dataset.on;
    shown = null;
    tip.hidden = true;
  };
  const NEAR = 22;
  const near = (chart, event) => {
    let best = null;
    let least = NEAR;
    for (const link of points(chart)) {
      const [x, y] = middle(link);
      const far = Math.hypot(x - event.clientX, y - event.clientY);
      if (far < least) [best, least] = [link, far];
    }
    return best;
  };
  const chartAt = (event) => event.target.closest?.(".chart");
  addEventListener("pointermove", (event) => {
    if (brush) return drag(event);
    const cell = event.target.closest?.(".heat td a");
    const chart = chartAt(event);
    const link = cell ?? (chart && near(chart, event));
    if (link) show(link);
    else if (shown && shown !== document.activeElement) hide();
  });
  addEventListener("focusin", (event) => {
    const link = event.target.closest?.(".chart svg a, .heat td a");
    if (link) show(link);
    else hide();
  });
  addEventListener("scroll", place, { passive: true, capture: true });

  // Arrow keys: from point to point of a chart, over the squares of the map.
  const step = (list, from, key) => {
    const at = list.indexOf(from);
    const to = { ArrowRight: at + 1, ArrowLeft: at < 0 ? list.length - 1 : at - 1, Home: 0, End: list.length - 1 }[key];
    return list[Math.min(Math.max(to, 0), list.length - 1)];
  };
  const over = (table, from, key) => {
    const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].slice(1));
    const y = rows.findIndex((row) => row.some((cell) => cell.contains(from)));
    if (y < 0) return rows.flat().map((cell) => cell.querySelector("a")).find(Boolean);
    const x = rows[y].findIndex((cell) => cell.contains(from));
    const [dx, dy] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key] ?? [0, 0];
    for (let n = 1; n < 400; n += 1) {
      const cell = rows[y + n * dy]?.[x + n * dx];
      if (!cell) return null;
      if (cell.querySelector("a")) return cell.querySelector("a");
    }
    return null;
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const place = document.activeElement?.closest?.(".chart, .scroll");
    if (event.key === "Escape" && shown) {
      hide();
      if (place && place !== document.activeElement) place.focus();
      return;
    }
    if (!place || !/^(Arrow(Left|Right|Up|Down)|Home|End)$/.test(event.key)) return;
    const table = place.querySelector("table.heat");
    const list = points(place);
    if (!table && (!list.length || /Up|Down/.test(event.key))) return;
    const next = table ? over(table, document.activeElement, event.key) : step(list, document.activeElement, event.key);
    event.preventDefault();
    next?.focus();
  });

  // A range, drawn from day to day; it leads to the address that the fields lead to.
  let brush = null;
  addEventListener("pointerdown", (event) => {
    const chart = chartAt(event);
    if (!chart?.hasAttribute("data-range") || event.button || event.pointerType === "touch" || event.target.closest("a")) return;
    event.preventDefault();
    const mark = document.createElement("div");
    mark.className = "brush";
    chart.append(mark);
    brush = { chart, mark, from: event.clientX };
    drag(event);
  });
  const drag = (event) => {
    const left = brush.chart.getBoundingClientRect().left - brush.chart.scrollLeft;
    brush.mark.style.left = `${Math.min(brush.from, event.clientX) - left}px`;
    brush.mark.style.width = `${Math.abs(event.clientX - brush.from)}px`;
  };
  addEventListener("pointerup", (event) => {
    if (!brush) return;
    const { chart, mark, from } = brush;
    brush = null;
    mark.remove();
    const ends = [Math.min(from, event.clientX), Math.max(from, event.clientX)];
    if (ends[1] - ends[0] < 12) return;
    const days = points(chart).filter((link) => {
      const [x] = middle(link);
      return x >= ends[0] && x <= ends[1];
    }).map((link) => link.dataset.day).sort();
    if (!days.length) return;
    const to = new URL(location.href);
    to.searchParams.set("from", days[0]);
    to.searchParams.set("to", days.at(-1));
    location.assign(to);
  });
})();
