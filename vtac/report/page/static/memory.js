// On-chip memories over time: each cell of a grid is the label of what lies there.
vtac.part(async () => {
  const canvases = vtac.all("canvas[data-memory]");
  if (!canvases.length) return;
  const data = await vtac.json("memory-data");
  const LEFT = 66, HEIGHT = 128, MOMENTS = 640;

  const colourOf = (number) => {
    const [buffer, , layer] = data.labels[number - 1];
    const light = buffer === "computed" ? 58 : 46;
    return `hsl(${(layer * 137.5 + 205) % 360} 42% ${light}%)`;
  };
  const colours = data.labels.map((_, number) => colourOf(number + 1));

  const legend = vtac.all(".layer-legend")[0];
  const layers = [...new Map(data.labels.map(([, name, layer]) => [layer, name]))].sort((one, other) => one[0] - other[0]);
  for (const [layer, name] of layers.slice(0, 48)) {
    const item = document.createElement("li"), patch = document.createElement("span");
    patch.style.background = `hsl(${(layer * 137.5 + 205) % 360} 42% 52%)`;
    item.append(patch, name);
    item.dir = "auto";
    legend.append(item);
  }
  if (layers.length > 48) legend.append(Object.assign(document.createElement("li"), { textContent: `and ${layers.length - 48} more` }));

  const prepare = (canvas) => {
    const memory = data.memories.find((one) => one.name === canvas.dataset.memory);
    const cells = new Uint16Array(memory.rows * MOMENTS);
    for (let at = 0, pair = 0; pair < memory.runs.length; pair += 2) {
      cells.fill(memory.runs[pair], at, at += memory.runs[pair + 1]);
    }
    const readout = canvas.parentElement.querySelector(".readout");
    let cursor = null;

    const draw = () => {
      const scale = devicePixelRatio || 1, width = canvas.parentElement.clientWidth;
      if (!width) return;
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(HEIGHT * scale);
      canvas.style.height = `${HEIGHT}px`;
      const pen = canvas.getContext("2d");
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      pen.fillStyle = vtac.colour("faint");
      pen.fillRect(LEFT, 0, width - LEFT, HEIGHT);
      const column = (width - LEFT) / MOMENTS, row = HEIGHT / memory.rows;
      for (let y = 0; y < memory.rows; y++) {
        for (let x = 0; x < MOMENTS;) {
          const label = cells[y * MOMENTS + x];
          let end = x + 1;
          while (end < MOMENTS && cells[y * MOMENTS + end] === label) end++;
          if (label) {
            pen.fillStyle = colours[label - 1];
            pen.fillRect(LEFT + x * column, y * row, (end - x) * column + 0.3, row);
          }
          x = end;
        }
      }
      pen.font = "11px system-ui, sans-serif";
      pen.fillStyle = vtac.colour("soft");
      pen.textAlign = "right";
      pen.fillText("0", LEFT - 8, 10);
      pen.fillText(memory.capacity.toLocaleString("en"), LEFT - 8, HEIGHT - 2);
      if (!cursor) return;
      pen.strokeStyle = vtac.colour("ink");
      pen.lineWidth = 1;
      pen.strokeRect(LEFT + cursor[0] * column - 0.5, cursor[1] * row - 0.5, column + 1, row + 1);
    };

    const read = () => {
      const [x, y] = cursor;
      const label = cells[y * MOMENTS + x];
      const each = memory.capacity / memory.rows;
      const cycle = Math.floor((x + 1) / MOMENTS * data.cycles).toLocaleString("en");
      const elements = each > 1 ? `elements ${Math.floor(y * each)} to ${Math.floor((y + 1) * each) - 1}` : `element ${y}`;
      const what = label ? data.labels[label - 1] : null;
      readout.textContent = `cycle ${cycle}, ${elements}: ${what ? `${what[0]}, by ${what[1]}` : "nothing yet"}`;
    };

    const point = (x, y) => {
      cursor = [Math.min(MOMENTS - 1, Math.max(0, x)), Math.min(memory.rows - 1, Math.max(0, y))];
      read();
      draw();
    };
    canvas.addEventListener("pointermove", (event) => {
      const width = canvas.clientWidth - LEFT;
      point(Math.floor((event.offsetX - LEFT) / width * MOMENTS), Math.floor(event.offsetY / HEIGHT * memory.rows));
    });
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-4, 0], ArrowRight: [4, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      const [x, y] = cursor || [0, 0];
      point(x + step[0], y + step[1]);
    });
    vtac.redraws.push(draw);
    draw();
  };
  canvases.forEach(prepare);
});
