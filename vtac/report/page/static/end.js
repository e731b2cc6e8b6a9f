// The page says when all of it is drawn, and how many milliseconds after it was opened.
Promise.all(vtac.parts).then(() => { document.documentElement.dataset.drawn = String(Math.round(performance.now())); });
