"use strict";
const vtac = {
  all: (selector, root = document) => [...root.querySelectorAll(selector)],

  // A value of the style sheet's variables, as it is under the theme that is shown.
  colour: (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim(),

  // Bytes that stand in the page as base64 of a deflated stream.
  async unpacked(id) {
    const text = document.getElementById(id).textContent.trim();
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  },

  json: async (id) => JSON.parse(new TextDecoder().decode(await vtac.unpacked(id))),

  // Parts of the page that are drawn when their data is there; one that fails leaves the others alone.
  parts: [],
  part(draw) {
    vtac.parts.push(draw().catch((error) => console.error(error)));
  },

  redraws: [],
  redraw: () => vtac.redraws.forEach((draw) => draw()),
};

(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  vtac.all("[data-theme-button]").forEach((button) => button.addEventListener("click", () => {
    const shown = root.dataset.theme || (dark.matches ? "dark" : "light");
    root.dataset.theme = shown === "dark" ? "light" : "dark";
    vtac.redraw();
  }));
  dark.addEventListener("change", vtac.redraw);
  addEventListener("resize", vtac.redraw);
  addEventListener("beforeprint", vtac.redraw);
  addEventListener("afterprint", vtac.redraw);

  const links = new Map(vtac.all("nav a").map((link) => [link.getAttribute("href").slice(1), link]));
  const seen = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) entry.isIntersecting ? seen.add(entry.target.id) : seen.delete(entry.target.id);
    const current = vtac.all("main > section").find((section) => seen.has(section.id));
    links.forEach((link, id) => current && id === current.id ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current"));
  }, { rootMargin: "-10% 0px -60% 0px" });
  vtac.all("main > section").forEach((section) => observer.observe(section));
})();
