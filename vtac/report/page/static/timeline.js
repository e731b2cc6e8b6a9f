// The run over time, on a canvas: a window of cycles, lanes of spans, tokens between them, layers above.
vtac.part(async () => {
  const canvas = document.getElementById("timeline-canvas");
  if (!canvas) return;
  const data = await vtac.json("timeline-data");
  const tip = document.getElementById("timeline-tip");
  const shown = document.getElementById("timeline-window");
  const LEFT = 66, BAND = 24, LANE = 34, GAP = 14, AXIS = 26, ARROWS = 300;
  const HEIGHT = BAND + 8 + data.lanes.length * (LANE + GAP) + AXIS;
  const isWait = data.kinds.map(([name]) => name.startsWith("waits"));

  const lanes = data.lanes.map(([name, flat]) => {
    const count = flat.length / 4;
    const lane = { name, kind: new Uint8Array(count), begin: new Float64Array(count), end: new Float64Array(count), index: new Int32Array(count) };
    for (let at = 0, cycle = 0; at < count; at++) {
      lane.kind[at] = flat[4 * at];
      lane.begin[at] = cycle += flat[4 * at + 1];
      lane.end[at] = cycle += flat[4 * at + 2];
      lane.index[at] = flat[4 * at + 3];
    }
    return lane;
  });
  const top = (number) => BAND + 8 + number * (LANE + GAP);
  const laneOf = new Map(lanes.map((lane, number) => [lane.name, number]));
  const full = [0, Math.max(1, data.cycles)];
  let range = [...full];
  let width = 0;

  const x = (cycle) => LEFT + (cycle - range[0]) / (range[1] - range[0]) * (width - LEFT - 8);
  const cycleAt = (px) => range[0] + (px - LEFT) / (width - LEFT - 8) * (range[1] - range[0]);

  // The first span of a lane that ends behind a cycle.
  const firstBehind = (lane, cycle) => {
    let low = 0, high = lane.end.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      lane.end[middle] > cycle ? high = middle : low = middle + 1;
    }
    return low;
  };

  const drawLane = (pen, lane, y) => {
    pen.fillStyle = vtac.colour("faint");
    pen.fillRect(LEFT, y, width - LEFT - 8, LANE);
    const columns = Math.ceil(width), kinds = data.kinds.length;
    const shares = new Float32Array(columns * kinds);
    let small = false;
    for (let at = firstBehind(lane, range[0]); at < lane.begin.length && lane.begin[at] < range[1]; at++) {
      const kind = lane.kind[at];
      const from = x(Math.max(lane.begin[at], range[0])), to = x(Math.min(lane.end[at], range[1]));
      if (to - from >= 1) {
        pen.fillStyle = data.kinds[kind][1];
        const height = isWait[kind] ? 8 : LANE;
        const gap = to - from > 4 ? 0.6 : 0;
        pen.fillRect(from, y + LANE - height, to - from - gap, height);
      } else {
        small = true;
        const left = Math.floor(from), right = Math.floor(to);
        shares[left * kinds + kind] += Math.min(to, left + 1) - from;
        if (right > left && right < columns) shares[right * kinds + kind] += to - right;
      }
    }
    for (let column = 0; small && column < columns; column++) {
      let level = y + LANE;
      for (let kind = 0; kind < kinds; kind++) {
        const height = shares[column * kinds + kind] * LANE * (isWait[kind] ? 8 / LANE : 1);
        if (!height) continue;
        pen.fillStyle = data.kinds[kind][1];
        pen.fillRect(column, level - height, 1, height);
        level -= height;
      }
    }
  };

  const drawLayers = (pen) => {
    data.layers.forEach(([name, begin, end], number) => {
      if (end <= range[0] || begin >= range[1]) return;
      const from = x(Math.max(begin, range[0])), to = x(Math.min(end, range[1]));
      pen.fillStyle = vtac.colour(number % 2 ? "line" : "faint");
      pen.fillRect(from, 0, to - from, BAND - 4);
      const letters = Math.floor((to - from - 8) / 6.3);
      if (letters < 3) return;
      pen.fillStyle = vtac.colour("ink");
      pen.fillText(name.length > letters ? `${name.slice(0, letters - 1)}…` : name, from + 4, BAND - 9);
    });
  };

  const drawTokens = (pen) => {
    const seen = [];
    for (let at = 0; at < data.tokens.length && data.tokens[at + 1] < range[1]; at += 3) {
      const taken = data.tokens[at + 1] + data.tokens[at + 2];
      if (taken >= range[0]) seen.push(at);
      if (seen.length > ARROWS) return;
    }
    pen.strokeStyle = vtac.colour("ink");
    pen.lineWidth = 0.8;
    for (const at of seen) {
      const [source, target] = data.queues[data.tokens[at]].map((unit) => laneOf.get(unit));
      const down = target > source;
      const x1 = x(data.tokens[at + 1]), x2 = x(data.tokens[at + 1] + data.tokens[at + 2]);
      const y1 = top(source) + (down ? LANE : 0), y2 = top(target) + (down ? 0 : LANE);
      pen.beginPath();
      pen.moveTo(x1, y1);
      pen.lineTo(x2, y2);
      pen.moveTo(x2 - 3, y2 + (down ? -5 : 5));
      pen.lineTo(x2, y2);
      pen.lineTo(x2 + 3, y2 + (down ? -5 : 5));
      pen.stroke();
    }
  };

  const drawAxis = (pen) => {
    const y = top(lanes.length) - GAP + 6;
    let step = 1;
    while ((range[1] - range[0]) / step > (width - LEFT) / 110) step *= String(step)[0] === "2" ? 2.5 : 2;
    pen.fillStyle = vtac.colour("soft");
    pen.strokeStyle = vtac.colour("soft");
    pen.textAlign = "center";
    for (let cycle = Math.ceil(range[0] / step) * step; cycle <= range[1]; cycle += step) {
      pen.fillRect(x(cycle), y - 4, 1, 5);
      pen.fillText(cycle.toLocaleString("en"), Math.min(x(cycle), width - 30), y + 14);
    }
    pen.textAlign = "right";
    pen.fillStyle = vtac.colour("ink");
    lanes.forEach((lane, number) => pen.fillText(lane.name, LEFT - 8, top(number) + LANE / 2 + 4));
    pen.fillText("layer", LEFT - 8, BAND - 9);
    pen.textAlign = "left";
  };

  const draw = () => {
    const scale = devicePixelRatio || 1;
    width = canvas.parentElement.clientWidth;
    if (!width) return;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(HEIGHT * scale);
    canvas.style.height = `${HEIGHT}px`;
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.font = "11px system-ui, sans-serif";
    lanes.forEach((lane, number) => drawLane(pen, lane, top(number)));
    drawLayers(pen);
    drawTokens(pen);
    drawAxis(pen);
    shown.textContent = `cycles ${Math.floor(range[0]).toLocaleString("en")} to ${Math.ceil(range[1]).toLocaleString("en")} of ${full[1].toLocaleString("en")}`;
    canvas.dataset.from = String(Math.floor(range[0]));
    canvas.dataset.to = String(Math.ceil(range[1]));
  };

  let waiting = false;
  const redraw = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  };

  const look = (begin, end) => {
    const length = Math.min(full[1], Math.max(20, end - begin));
    const from = Math.min(full[1] - length, Math.max(0, begin));
    range = [from, from + length];
    redraw();
  };
  const zoom = (factor, middle = (range[0] + range[1]) / 2) => look(middle - (middle - range[0]) * factor, middle + (range[1] - middle) * factor);
  const pan = (share) => look(range[0] + share * (range[1] - range[0]), range[1] + share * (range[1] - range[0]));
  const actions = { in: () => zoom(0.5), out: () => zoom(2), all: () => look(...full) };

  const hint = (event) => {
    const number = lanes.findIndex((_, at) => event.offsetY >= top(at) && event.offsetY < top(at) + LANE);
    const cycle = cycleAt(event.offsetX);
    const layer = data.layers.find(([, begin, end]) => begin <= cycle && cycle < end);
    const lane = lanes[number];
    const at = lane ? firstBehind(lane, cycle) : 0;
    if (!lane || at >= lane.begin.length || lane.begin[at] > cycle) return layer ? `layer ${layer[0]}, cycle ${Math.floor(cycle).toLocaleString("en")}` : "";
    const index = lane.index[at];
    const text = data.texts[index] || "";
    const kind = data.kinds[lane.kind[at]][0];
    const about = isWait[lane.kind[at]] ? `${lane.name} ${kind}${index >= 0 ? `, then ${index}: ${text}` : ""}` : index >= 0 ? `${index}: ${text || kind}` : kind;
    const cycles = lane.end[at] - lane.begin[at];
    return `${about}\n${cycles.toLocaleString("en")} cycles from ${lane.begin[at].toLocaleString("en")}${layer ? `, ${layer[0]}` : ""}`;
  };

  let dragged = null;
  canvas.addEventListener("pointerdown", (event) => { dragged = { at: event.offsetX, range: [...range] }; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointerup", () => { dragged = null; });
  canvas.addEventListener("pointermove", (event) => {
    if (dragged) {
      const moved = (dragged.at - event.offsetX) / (width - LEFT - 8) * (range[1] - range[0]);
      look(dragged.range[0] + moved, dragged.range[1] + moved);
    }
    const text = dragged ? "" : hint(event);
    tip.hidden = !text;
    tip.textContent = text;
    tip.style.left = `${Math.max(0, Math.min(event.offsetX + 14, width - tip.offsetWidth - 8))}px`;
    tip.style.top = `${event.offsetY + 18}px`;
  });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  canvas.addEventListener("dblclick", (event) => zoom(0.4, cycleAt(event.offsetX)));
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, cycleAt(event.offsetX));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const action = { "+": actions.in, "=": actions.in, "-": actions.out, 0: actions.all, Home: actions.all, ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2) }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  vtac.all("[data-zoom]").forEach((button) => button.addEventListener("click", () => actions[button.dataset.zoom]()));
  vtac.all("[data-begin]").forEach((button) => button.addEventListener("click", () => {
    const begin = Number(button.dataset.begin), cycles = Number(button.dataset.cycles);
    look(begin - cycles, begin + 2 * cycles);
    canvas.scrollIntoView({ block: "center" });
    canvas.focus({ preventScroll: true });
  }));
  const select = document.getElementById("timeline-layer");
  data.layers.forEach(([name], number) => select.add(new Option(name, number)));
  select.addEventListener("change", () => select.value === "" ? actions.all() : look(...data.layers[select.value].slice(1)));
  vtac.redraws.push(draw);
  draw();
});
