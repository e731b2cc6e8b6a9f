// The schedule, directive by directive.
vtac.part(async () => {
  const list = document.getElementById("steps-list");
  if (!list) return;
  const functions = await vtac.json("steps-data");
  const nest = document.getElementById("steps-nest");
  const select = document.getElementById("steps-function");
  let items = [];
  let chosen = 0;

  const choose = (steps, number) => {
    chosen = Math.min(items.length - 1, Math.max(0, number));
    items.forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
    list.setAttribute("aria-activedescendant", items[chosen].id);
    const box = items[chosen];
    if (box.offsetTop < list.scrollTop || box.offsetTop + box.offsetHeight > list.scrollTop + list.clientHeight) {
      list.scrollTop = box.offsetTop - list.clientHeight / 2;
    }
    nest.replaceChildren(...steps[chosen].nest.map((text) => {
      const line = document.createElement("div");
      const mark = text[0];
      line.className = mark === "+" ? "plus" : mark === "-" ? "minus" : "";
      line.textContent = `${mark === "-" ? "\u2212" : mark} ${text.slice(1)}`;
      return line;
    }));
    const changed = nest.querySelector(".plus, .minus");
    nest.scrollTop = changed ? Math.max(0, changed.offsetTop - nest.clientHeight / 3) : 0;
  };

  const open = (found) => {
    const steps = [{ text: "(the program)", nest: found.before.map((line) => ` ${line}`) }, ...found.steps];
    items = steps.map((step, number) => {
      const item = document.createElement("li");
      item.id = `step-${number}`;
      item.setAttribute("role", "option");
      item.textContent = step.text;
      item.addEventListener("click", () => choose(steps, number));
      return item;
    });
    list.replaceChildren(...items);
    list.onkeydown = (event) => {
      const to = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, Home: 0, End: items.length - 1 }[event.key];
      if (to === undefined) return;
      choose(steps, to);
      event.preventDefault();
    };
    choose(steps, Math.min(1, steps.length - 1));
  };

  if (select) {
    functions.forEach((one, number) => select.add(new Option(one.name, number)));
    select.addEventListener("change", () => open(functions[Number(select.value)]));
  }
  open(functions[0]);
});
