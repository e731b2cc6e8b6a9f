// Levels side by side: lines of one place in the source light up together.
vtac.part(async () => {
  const view = document.getElementById("levels-view");
  if (!view) return;
  const data = await vtac.json("levels-data");
  const choice = document.getElementById("levels-choice");
  const place = document.getElementById("levels-place");
  const select = document.getElementById("levels-part");
  let panes = [];
  let lit = [];

  const levelsOf = (part) => {
    const own = data.levels.filter((level) => level.part === part);
    const source = data.levels.find((level) => level.name === "source");
    return part === data.parts[0][0] || !source ? own : [source, ...own];
  };

  // Lines with one of some places, in a pane.
  const linesAt = (pane, places) => [...new Set(places.flatMap((one) => pane.at.get(one) || []))];

  const light = (origin, number) => {
    lit.forEach((line) => line.classList.remove("lit", "now"));
    const places = origin.level.at[number] || [];
    lit = panes.flatMap((pane) => {
      const found = linesAt(pane, places).map((at) => pane.lines[at]);
      pane.count.textContent = places.length ? `${found.length} of ${pane.lines.length}` : `${pane.lines.length} lines`;
      return found;
    });
    lit.forEach((line) => line.classList.add("lit"));
    origin.lines[number].classList.add("now");
    lit.push(origin.lines[number]);
    origin.current = number;
    place.textContent = places.length ? places.slice(0, 6).map((one) => data.places[one]).join(", ") : "\u00a0";
  };

  const reveal = (pane, line) => {
    const top = line.offsetTop, box = pane.box;
    if (top < box.scrollTop || top + line.offsetHeight > box.scrollTop + box.clientHeight) {
      box.scrollTop = top - box.clientHeight / 3;
    }
  };

  const follow = (origin) => {
    const places = origin.level.at[origin.current] || [];
    for (const pane of panes) {
      const found = pane === origin ? [origin.current] : linesAt(pane, places);
      if (found.length) reveal(pane, pane.lines[Math.min(...found)]);
    }
  };

  const onKey = (pane, event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "Enter") follow(pane);
    else if (step !== undefined) {
      const next = Math.min(pane.lines.length - 1, Math.max(0, (pane.current ?? -1) + step));
      light(pane, next);
      reveal(pane, pane.lines[next]);
    } else return;
    event.preventDefault();
  };

  const makePane = (level) => {
    const root = document.createElement("div");
    root.className = "pane";
    const head = document.createElement("h4");
    head.textContent = level.name;
    const count = document.createElement("span");
    count.textContent = `${level.html.length} lines`;
    head.append(count);
    const box = document.createElement("pre");
    box.tabIndex = 0;
    box.setAttribute("aria-label", level.name);
    const more = level.more ? `<div><i class=c>… ${level.more.toLocaleString("en")} more lines</i></div>` : "";
    box.innerHTML = level.html.map((line) => `<div>${line}</div>`).join("") + more;
    root.append(head, box);
    const lines = [...box.children].slice(0, level.html.length);
    const at = new Map();
    level.at.forEach((places, number) => places.forEach((one) => {
      if (number < lines.length) at.has(one) ? at.get(one).push(number) : at.set(one, [number]);
    }));
    const pane = { root, box, level, lines, at, count };
    const numbers = new Map(lines.map((line, number) => [line, number]));
    const under = (event) => numbers.get(event.target.closest(".pane pre > div"));
    box.addEventListener("pointerover", (event) => { const line = under(event); if (line !== undefined) light(pane, line); });
    box.addEventListener("click", (event) => { const line = under(event); if (line !== undefined) { light(pane, line); follow(pane); } });
    box.addEventListener("keydown", (event) => onKey(pane, event));
    return pane;
  };

  const show = (levels, names) => {
    panes = levels.filter((level) => names.has(level.name)).map(makePane);
    lit = [];
    view.replaceChildren(...panes.map((pane) => pane.root));
  };

  const open = (part) => {
    const levels = levelsOf(part);
    const first = levels.filter((level) => data.first.includes(level.name));
    const names = new Set((first.length > 1 ? first : levels.slice(0, 4)).map((level) => level.name));
    choice.replaceChildren(choice.querySelector("legend"), ...levels.map((level) => {
      const label = document.createElement("label"), box = document.createElement("input");
      box.type = "checkbox";
      box.checked = names.has(level.name);
      box.addEventListener("change", () => { box.checked ? names.add(level.name) : names.delete(level.name); show(levels, names); });
      label.append(box, ` ${level.name}`);
      return label;
    }));
    show(levels, names);
  };

  if (select) {
    data.parts.forEach(([part, title]) => select.add(new Option(title, part)));
    select.addEventListener("change", () => open(select.value));
  }
  open(data.parts[0][0]);
});
